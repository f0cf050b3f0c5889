"""What happens to heartbeats on their way: five scenarios, from a quiet host to a bad network.

The numbers are chosen, not measured: jitter as between processes of one machine and as across the
internet, loss as of a wireless link (in bursts), pauses as of a garbage collector, a suspended
container or a host that is out of memory (many short ones, few long ones: a Pareto distribution).
"""

from __future__ import annotations

import math
from typing import Final

from attrs import frozen


@frozen
class Jitter:
    """Seconds on the way, lognormally distributed; half the heartbeats take less than `median`."""

    median: float
    sigma: float


@frozen
class Loss:
    """The share of heartbeats that are lost, and how many in a row, on average, if there is one a
    second (geometrically distributed): a chain of two states (Gilbert 1960).

    It is the network that is in that state, so of heartbeats that are sent less often fewer are
    lost in a row.
    """

    share: float
    burst: float

    def chance(self, lost: bool, seconds: float) -> float:
        """The probability that a heartbeat is lost, `seconds` after one that was, or was not."""
        before = 1.0 if lost else 0.0
        return self.share + (before - self.share) * math.pow(self._memory, seconds)

    @property
    def _memory(self) -> float:
        """What is left after a second of a state: 0 where losses are independent."""
        return max(0.0, 1 - 1 / ((1 - self.share) * self.burst))


@frozen
class Pauses:
    """Times at which the sender stands still, `hourly` on average at random moments.

    Their length in seconds is Pareto distributed from `shortest` on, cut off at `longest`.
    """

    hourly: float
    shape: float
    shortest: float
    longest: float


@frozen
class Scenario:
    """A sender and the network between it and its supervisor."""

    key: str
    title: str
    jitter: Jitter
    loss: Loss | None = None
    pauses: Pauses | None = None


_HOST: Final = Jitter(0.005, 0.5)
_WAN: Final = Jitter(0.020, 1.0)
_BURSTS: Final = Loss(0.01, 3)
_INDEPENDENT: Final = Loss(0.01, 1 / 0.99)  # two in a row are chance
_PAUSES: Final = Pauses(hourly=6, shape=1.5, shortest=0.3, longest=10)

SCENARIOS: Final = (
    Scenario("A", "jitter only", _HOST),
    Scenario("B", "jitter and pauses", _HOST, pauses=_PAUSES),
    Scenario("C", "WAN, bursts of loss", _WAN, _BURSTS),
    Scenario("C1", "WAN, single losses", _WAN, _INDEPENDENT),
    Scenario("D", "WAN, bursts and pauses", _WAN, _BURSTS, _PAUSES),
)
