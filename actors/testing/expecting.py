"""Expectations put to what is published: one event, none, several in order."""

from __future__ import annotations

from collections.abc import Sequence

from choreia.actors.testing.explaining import (
    Circumstances,
    not_published,
    published,
    sequence_broken,
)
from choreia.actors.testing.matching import Expectation, Judgement
from choreia.actors.testing.own import counts
from choreia.actors.testing.recording import Record, Seen
from choreia.actors.testing.waiting import Waiter, check_seconds
from choreia.runtime.errors import ExpectationFailed
from choreia.runtime.events.event import Event

Judged = list[tuple[Seen, Judgement]]


class Expecting:
    """Puts expectations to one system. Raises `ExpectationFailed`."""

    def __init__(self, record: Record, waiter: Waiter, where: Circumstances) -> None:
        self._record = record
        self._waiter = waiter
        self._where = where

    def one(self, expectation: Expectation, within: float | None) -> Event:
        """The first event that counts and fits."""
        __tracebackhide__ = True
        patience = self._waiter.patience(within)
        judged: Judged = []

        def fits(seen: Seen) -> bool:
            if self._record.is_taken(seen.event) or not self._counts(expectation, seen):
                return False
            judgement = expectation.judge(seen.event)
            judged.append((seen, judgement))
            return judgement.fits

        found = self._waiter.first(patience, fits)
        if found is None:
            notes = self._notes(expectation)
            raise ExpectationFailed(
                not_published(expectation, patience, judged, self._where, notes)
            )
        return self._given(found[1].event)

    def none(self, expectation: Expectation, within: float) -> None:
        """No event that counts fits, nor may fit: one that the predicate fails over may."""
        __tracebackhide__ = True
        check_seconds(within)
        last = Judgement(type_fits=False)

        def offends(seen: Seen) -> bool:
            nonlocal last
            if self._record.is_taken(seen.event) or not self._counts(expectation, seen):
                return False
            last = expectation.judge(seen.event)
            return last.fits or last.raised

        if not self._waiter.virtual:  # in virtual time the present instant comes first anyway
            self._waiter.settle()
        found = self._waiter.first(within, offends)
        if found is not None:
            fault = last.faults[0] if last.raised else None
            text = published(expectation, within, found[1], fault, self._where)
            raise ExpectationFailed(text, event=found[1].event)

    def sequence(self, steps: Sequence[Expectation], within: float | None) -> list[Event]:
        """Events that fit the steps, in their order, of all that was ever seen."""
        __tracebackhide__ = True
        patience = self._waiter.patience(within)
        met: list[Seen] = []
        judged: Judged = []

        def completes(seen: Seen) -> bool:
            step = steps[len(met)]
            if not self._counts(step, seen):
                return False
            judgement = step.judge(seen.event)
            if not judgement.fits:
                judged.append((seen, judgement))
                return False
            met.append(seen)
            judged.clear()
            return len(met) == len(steps)

        if self._waiter.first(patience, completes) is None:
            early = self._too_early(steps[len(met)], met)
            raise ExpectationFailed(
                sequence_broken(steps, met, patience, judged, early, self._where)
            )
        return [self._given(seen.event) for seen in met]

    def _counts(self, expectation: Expectation, seen: Seen) -> bool:
        """Neither what the test itself said, nor what the runtime says and nobody asked for."""
        simulated = self._record.is_simulated(seen.event)
        return not simulated and counts(expectation.pattern, seen.event)

    def _given(self, event: Event) -> Event:
        self._record.returned(event)
        return event

    def _notes(self, expectation: Expectation) -> list[str]:
        """What would have fit, and why it does not count."""
        events = [seen.event for seen in self._record.since()]
        taken = [event for event in events if self._record.is_taken(event)]
        simulated = [event for event in events if self._record.is_simulated(event)]
        notes: list[str] = []
        if count := sum(expectation.judge(event).fits for event in taken):
            notes.append(
                f"{count} more {_was(count)} returned by an earlier expect, and something was "
                "simulated since"
            )
        if count := sum(expectation.judge(event).fits for event in simulated):
            notes.append(f"{count} that {_was(count)} simulated would fit, but does not count")
        return notes

    def _too_early(self, step: Expectation, met: Sequence[Seen]) -> Seen | None:
        """What would have been the next step, had it not come before the last one."""
        for seen in self._record.since():
            if seen not in met and self._counts(step, seen) and step.judge(seen.event).fits:
                return seen
        return None


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
