"""Which columns there is room for."""

from __future__ import annotations

from choreia.console.model.column import Column, place
from choreia.console.model.line import Span


def column(name: str, least: int, most: int, rank: int, *, right: bool = False) -> Column[str]:
    return Column(name, len, lambda row, _: (Span(row),), least, most, rank, right=right)


COLUMNS = (column("name", 8, 12, 0), column("rate", 6, 6, 2, right=True), column("why", 10, 400, 1))


def widths(width: int) -> dict[str, int]:
    return {one.column.name: one.width for one in place(COLUMNS, width)}


def test_with_room_enough_all_are_there_and_one_takes_the_rest() -> None:
    assert widths(60) == {"name": 12, "rate": 6, "why": 40}


def test_those_that_matter_least_are_left_out() -> None:
    assert widths(25) == {"name": 12, "why": 12}
    assert widths(18) == {"name": 12}


def test_one_is_there_however_little_room_there_is() -> None:
    assert widths(3) == {"name": 3}


def test_columns_stay_in_their_order() -> None:
    assert list(widths(60)) == ["name", "rate", "why"]


def test_numbers_stand_at_the_right() -> None:
    left, right = place((column("a", 5, 5, 0), column("b", 5, 5, 1, right=True)), 20)
    assert "".join(span.text for span in left.cells("xy", "…")) == "xy   "
    assert "".join(span.text for span in right.cells("xy", "…")) == "   xy"
    assert "".join(span.text for span in right.cells("too long", "…")) == "too …"
    assert right.title("", "…").text == "    b"
