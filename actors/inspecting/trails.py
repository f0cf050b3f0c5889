"""What was said last, for whoever looks: out of memory, or out of the log.

`said` is a place in it: how many events there had been. Nothing is kept for the looker's sake.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from choreia.runtime.durable.bus import LogBus

if TYPE_CHECKING:
    from choreia.runtime.delivery.cases import Cases
    from choreia.runtime.delivery.engine import Engine
    from choreia.runtime.events.event import Event

MOST: Final = 5_000
"""Events that are looked at together."""


class Trail(Protocol):
    """The last events of a system."""

    @property
    def said(self) -> int:
        """How many there have been."""
        ...

    def since(self, said: int) -> tuple[Sequence[Event], int, int]:
        """The events behind that place, the last `MOST` of them; how many were passed over; and the
        place behind them."""
        ...

    def last(self, number: int) -> Sequence[Event]:
        """The last ones, in order."""
        ...


class MemoryTrail:
    """Of a system without a store."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    @property
    def said(self) -> int:
        return self._cases.said

    def since(self, said: int) -> tuple[Sequence[Event], int, int]:
        events, now = self._cases.since(said, MOST)
        # An event that did not get in is taken back, and comes again: it has been seen.
        return events, max(0, now - said - len(events)), max(said, now)

    def last(self, number: int) -> Sequence[Event]:
        return self._cases.since(0, number)[0]


class LogTrail:
    """Of a system with one. Places are positions."""

    def __init__(self, bus: LogBus) -> None:
        self._bus = bus

    @property
    def said(self) -> int:
        return self._bus.routed

    def since(self, said: int) -> tuple[Sequence[Event], int, int]:
        now = self._bus.routed
        after = max(said, now - MOST)
        recorded = self._bus.recent(after, MOST)
        if recorded is None:
            recorded = list(self._bus.store.page(after, MOST))
        recorded = [one for one in recorded if one.position <= now]
        return [one.event for one in recorded if not one.erased], after - said, now

    def last(self, number: int) -> Sequence[Event]:
        return self.since(max(0, self.said - number))[0]


class NoTrail:
    """Of a system that remembers nothing."""

    said = 0

    def since(self, said: int) -> tuple[Sequence[Event], int, int]:
        return (), 0, said

    def last(self, number: int) -> Sequence[Event]:
        return ()


def trail_of(engine: Engine) -> Trail:
    """What there is to read of this system's past."""
    if isinstance(engine.bus, LogBus):
        return LogTrail(engine.bus)
    return NoTrail() if engine.cases is None else MemoryTrail(engine.cases)
