"""When an agent that fails again and again begins anew, and when it is given up.

Erlang/OTP's restart intensity: more than so many in a sliding window (its ``supervisor`` module,
"Maximum Restart Intensity"), in two steps: failures lead to a restart, restarts to the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Literal, cast

import attrs

from choreia.runtime.errors import InvalidAgent

Verdict = Literal["go on", "restart", "stop"]
Check = Callable[[object, "attrs.Attribute[Any]", Any], None]


def _whole(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidAgent(f"Restart({attribute.name}={value!r}): give a whole number, 0 or more")


def _seconds(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < cast("float", value) <= 1e15:
        raise InvalidAgent(f"Restart({attribute.name}={value!r}): give seconds, more than 0")


@attrs.frozen
class Restart:
    """An agent's right to begin anew.

    More than `failures` events that it gave up on within `window` seconds, and a new instance takes
    its place; more than `max_restarts` of those within `window` seconds, and it is stopped.
    """

    failures: int = attrs.field(default=5, validator=_whole)
    max_restarts: int = attrs.field(default=3, validator=_whole)
    window: float = attrs.field(default=60, validator=_seconds)


class Intensity:
    """Counts one agent's failures and restarts. `at` is monotonic seconds and never goes back."""

    __slots__ = ("_failures", "_policy", "_restarts")

    def __init__(self, policy: Restart) -> None:
        self._policy = policy
        self._failures: deque[float] = deque()
        self._restarts: deque[float] = deque()

    def failed(self, at: float) -> Verdict:
        """An event was given up on: what is to be done."""
        if not self._over(self._failures, at, self._policy.failures):
            return "go on"
        self._failures.clear()  # the new instance is not to blame for its predecessor
        return self.restarting(at)

    def restarting(self, at: float) -> Verdict:
        """It is to be restarted, for whatever reason: whether it still may."""
        if self._over(self._restarts, at, self._policy.max_restarts):
            return "stop"
        return "restart"

    def _over(self, times: deque[float], at: float, most: int) -> bool:
        # What happened exactly `window` ago is still in it.
        while times and at - times[0] > self._policy.window:
            times.popleft()
        times.append(at)
        return len(times) > most
