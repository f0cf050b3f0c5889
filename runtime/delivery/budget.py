"""What a case may use: so many events, so much money. Beyond it, what is on its way to agents
becomes dead letters, and ``case.budget_exceeded`` says so, once.

It is looked at when an agent takes an event in hand, so that what waits in mailboxes when the limit
is passed stops there too. What tells of the stop (`TELLING`) is handled all the same; what agents
say because of it belongs to the case, and stops.

Only systems whose `CaseLimits` have a limit on events or spending pay for this.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import attrs

from choreia.runtime.errors import BudgetExceeded
from choreia.runtime.events.event import Event

if TYPE_CHECKING:
    from choreia.runtime.delivery.cases import Cases, Tally
    from choreia.runtime.events.limits import CaseLimits

TELLING = frozenset({"case.budget_exceeded", "event.dead_lettered"})


@attrs.frozen
class Used:
    """What a case had used before this run, as a store tells it."""

    events: int = 0
    spent: float = 0.0
    calls: frozenset[str] = frozenset()
    """Names of what is in `spent`, so that a call that is made again is not counted again."""
    told: bool = False
    """Whether it has been said that this is too much."""


Announce = Callable[[Event, dict[str, object]], None]


class Budget:
    """For one system. Thread-safe."""

    def __init__(self, limits: CaseLimits, cases: Cases, announce: Announce) -> None:
        self._limits = limits
        self._cases = cases
        self._announce = announce
        self._lock = Lock()
        self.load: Callable[[str], Used] | None = None
        """Asks the store for a case that is new to this run."""

    def count(self, event: Event) -> None:
        """`event` was recorded: only where a log is the truth. Else routing counts."""
        tally = self._tally(event)
        with self._lock:
            tally.events += 1

    def refusal(self, event: Event) -> BudgetExceeded | None:
        """Why an agent may not have `event`, if it may not."""
        if event.type in TELLING:
            return None
        tally = self._tally(event)
        error = self._excess(tally)
        if error is not None:
            self._tell(tally, event)
        return error

    def spend(self, event: Event, call: str, amount: float) -> bool:
        """Whoever has `event` in hand has spent `amount`; `call` names the call, which is counted
        once: whether it was now."""
        tally = self._tally(event)
        with self._lock:
            if tally.used is not None and call in tally.used.calls:
                return False
            tally.spent += amount
        if self._excess(tally) is not None:
            self._tell(tally, event)
        return True

    def _tally(self, event: Event) -> Tally:
        tally = self._cases.keep(event)
        if self.load is not None and tally.used is None:
            used = self.load(tally.id)
            with self._lock:
                if tally.used is None:
                    tally.used = used
                    tally.events += used.events
                    tally.spent += used.spent
                    tally.over = used.told
        return tally

    def _excess(self, tally: Tally) -> BudgetExceeded | None:
        limits = self._limits
        if limits.events is not None and tally.events > limits.events:
            what, limit = f"{tally.events:,} events", f"events={limits.events}"
        elif limits.spend is not None and tally.spent > limits.spend:
            what, limit = f"spent {tally.spent:g}", f"spend={limits.spend:g}"
        else:
            return None
        return BudgetExceeded(
            f"case {tally.id} has {what} and its limit is {limit}: nothing of it is handled any "
            "more (CaseLimits)",
            correlation_id=tally.id,
        )

    def _tell(self, tally: Tally, event: Event) -> None:
        with self._lock:
            first, tally.over = not tally.over, True
        if first:
            facts: dict[str, object] = {
                "correlation_id": tally.id,
                "events": tally.events,
                "spent": tally.spent,
                "limits": {"events": self._limits.events, "spend": self._limits.spend},
            }
            self._announce(event, facts)
