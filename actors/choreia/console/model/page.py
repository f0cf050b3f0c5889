"""A screen of text: lines, some of which stand for an event, an agent or a case."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from choreia.console.model.column import Column
from choreia.console.model.line import Line, Span
from choreia.console.model.listing import Listing
from choreia.console.model.screen import Screen
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject

WIDEST = 100_000


@attrs.frozen(eq=False)
class Entry:
    """One line."""

    spans: Line
    key: str = ""
    """What stays the same of it when the page is made anew; "" is its place."""
    event: str = ""
    """The id of the event that it is about."""
    is_fault: bool = False

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


def entry(text: str, style: str = "", *, event: str = "", is_fault: bool = False) -> Entry:
    return Entry((Span(text, style),), event=event, is_fault=is_fault)


class Page(Screen[Entry]):
    """Lines one moves about in; they can be filtered, and scrolled sideways."""

    def __init__(self, stage: Stage, title: str) -> None:
        text: Column[Entry] = Column(
            "text", lambda row: row.text, lambda row, _: row.spans, 1, WIDEST, 0
        )
        listing = Listing(
            stage.face,
            (text,),
            key=lambda row: row.key,
            text=lambda row: row.text,
            is_fault=lambda row: row.is_fault,
            headline=False,
        )
        super().__init__(stage, listing)
        self.title = title

    def fill(self, entries: Sequence[Entry]) -> None:
        """This is the text now. Lines about an event are known by it, others by their place."""
        seen: set[str] = set()
        keyed: list[Entry] = []
        for place, one in enumerate(entries):
            key = one.key or (f"event {one.event}" if one.event else f"line {place}")
            key = f"line {place}" if key in seen else key
            seen.add(key)
            keyed.append(attrs.evolve(one, key=key))
        self.listing.set(keyed)

    def enter(self, row: Entry) -> None:
        if row.event:
            self.drill(row.event)

    def drill(self, event: str) -> None:
        """Look at an event of the page."""

    def subject(self) -> Subject:
        row = self.listing.selected
        event = "" if row is None else row.event
        return Subject(event, "", event, event)
