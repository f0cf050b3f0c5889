"""Rows with a selection: filtered, sorted and scrolled.

Filtering and sorting is done when the rows change, not when they are drawn; and only the rows that
are seen are made into text. The selection stays with its row wherever that moves to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from choreia.console.model.column import GAP, Column, Placed, Value, place
from choreia.console.model.face import Face
from choreia.console.model.filtering import Filter
from choreia.console.model.line import Line, Span, drop, fit, styled

R = TypeVar("R")
GUTTER = 3
"""Cells before a row: whether it is selected, and whether something is wrong with it."""
SHIFT = 8
"""Cells that a list without columns is scrolled to the side at once."""


class Listing(Generic[R]):
    """A table, or, without a `headline`, lines of text.

    `key` names a row for as long as it is there; `text` is what filters look at; `is_fault` tells
    rows with which something is wrong.
    """

    def __init__(
        self,
        face: Face,
        columns: Sequence[Column[R]],
        *,
        key: Callable[[R], str],
        text: Callable[[R], str],
        is_fault: Callable[[R], bool],
        headline: bool = True,
    ) -> None:
        self.columns = columns
        self.shown: list[R] = []
        self.filter: Filter | None = None
        self.faults_only = False
        self.sorted_by: Column[R] | None = None
        self.reverse = False
        self._face = face
        self._key, self._text, self._is_fault = key, text, is_fault
        self._headline = headline
        self._rows: Sequence[R] = ()
        self._index = 0
        self._selected: str | None = None
        self._top = 0
        self._page = 10
        self._shift = 0

    # -- the rows ---------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        return len(self._rows)

    @property
    def selected(self) -> R | None:
        return self.shown[self._index] if self.shown else None

    def set(self, rows: Sequence[R]) -> None:
        """These are the rows now."""
        self._rows = rows
        self.arrange()

    def arrange(self) -> None:
        """Filter and sort anew. The selection stays with its row, else goes to the next one."""
        self.shown = self._ordered([row for row in self._rows if self._is_meant(row)])
        index = self._find(self._selected)
        self._select(self._index if index is None else index)

    def _is_meant(self, row: R) -> bool:
        if self.faults_only and not self._is_fault(row):
            return False
        return self.filter is None or self.filter.matches(self._text(row))

    def _ordered(self, rows: list[R]) -> list[R]:
        column = self.sorted_by
        if column is None:
            return rows[::-1] if self.reverse else rows
        valued: list[tuple[Value, R]] = [(column.value(row), row) for row in rows]
        there = [pair for pair in valued if pair[0] is not None]
        down = column.largest_first is not self.reverse
        there.sort(key=_by_value, reverse=down)
        return [row for _, row in there] + [row for value, row in valued if value is None]

    def _find(self, key: str | None) -> int | None:
        if key is None:
            return None
        if self._index < len(self.shown) and self._key(self.shown[self._index]) == key:
            return self._index
        found = (index for index, row in enumerate(self.shown) if self._key(row) == key)
        return next(found, None)

    def _select(self, index: int) -> None:
        self._index = max(0, min(index, len(self.shown) - 1))
        if self.shown:
            self._selected = self._key(self.shown[self._index])

    # -- keys -------------------------------------------------------------------------------------

    def press(self, key: str) -> bool:
        """Move, sort, look for faults. Whether the key was one of these."""
        moves = {
            "j": 1, "down": 1, "k": -1, "up": -1,
            "pagedown": self._page, "pageup": -self._page,
            "g": -len(self.shown), "home": -len(self.shown),
            "G": len(self.shown), "end": len(self.shown),
        }  # fmt: skip
        if key in moves:
            self._select(self._index + moves[key])
        elif key in ("s", "S") and self._headline:
            self._sort(key)
        elif key == "z":
            self.faults_only = not self.faults_only
            self.arrange()
        elif key == "n":
            self._next_fault()
        elif key in ("left", "right") and not self._headline:
            self._shift = max(0, self._shift + (SHIFT if key == "right" else -SHIFT))
        else:
            return False
        return True

    def _sort(self, key: str) -> None:
        if key == "S":
            self.reverse = not self.reverse
        else:
            order: list[Column[R] | None] = [None, *self.columns]
            place = order.index(self.sorted_by) if self.sorted_by in order else 0
            self.sorted_by = order[(place + 1) % len(order)]
            self.reverse = False
        self.arrange()

    def _next_fault(self) -> None:
        count = len(self.shown)
        for step in range(1, count + 1):
            index = (self._index + step) % count
            if self._is_fault(self.shown[index]):
                self._select(index)
                return

    def has_fault(self) -> bool:
        return any(map(self._is_fault, self.shown))

    def select(self, wanted: Callable[[R], bool]) -> None:
        """Go to the first row that is wanted, if there is one."""
        for index, row in enumerate(self.shown):
            if wanted(row):
                self._select(index)
                return

    def select_last(self) -> None:
        self._select(len(self.shown) - 1)

    # -- lines ------------------------------------------------------------------------------------

    def lines(self, width: int, height: int, empty: str) -> list[Line]:
        """Exactly `height` lines; `empty` says why there are none to see."""
        placed = place(self.columns, width - GUTTER)
        drawn = [self._head(placed, width)] if self._headline and height > 1 else []
        room = height - len(drawn)
        self._scroll(room)
        seen = range(self._top, min(self._top + room, len(self.shown)))
        drawn += [self._line(index, placed, width) for index in seen]
        if not self.shown and room:
            drawn.append(self._face.fit((Span(" " * GUTTER), Span(empty, "dim")), width))
        return drawn + [fit((), width)] * (height - len(drawn))

    def _head(self, placed: Sequence[Placed[R]], width: int) -> Line:
        spans = [Span(" " * GUTTER)]
        for one in placed:
            spans += (one.title(self._mark(one.column), self._face.ellipsis), _BLANK)
        return self._face.fit(spans, width)

    def _line(self, index: int, placed: Sequence[Placed[R]], width: int) -> Line:
        row, spans = self.shown[index], [*self._gutter(index)]
        if self._headline:
            for one in placed:
                spans += (*one.cells(row, self._face.ellipsis), _BLANK)
        else:
            spans += drop(self.columns[0].cell(row, width), self._shift)
        line = self._face.fit(spans, width)
        return styled(line, "selected") if index == self._index else line

    def _gutter(self, index: int) -> Line:
        selected = self._face.sign("selected") if index == self._index else " "
        fault = self._is_fault(self.shown[index])
        return (
            Span(selected, "accent" if index == self._index else ""),
            Span(self._face.sign("fault") if fault else " ", "bad" if fault else ""),
            _BLANK,
        )

    def _mark(self, column: Column[R]) -> str:
        if column is not self.sorted_by:
            return ""
        return self._face.sign("down" if column.largest_first is not self.reverse else "up")

    def _scroll(self, room: int) -> None:
        self._page = max(1, room)
        self._top = min(self._top, self._index, max(0, len(self.shown) - room))
        self._top = max(self._top, self._index - room + 1)

    # -- words ------------------------------------------------------------------------------------

    def status(self) -> str:
        """What is shown of how much, and in what order."""
        parts = [f"{len(self.shown):,} of {self.total:,}"] if self._is_narrowed else []
        if self.filter is not None:
            parts.append(f"/{self.filter.said}")
        if self.faults_only:
            parts.append("faults only")
        if self.sorted_by is not None:
            parts.append(f"by {self.sorted_by.name}{' reversed' if self.reverse else ''}")
        elif self.reverse:
            parts.append("reversed")
        return ", ".join(parts)

    @property
    def _is_narrowed(self) -> bool:
        return self.filter is not None or self.faults_only

    def document(self) -> list[dict[str, Value]]:
        """All rows that are meant, for a program."""
        return [{one.name: one.value(row) for one in self.columns} for row in self.shown]


_BLANK = Span(" " * GAP)


def _by_value(pair: tuple[Value, object]) -> tuple[bool, str, float]:
    value = pair[0]
    return (True, value, 0.0) if isinstance(value, str) else (False, "", value or 0.0)
