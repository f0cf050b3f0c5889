"""Agents: how they stand, their pressure against their capacity, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from choreia.console.model.agentrow import AgentRow
from choreia.console.model.cells import numbers, words
from choreia.console.model.column import Column
from choreia.console.model.face import Face
from choreia.console.model.history import SPARKS
from choreia.console.model.line import Line, Span
from choreia.console.model.listing import Listing
from choreia.console.model.moment import Moment
from choreia.console.model.screen import Screen
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject
from choreia.console.model.wording import many, rate, span
from choreia.runtime.inspection.reading import count_of, number_of, rows_of, text_of

BAR = 6
LEAST_SPARKS = 8


class Agents(Screen[AgentRow]):
    """View 1. `open` shows one agent closely."""

    title = "Agents"
    parts = frozenset({"agents"})

    def __init__(self, stage: Stage, open: Callable[[str], None]) -> None:
        listing = Listing(
            stage.face,
            columns(stage.face),
            key=lambda row: row.name,
            text=AgentRow.text,
            is_fault=lambda row: bool(row.faults),
        )
        super().__init__(stage, listing)
        self._open = open
        self._hidden = 0

    def show(self, moment: Moment) -> None:
        rows = rows_of(moment.frame.said, "agents")
        self._hidden = count_of(moment.frame.system, "agents") - len(rows)
        found = [AgentRow(one, moment) for one in rows]
        found.sort(key=lambda row: row.name)
        self.listing.set(found)

    def enter(self, row: AgentRow) -> None:
        self._open(row.name)

    def subject(self) -> Subject:
        row = self.listing.selected
        return Subject() if row is None else Subject(row.name, row.name)

    def note(self) -> str:
        return f"{self._hidden:,} more are not shown" if self._hidden > 0 else ""

    def empty(self) -> str:
        return "no agents: none are started yet, or the first frame has not come"


def columns(face: Face) -> Sequence[Column[AgentRow]]:
    """What is seen of an agent, from left to right."""
    return (
        words("name", face, lambda row: row.name, least=10, most=24, rank=0),
        Column("state", lambda row: row.state, lambda row, _: _state(face, row), 12, 12, 1),
        _mailbox(face),
        Column(
            "pressure",
            lambda row: row.pressure,
            lambda row, width: _sparks(face, row, width),
            LEAST_SPARKS,
            SPARKS,
            4,
            largest_first=True,
        ),
        numbers("in/s", lambda row: row.rate("received"), rate, width=6, rank=5),
        numbers("out/s", lambda row: row.rate("emitted"), rate, width=6, rank=6),
        numbers("p95", lambda row: number_of(row.said, "p95"), span, width=7, rank=7),
        numbers(
            "errors", lambda row: count_of(row.said, "failed"), many, width=6, rank=8, bad=True
        ),
        numbers("restarts", _restarts, many, width=8, rank=9, bad=True),
        numbers("beat", lambda row: number_of(row.said, "heartbeat_age"), span, width=7, rank=10),
        words("why", face, lambda row: row.why, least=30, most=400, rank=3, style="warn"),
    )


def _state(face: Face, row: AgentRow) -> Line:
    if text_of(row.said, "suspected"):
        return (Span(f"{face.sign('suspected')} suspected", "bad"),)
    return (face.state(row.state),)


def _mailbox(face: Face) -> Column[AgentRow]:
    def cell(row: AgentRow, width: int) -> Line:
        size, capacity = count_of(row.said, "size"), count_of(row.said, "capacity")
        numbers = f"{many(size)}/{many(capacity) if capacity else face.sign('none')}"
        bar = max(0, min(BAR, width - len(numbers) - 1))  # what is cut looks like something else
        return (Span(f"{numbers:>{width - bar - 1}} "), face.bar(row.pressure, bar))

    return Column("mailbox", lambda row: row.pressure, cell, 14, 18, 2, largest_first=True)


def _sparks(face: Face, row: AgentRow, width: int) -> Line:
    parts = row.moment.pressures(row.name)[-width:]
    worst = max(parts, default=0.0)
    style = "bar.low" if worst < 0.5 else "bar.mid" if worst < 0.9 else "bar.high"
    return (Span(face.spark(parts).rjust(width), style),)


def _restarts(row: AgentRow) -> int | None:
    incarnation = number_of(row.said, "incarnation")
    return None if incarnation is None else max(0, int(incarnation) - 1)
