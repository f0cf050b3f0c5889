"""`Probe`: an ear on some events, from the moment it is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from choreia.actors.testing.explaining import not_published, published
from choreia.actors.testing.waiting import check_seconds
from choreia.runtime.errors import ExpectationFailed
from choreia.runtime.events.event import Event

if TYPE_CHECKING:
    from choreia.actors.testing.explaining import Circumstances
    from choreia.actors.testing.matching import Expectation, Judgement
    from choreia.actors.testing.recording import Record, Seen
    from choreia.actors.testing.waiting import Waiter


class Probe:
    """The events of a pattern since it was made, those that the test simulates among them.

    Reading it (`events`, `len`, iterating) first lets happen what can happen now, without letting
    time pass. The runtime's own events are among them if the pattern's first segment names them.
    """

    def __init__(
        self, expectation: Expectation, record: Record, waiter: Waiter, where: Circumstances
    ) -> None:
        self._expectation = expectation
        self._record = record
        self._waiter = waiter
        self._where = where
        self._start = self._next = len(record)

    @property
    def events(self) -> list[Event]:
        """All of them, in the order they were published."""
        self._waiter.settle()
        return [
            seen.event
            for seen in self._record.since(self._start)
            if self._expectation.judge(seen.event).fits
        ]

    def next(self, within: float | None = None) -> Event:
        """The next one that `next` has not returned yet, if it comes within so many seconds.

        The default is that of `EventTestHarness.expect`. Raises `ExpectationFailed`.
        """
        __tracebackhide__ = True
        patience = self._waiter.patience(within)
        judged: list[tuple[Seen, Judgement]] = []

        def fits(seen: Seen) -> bool:
            judged.append((seen, self._expectation.judge(seen.event)))
            return judged[-1][1].fits

        found = self._waiter.first(patience, fits, self._next)
        if found is None:
            raise ExpectationFailed(
                not_published(self._expectation, patience, judged, self._where, self._notes())
            )
        place, seen = found
        self._next = place + 1
        self._record.returned(seen.event)
        return seen.event

    def expect_none(self, within: float = 0) -> None:
        """Check that there is none, besides those that `next` returned, for so many seconds.

        Raises `ExpectationFailed`, with the `event`.
        """
        __tracebackhide__ = True
        check_seconds(within)
        self._waiter.settle()

        def offends(seen: Seen) -> bool:
            return self._expectation.judge(seen.event).fits

        found = self._waiter.first(within, offends, self._next)
        if found is not None:
            text = published(self._expectation, within, found[1], None, self._where)
            raise ExpectationFailed(text, event=found[1].event)

    def _notes(self) -> list[str]:
        before = self._record.since(self._start)[: self._next - self._start]
        count = sum(self._expectation.judge(seen.event).fits for seen in before)
        return [f"{count} came before, and next() returned them"] if count else []

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)
