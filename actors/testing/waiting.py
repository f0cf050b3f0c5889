"""How a test lets things happen: in virtual time, or in real time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from choreia.actors.testing.recording import Record, Seen
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.errors import InvalidLimit

if TYPE_CHECKING:
    from choreia.actors.system import ActorSystem

PATIENCE = 5.0
"""Real seconds, on threads: for an expected event to come, and for handlers to come to a rest."""

QUIET = 0.05
"""Real seconds without anything to run, after which agents on threads count as settled: those that
await something may be at it for an hour."""

LAST_CHANCE = 1.0
"""Real seconds, on threads, that what is in flight at the end of a test gets to end."""

VIRTUALLY_LONG = 3_600.0
"""Virtual seconds in which agents may come to their end: they cost nothing."""


def check_seconds(seconds: object, name: str = "within") -> None:
    """That it is a number of seconds, not endless; else `InvalidLimit`."""
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or not 0 <= cast("float", seconds) < math.inf:
        raise InvalidLimit(f"{name}={seconds!r}: give a number of seconds, 0 or more")


class Waiter:
    """Lets the agents of one system go on, until something is seen or a time is over."""

    def __init__(self, system: ActorSystem, record: Record) -> None:
        self._stopped = system._stopped
        self._engine = system._engine
        self._dispatcher = self._engine.dispatcher
        self._clock = self._engine.clock
        self._record = record

    @property
    def virtual(self) -> bool:
        return self._dispatcher.simulated

    def patience(self, within: float | None) -> float:
        """The seconds to wait for what is expected `within` so many. Raises `InvalidLimit`."""
        if within is None:
            return 0.0 if self.virtual else PATIENCE
        check_seconds(within)
        return within

    def pass_time(self, seconds: float) -> None:
        """Let `seconds` pass, and everything happen that is due meanwhile."""
        self._wait(Gate(), seconds)

    def settle(self) -> None:
        """Let happen what can happen now.

        Virtual time stands still meanwhile. On threads the agents are let run until they are idle,
        or have had nothing to run for `QUIET` seconds, for `PATIENCE` seconds at most.
        """
        if self.virtual:
            self.pass_time(0)
            return
        idle = self._engine.when_idle()
        ends = self._clock.monotonic() + PATIENCE
        while self._clock.monotonic() < ends:
            before = self._dispatcher.lull()
            if self._wait(idle, QUIET) or self._stopped.is_open:
                return
            if before is not None and self._dispatcher.lull() == before:
                return

    def first(
        self, within: float, fits: Callable[[Seen], bool], start: int = 0
    ) -> tuple[int, Seen] | None:
        """The first thing seen, from the `start`-th on, that `fits`, and its place: at once, or as
        soon as it is published `within` seconds. `fits` is asked once about each."""
        # A timer, and not a time left that is computed anew after each event: sums of floats are
        # not exact, and what is due at the very end would be missed now and then.
        over = Gate()
        over.then(self._record.wake)
        timer = self._clock.call_later(within, over.open)
        try:
            late = False
            while True:
                # Before looking: what is published while we look opens it.
                news = self._record.news()
                for seen in self._record.since(start):
                    if fits(seen):
                        return start, seen
                    start += 1
                if late:
                    return None
                # When it is over, the rest of that instant is still to happen.
                late = not self._wait(news, 0 if over.is_open else None)
        finally:
            timer.cancel()

    def _wait(self, gate: Gate, seconds: float | None) -> bool:
        """Whether `gate` opened. In a system that has stopped nothing will open any."""
        return not self._stopped.is_open and self._dispatcher.wait(gate, seconds)
