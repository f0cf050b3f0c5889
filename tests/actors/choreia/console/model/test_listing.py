"""A selection that stays with its row, whatever moves around it."""

from __future__ import annotations

from choreia.console.model.cells import numbers, words
from choreia.console.model.column import Column
from choreia.console.model.face import Face
from choreia.console.model.filtering import read
from choreia.console.model.line import Span
from choreia.console.model.listing import Listing

FACE = Face(ascii=False)
Row = tuple[str, int | None]


def listing(*names: str, headline: bool = True) -> Listing[Row]:
    columns: list[Column[Row]] = [
        words("name", FACE, lambda row: row[0], least=8, most=12, rank=0),
        numbers("size", lambda row: row[1], str, width=5, rank=1),
    ]
    made: Listing[Row] = Listing(
        FACE,
        columns,
        key=lambda row: row[0],
        text=lambda row: row[0],
        is_fault=lambda row: row[0].startswith("bad"),
        headline=headline,
    )
    made.set([(name, len(name)) for name in names])
    return made


def press(made: Listing[Row], *keys: str) -> None:
    for key in keys:
        assert made.press(key)


def selected(made: Listing[Row]) -> str | None:
    return None if made.selected is None else made.selected[0]


def drawn(made: Listing[Row], width: int = 30, height: int = 4) -> list[str]:
    lines = made.lines(width, height, "nothing")
    return ["".join(span.text for span in line).rstrip() for line in lines]


def test_it_is_moved_through_by_rows_pages_and_to_the_ends() -> None:
    made = listing(*"abcdefgh")
    drawn(made, height=4)  # three rows are seen
    for keys, name in (
        ("j", "b"), ("down", "c"), ("k", "b"), ("up", "a"), ("k", "a"), ("pagedown", "d"),
        ("pagedown", "g"), ("pageup", "d"), ("G", "h"), ("j", "h"), ("g", "a"), ("end", "h"),
        ("home", "a"),
    ):  # fmt: skip
        press(made, keys)
        assert selected(made) == name


def test_the_selected_row_is_in_sight_and_marked() -> None:
    made = listing(*"abcdefgh")
    press(made, "G")
    assert drawn(made)[1:] == [
        "   f                1",
        "   g                1",
        "▸  h                1",
    ]
    assert all("selected" in span.style for span in made.lines(30, 4, "")[-1])
    press(made, "g")
    assert drawn(made)[1].startswith("▸  a")


def test_the_selection_stays_with_its_row() -> None:
    made = listing("a", "b", "c")
    press(made, "j")
    made.set([("b", 1), ("x", 1), ("a", 1)])
    assert selected(made) == "b"
    made.set([("x", 1), ("a", 1), ("y", 1), ("b", 1)])
    assert selected(made) == "b"


def test_when_its_row_is_gone_the_next_one_is_taken() -> None:
    made = listing("a", "b", "c")
    press(made, "j")
    made.set([("a", 1), ("c", 1)])
    assert selected(made) == "c"
    made.set([("a", 1)])
    assert selected(made) == "a"
    made.set([])
    assert selected(made) is None
    made.set([("q", 1)])
    assert selected(made) == "q"


def test_s_sorts_by_one_column_after_the_other_and_then_not() -> None:
    made = listing("bb", "a", "cccc")
    press(made, "s")
    assert [row[0] for row in made.shown] == ["a", "bb", "cccc"]
    assert drawn(made)[0] == "   ▴name         size"
    press(made, "s")
    assert [row[0] for row in made.shown] == ["cccc", "bb", "a"]
    assert made.status() == "by size"
    press(made, "S")
    assert [row[0] for row in made.shown] == ["a", "bb", "cccc"]
    assert made.status() == "by size reversed"
    press(made, "s")
    assert [row[0] for row in made.shown] == ["bb", "a", "cccc"]
    press(made, "S")
    assert [row[0] for row in made.shown] == ["cccc", "a", "bb"]


def test_what_has_no_value_comes_last_either_way() -> None:
    made = listing()
    made.set([("none", None), ("one", 1), ("two", 2)])
    press(made, "s", "s")
    assert [row[0] for row in made.shown] == ["two", "one", "none"]
    press(made, "S")
    assert [row[0] for row in made.shown] == ["one", "two", "none"]


def test_rows_are_narrowed_by_a_filter_and_to_faults() -> None:
    made = listing("a", "bad 1", "b", "bad 2")
    press(made, "z")
    assert [row[0] for row in made.shown] == ["bad 1", "bad 2"]
    made.filter = read("2")
    made.arrange()
    assert made.status() == "1 of 4, /2, faults only"
    press(made, "z")
    assert [row[0] for row in made.shown] == ["bad 2"]


def test_n_goes_to_the_next_fault_and_round() -> None:
    made = listing("a", "bad 1", "b", "bad 2")
    press(made, "n")
    assert selected(made) == "bad 1"
    press(made, "n")
    assert selected(made) == "bad 2"
    press(made, "n")
    assert selected(made) == "bad 1"
    assert drawn(made)[2].startswith("▸! bad 1")


def test_why_nothing_is_seen_is_said() -> None:
    assert drawn(listing(), height=3) == ["   name          size", "   nothing", ""]


def test_a_list_of_text_has_no_head_and_is_scrolled_sideways() -> None:
    made = listing("a long line of text", headline=False)
    assert drawn(made, 30, 2) == ["▸  a long line of text", ""]
    press(made, "right")
    assert drawn(made, 30, 2)[0] == "▸  ine of text"
    press(made, "left", "left")
    assert drawn(made, 30, 2)[0] == "▸  a long line of text"
    assert not made.press("s")


def test_only_rows_in_sight_are_made_into_text() -> None:
    made: list[int] = []

    def cell(row: int, _: int) -> tuple[Span, ...]:
        made.append(row)
        return (Span(str(row)),)

    column: Column[int] = Column("n", lambda row: row, cell, 5, 5, 0)
    rows: Listing[int] = Listing(
        FACE, (column,), key=str, text=str, is_fault=lambda _: False
    )  # fmt: skip
    rows.set(range(5_000))
    rows.lines(40, 11, "")
    assert made == list(range(10))
