"""Health: who is suspected and why, what could not be handled, and who began anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from choreia.console.model.cells import numbers, words
from choreia.console.model.column import Column
from choreia.console.model.face import Face
from choreia.console.model.finding import Finding, Kind, findings
from choreia.console.model.line import Line, Span, fit
from choreia.console.model.listing import Listing
from choreia.console.model.moment import Moment
from choreia.console.model.screen import Screen
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject, View
from choreia.console.model.views.findingdetail import FindingDetail
from choreia.console.model.wording import span

LOW: Final = 8
"""Lines below which there is no room for the stack of the selected."""
_STYLES: Final = {
    Kind.SUSPECTED: ("suspected", "bad"),
    Kind.LETTER: ("bad", "dead"),
    Kind.RESTARTED: ("compensated", "warn"),
}


class Health(Screen[Finding]):
    """View 6. `open` shows something on top."""

    title = "Health"
    parts = frozenset({"health"})

    def __init__(self, stage: Stage, open: Callable[[View], None]) -> None:
        face = stage.face
        columns: Sequence[Column[Finding]] = (
            Column("what", lambda row: row.kind.value, lambda row, _: _kind(face, row), 13, 13, 0),
            words("agent", face, lambda row: row.agent, least=8, most=30, rank=1),
            numbers("since", self._age, span, width=7, rank=4),
            words("event", face, lambda row: row.type, least=10, most=30, rank=3),
            words("reason", face, lambda row: row.reason, least=10, most=400, rank=2),
        )
        listing: Listing[Finding] = Listing(
            face,
            columns,
            key=lambda row: row.key,
            text=lambda row: row.text,
            is_fault=lambda row: row.kind is not Kind.RESTARTED,
        )
        super().__init__(stage, listing)
        self._open = open
        self._asked = True
        self._now = 0.0

    def show(self, moment: Moment) -> None:
        self._asked, self._now = moment.frame.has("health"), moment.frame.time
        self.listing.set(findings(moment.frame.said))

    def press(self, key: str) -> bool:
        if key != "r":
            return super().press(key)
        row = self.listing.selected
        if row is None or not row.redeliverable:
            self.stage.say("no dead letter is selected that can be redelivered")
        else:
            args = {"agent": row.agent, "event": row.event}
            self.stage.change(f"redeliver {row.type} to {row.agent}", "redeliver", args)
        return True

    def enter(self, row: Finding) -> None:
        self._open(FindingDetail(self.stage, row))

    def subject(self) -> Subject:
        row = self.listing.selected
        if row is None:
            return Subject()
        return Subject(row.event or row.agent, row.agent, row.event, row.event)

    def empty(self) -> str:
        if not self._asked:
            return "this frame does not say what was wrong: that is asked only while it is seen"
        return "nothing is wrong: nobody is suspected, no dead letters, no restarts"

    def lines(self, width: int, height: int) -> list[Line]:
        row = self.listing.selected
        if row is None or height < LOW or not row.stack.strip():
            return super().lines(width, height)
        lower = height // 2
        return [*super().lines(width, height - lower), *self._stack(row, width, lower)]

    def _stack(self, row: Finding, width: int, height: int) -> list[Line]:
        face = self.face
        rule = face.sign("rule")
        title = f"{rule * 2} {face.clean(row.agent, 60)}: where it was (Enter: all) "
        drawn = [fit((Span(title + rule * width, "dim"),), width, "")]
        # What matters of a stack is its end.
        lines = row.stack.rstrip().splitlines()[-(height - 1) :]
        drawn += [face.fit((Span(face.clean(line)),), width) for line in lines]
        return drawn + [fit((), width)] * (height - len(drawn))

    def _age(self, row: Finding) -> float | None:
        if row.time is not None:
            return max(0.0, self._now - row.time)
        return row.seconds


def _kind(face: Face, row: Finding) -> Line:
    sign, style = _STYLES[row.kind]
    return (Span(f"{face.sign(sign)} {row.kind.value}", style),)
