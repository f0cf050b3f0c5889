"""Cases: how each stands, what is done of it and undone, and until when it waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from choreia.console.model.cells import numbers, words
from choreia.console.model.column import Column
from choreia.console.model.face import Face
from choreia.console.model.line import Line, Span
from choreia.console.model.listing import Listing
from choreia.console.model.moment import Moment
from choreia.console.model.poll import Poll
from choreia.console.model.screen import Screen
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject
from choreia.console.model.wording import many, span
from choreia.runtime.inspection.frames import Problem
from choreia.runtime.inspection.reading import (
    Fields,
    count_of,
    flag_of,
    number_of,
    rows_of,
    text_of,
)

EVERY: Final = 2.0
LIMIT: Final = 100
STEPS: Final = 20
"""Cells for the steps of a case."""
_VERDICTS: Final = {
    "running": ("live", "accent"),
    "waiting": ("wait", ""),
    "stuck": ("fault", "bad"),
    "completed": ("good", "good"),
    "compensated": ("compensated", "warn"),
    "died": ("bad", "dead"),
}
_STEPS: Final = {
    "done": "good", "doing": "accent", "failed": "bad", "compensated": "warn", "tombstoned": "dim"
}  # fmt: skip


class Cases(Screen[Fields]):
    """View 4. `trace` shows what came of what in one."""

    title = "Cases"

    def __init__(self, stage: Stage, trace: Callable[[str], None]) -> None:
        face = stage.face
        columns: Sequence[Column[Fields]] = (
            Column("verdict", verdict_of, lambda row, _: verdict(face, verdict_of(row)), 13, 13, 0),
            words("case", face, _id, least=10, most=26, rank=1, is_id=True),
            words("type", face, lambda row: text_of(row, "type"), least=8, most=28, rank=4),
            Column("steps", _progress, lambda row, width: _bar(face, row, width), 10, STEPS, 2),
            self._deadline(),
            words("undone", face, undone, least=9, most=18, rank=6, style="warn"),
            numbers("events", lambda row: count_of(row, "events"), many, width=6, rank=8),
            numbers("took", lambda row: number_of(row, "duration"), span, width=7, rank=7),
            words("reason", face, lambda row: text_of(row, "reason"), least=20, most=400, rank=3),
        )
        listing = Listing(face, columns, key=_id, text=_text, is_fault=_is_fault)
        super().__init__(stage, listing)
        self._trace = trace
        self._poll = Poll(EVERY)
        self._came = False
        self._now = 0.0  # as the watched system has it: a simulated one has a time of its own

    def opened(self) -> None:
        self._poll.reset()
        self._ask()

    def reload(self) -> None:
        self.opened()

    def tick(self) -> None:
        self._ask()

    def _ask(self) -> None:
        if self._poll.due(self.stage.now):
            self.stage.call(self.number, "cases", "cases", limit=LIMIT)

    def answer(self, what: str, data: Fields | None, problem: Problem | None) -> None:
        self._poll.answered()
        self.problem = "" if problem is None else problem.message
        if data is not None and not (self.stage.paused and self._came):
            self._came = True
            self.listing.set(rows_of(data, "cases"))

    def show(self, moment: Moment) -> None:
        self._now = moment.frame.time

    def enter(self, row: Fields) -> None:
        self._trace(_id(row))

    def subject(self) -> Subject:
        row = self.listing.selected
        return Subject() if row is None else Subject(_id(row), "", _id(row))

    def empty(self) -> str:
        return "no cases yet" if self._came else "waiting for the cases"

    def _deadline(self) -> Column[Fields]:
        def cell(row: Fields, _: int) -> Line:
            until = deadline(row)
            if until is None:
                return ()
            left = until - self._now
            said = f"in {span(left)}" if left >= 0 else f"{span(-left)} late"
            return (Span(said, "bad" if left < 0 else "warn" if left < 5 else ""),)

        return Column("deadline", deadline, cell, 11, 11, 5)


def verdict(face: Face, word: str) -> Line:
    """How a case stands: sign and word."""
    sign, style = _VERDICTS.get(word, ("none", ""))
    return (Span(f"{face.sign(sign)} {face.clean(word, 12)}", style),)


def verdict_of(row: Fields) -> str:
    return text_of(row, "verdict", "unknown")


def deadline(row: Fields) -> float | None:
    """Until when it waits, at the earliest."""
    untils = (number_of(wait, "until") for wait in rows_of(row, "waits"))
    return min((until for until in untils if until is not None), default=None)


def undone(row: Fields) -> str:
    """Of its steps: how many were undone, and how many should have been."""
    steps = rows_of(row, "steps")
    back = sum(text_of(step, "state") == "compensated" for step in steps)
    owed = sum(flag_of(step, "owed") for step in steps)
    parts = (f"{back} undone" if back else "", f"{owed} owed" if owed else "")
    return ", ".join(filter(None, parts))


def _id(row: Fields) -> str:
    return text_of(row, "case")


def _progress(row: Fields) -> float | None:
    steps = rows_of(row, "steps")
    done = sum(text_of(step, "state") == "done" for step in steps)
    return done / len(steps) if steps else None


def _bar(face: Face, row: Fields, width: int) -> Line:
    return tuple(_signs(face, rows_of(row, "steps")[:width]))


def _signs(face: Face, steps: list[Fields]) -> Iterator[Span]:
    for step in steps:
        state = text_of(step, "state")
        style = "bad" if flag_of(step, "owed") else _STEPS.get(state, "")
        sign = face.sign(state) if state in _STEPS else "?"
        yield Span(f"[{sign}]" if flag_of(step, "pivot") else sign, style)


def _is_fault(row: Fields) -> bool:
    wrong = verdict_of(row) in ("stuck", "died") or count_of(row, "dead_letters") > 0
    return wrong or any(flag_of(step, "owed") for step in rows_of(row, "steps"))


def _text(row: Fields) -> str:
    names = " ".join(text_of(step, "name") for step in rows_of(row, "steps"))
    reason = text_of(row, "reason")
    return f"{verdict_of(row)} {_id(row)} {text_of(row, 'type')} {names} {undone(row)} {reason}"
