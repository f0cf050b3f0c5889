"""Flows: who says what, who reacts to it, and what nobody hears."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from choreia.console.model.cells import numbers, words
from choreia.console.model.column import Column
from choreia.console.model.listing import Listing
from choreia.console.model.moment import Moment
from choreia.console.model.screen import Screen
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject
from choreia.console.model.wording import many, rate
from choreia.runtime.inspection.reading import (
    Fields,
    count_of,
    number_of,
    rows_of,
    text_of,
    words_of,
)

OWN: Final = ("agent.", "system.", "saga.", "case.", "event.")
"""How the types begin that the runtime says by itself, whether anybody listens or not."""


class Flows(Screen[Fields]):
    """View 2. `follow` shows the events of one topic."""

    title = "Flows"
    parts = frozenset({"flows"})

    def __init__(self, stage: Stage, follow: Callable[[str], None]) -> None:
        face = stage.face
        columns: Sequence[Column[Fields]] = (
            words("topic", face, _type, least=10, most=40, rank=0),
            numbers("rate/s", lambda row: number_of(row, "rate"), rate, width=7, rank=3),
            numbers("events", lambda row: count_of(row, "events"), many, width=7, rank=5),
            numbers("unheard", _unheard, many, width=7, rank=4, bad=True),
            words("emitters", face, _names("emitters"), least=10, most=36, rank=2),
            words("reactors", face, _names("reactors"), least=10, most=60, rank=1),
            words("why", face, _why, least=14, most=60, rank=6, style="warn"),
        )
        listing = Listing(face, columns, key=_type, text=_text, is_fault=_is_fault)
        super().__init__(stage, listing)
        self._follow = follow
        self._asked = True

    def show(self, moment: Moment) -> None:
        self._asked = moment.frame.has("flows")
        self.listing.set(rows_of(moment.frame.said, "flows"))

    def enter(self, row: Fields) -> None:
        self._follow(_type(row))

    def subject(self) -> Subject:
        row = self.listing.selected
        return Subject() if row is None else Subject(_type(row))

    def empty(self) -> str:
        if not self._asked:
            return "this frame has no flows: they are looked at only while they are seen"
        return "no flows: nothing was said yet, and no agent declares what it emits"


def _type(row: Fields) -> str:
    return text_of(row, "type")


def _names(field: str) -> Callable[[Fields], str]:
    return lambda row: ", ".join(words_of(row, field))


def _unheard(row: Fields) -> int:
    return count_of(row, "unheard")


def _is_fault(row: Fields) -> bool:
    return _unheard(row) > 0 and not words_of(row, "reactors") and not _type(row).startswith(OWN)


def _why(row: Fields) -> str:
    return "nobody reacts" if _is_fault(row) else ""


def _text(row: Fields) -> str:
    names = " ".join((*words_of(row, "emitters"), *words_of(row, "reactors")))
    return f"{_type(row)} {names} {_why(row)}"
