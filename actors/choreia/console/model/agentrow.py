"""An agent at one moment: its counters, what they were before, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Final

from choreia.console.model.frame import pressure
from choreia.console.model.moment import Moment, rate_of
from choreia.console.model.wording import rate, span
from choreia.runtime.inspection.reading import (
    Fields,
    amount_of,
    count_of,
    number_of,
    text_of,
    words_of,
)

LAGGING: Final = 100
"""Events that an agent may be behind the log before it is worth a word."""
LONG: Final = 1.0
"""Seconds that a handler may run before it is worth a word."""


class AgentRow:
    """One row of a frame. Whatever is not asked of it costs nothing."""

    def __init__(self, said: Fields, moment: Moment) -> None:
        self.said = said
        self.name = text_of(said, "name")
        self.moment = moment

    @property
    def state(self) -> str:
        return text_of(self.said, "state", "unknown")

    @property
    def pressure(self) -> float:
        return pressure(self.said)

    def rate(self, counter: str) -> float | None:
        """How much a counter of it grew a second."""
        before = self.moment.before
        former = None if before is None else before.agents.get(self.name)
        return rate_of(counter, self.said, former, self.moment.seconds)

    @cached_property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with it, in words, the worst first."""
        return tuple(self._faults())

    @property
    def why(self) -> str:
        """What is wrong, else what is worth knowing."""
        return "; ".join((*self.faults, *self._notes()))

    def text(self) -> str:
        """What filters look at."""
        said = self.said
        kind, handler = text_of(said, "class"), text_of(said, "handler")
        return f"{self.name} {self.state} {kind} {text_of(said, 'kind')} {handler} {self.why}"

    def _faults(self) -> Iterator[str]:
        said, state = self.said, self.state
        reason = text_of(said, "suspected")
        if reason:
            yield f"suspected: {reason}{self._in_hand()}"
        elif state == "dead":
            yield "dead: it handles nothing any more"
        on = words_of(said, "parked_on")
        if on:
            yield f"parked on {', '.join(map(self._full, on))}"
        elif state == "parked":
            yield "parked: it waits for room"
        if state == "backoff":
            yield f"backing off{self._in_hand()}"
        dropped = self.rate("dropped")
        if dropped:
            yield f"dropped {rate(dropped)}/s"
        failed = self.rate("failed")
        if failed:
            yield f"fails {rate(failed)}/s"
        yield from self._crowding()

    def _crowding(self) -> Iterator[str]:
        waiting, lag = count_of(self.said, "parked"), count_of(self.said, "lag")
        if waiting:
            yield f"{waiting:,} {'waits' if waiting == 1 else 'wait'} for room here"
        elif count_of(self.said, "capacity") and self.pressure >= 1:
            yield "full"
        if lag >= LAGGING:
            yield f"lags {lag:,}"

    def _notes(self) -> Iterator[str]:
        if self.state == "paused":
            yield "paused by somebody"
        if not self.faults and amount_of(self.said, "handler_seconds") >= LONG:
            yield f"at work{self._in_hand()}"

    def _in_hand(self) -> str:
        handler, seconds = text_of(self.said, "handler"), number_of(self.said, "handler_seconds")
        if not handler:
            return ""
        return f" in {handler}" + (f" for {span(seconds)}" if seconds else "")

    def _full(self, name: str) -> str:
        other = self.moment.frame.agents.get(name)
        if other is None:
            return name
        size, capacity = count_of(other, "size"), count_of(other, "capacity")
        return f"{name} ({'full ' if size >= capacity else ''}{size:,}/{capacity:,})"
