"""Columns of a table: which there is room for, and how wide each is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import attrs

from choreia.console.model.line import Line, Span, cut, fit, width_of

R = TypeVar("R")
Value = str | float | int | None
"""What a row is sorted by, and what a program is told."""
GAP = 1
ENDLESS = 100
"""Cells from which on a column takes whatever there is."""


@attrs.frozen(eq=False)
class Column(Generic[R]):
    """One column of rows of one kind."""

    name: str
    value: Callable[[R], Value]
    """Text, or numbers; None, where there is nothing, is sorted behind all."""
    cell: Callable[[R, int], Line]
    """What is drawn, for so many cells."""
    least: int
    """Cells that it takes at least, or it is left out."""
    most: int
    rank: int
    """By which columns are left out where there is no room: those with the highest first."""
    right: bool = False
    """Numbers stand at the right."""
    largest_first: bool = False
    """How it is sorted at first."""


@attrs.frozen(eq=False)
class Placed(Generic[R]):
    """A column, and the cells it has."""

    column: Column[R]
    width: int

    def title(self, mark: str, ellipsis: str) -> Span:
        name = self.column.name
        # The mark of the sorted column comes before the name: the name may be cut.
        return Span(_placed(mark + name, self.width, self.column.right, ellipsis), "header")

    def cells(self, row: R, ellipsis: str) -> Line:
        spans = self.column.cell(row, self.width)
        if not self.column.right:
            return fit(spans, self.width, ellipsis)
        blank = self.width - sum(width_of(span.text) for span in spans)
        return fit((Span(" " * max(0, blank)), *spans), self.width, ellipsis)


def place(columns: Sequence[Column[R]], width: int) -> list[Placed[R]]:
    """The columns there is room for, in their order. The first by rank is there in any case."""
    chosen: list[Column[R]] = []
    room = width + GAP
    for column in sorted(columns, key=lambda one: one.rank):
        if column.least + GAP > room and chosen:
            break
        chosen.append(column)
        room -= column.least + GAP
    widths = {id(one): min(one.least, width) for one in chosen}
    # What is left goes to those that matter most, the endless ones last.
    for column in sorted(chosen, key=lambda one: (one.most >= ENDLESS, one.rank)):
        more = max(0, min(room, column.most - column.least))
        widths[id(column)] += more
        room -= more
    return [Placed(one, widths[id(one)]) for one in columns if id(one) in widths]


def _placed(text: str, width: int, right: bool, ellipsis: str) -> str:
    text = cut(text, width, ellipsis)
    return text.rjust(width) if right else text.ljust(width)
