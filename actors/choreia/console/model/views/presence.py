"""Presence: who is there, on which node, what each can do, and how much of it is free."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from choreia.console.model.cells import numbers, words
from choreia.console.model.column import Column
from choreia.console.model.face import Face
from choreia.console.model.line import Line, Span
from choreia.console.model.listing import Listing
from choreia.console.model.moment import Moment
from choreia.console.model.screen import Screen
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject
from choreia.console.model.wording import many
from choreia.runtime.inspection.reading import (
    Fields,
    amount_of,
    count_of,
    number_of,
    rows_of,
    text_of,
    words_of,
)

_WRONG = frozenset({"suspected", "dead"})
BAR = 6


class Presence(Screen[Fields]):
    """View 5. `open` shows one agent closely."""

    title = "Presence"
    parts = frozenset({"presence"})

    def __init__(self, stage: Stage, open: Callable[[str], None]) -> None:
        face = stage.face
        columns: Sequence[Column[Fields]] = (
            words("name", face, _name, least=8, most=30, rank=0),
            _status(face),
            _capacity(face),
            words("can", face, _list("capabilities"), least=10, most=40, rank=3),
            words("best at", face, _list("specializations"), least=10, most=40, rank=4),
            numbers("load", lambda row: number_of(row, "load"), _share, width=6, rank=5),
            words("node", face, lambda row: text_of(row, "node"), least=8, most=24, rank=6),
            numbers("restarts", _restarts, many, width=8, rank=7, bad=True),
        )
        listing = Listing(face, columns, key=_key, text=_text, is_fault=_is_fault)
        super().__init__(stage, listing)
        self._open = open
        self._asked = True

    def show(self, moment: Moment) -> None:
        self._asked = moment.frame.has("presence")
        self.listing.set(sorted(rows_of(moment.frame.said, "presence"), key=_name))

    def enter(self, row: Fields) -> None:
        self._open(_name(row))

    def subject(self) -> Subject:
        row = self.listing.selected
        return Subject() if row is None else Subject(text_of(row, "id"), _name(row))

    def empty(self) -> str:
        if not self._asked:
            return "this frame does not say who was there: that is asked only while it is seen"
        return "nobody is there"


def _status(face: Face) -> Column[Fields]:
    def cell(row: Fields, _: int) -> Line:
        wrong = _is_fault(row)
        sign = face.sign("bad" if wrong else "good")
        word = face.clean(text_of(row, "status", "unknown"), 14)
        return (Span(f"{sign} {word}", "bad" if wrong else "good"),)

    return Column("status", lambda row: text_of(row, "status") or None, cell, 12, 16, 1)


def _capacity(face: Face) -> Column[Fields]:
    def cell(row: Fields, _: int) -> Line:
        whole, free = amount_of(row, "capacity"), amount_of(row, "available_capacity")
        if not whole:
            return (Span(face.sign("none"), "dim"),)
        bar = face.bar((whole - free) / whole, BAR)
        return (Span(f"{f'{many(free)}/{many(whole)} free':>16} "), bar)

    def value(row: Fields) -> float | None:
        return number_of(row, "available_capacity")

    return Column("capacity", value, cell, 23, 23, 2, largest_first=True)


def _name(row: Fields) -> str:
    return text_of(row, "name")


def _key(row: Fields) -> str:
    return text_of(row, "id") or _name(row)


def _list(field: str) -> Callable[[Fields], str]:
    return lambda row: ", ".join(words_of(row, field))


def _share(load: float) -> str:
    return f"{load:.2f}" if load < 100 else many(load)


def _restarts(row: Fields) -> int:
    return max(0, count_of(row, "incarnation") - 1)


def _is_fault(row: Fields) -> bool:
    return text_of(row, "status") in _WRONG


def _text(row: Fields) -> str:
    able = " ".join((*words_of(row, "capabilities"), *words_of(row, "specializations")))
    return f"{_name(row)} {text_of(row, 'status')} {text_of(row, 'node')} {able}"
