"""What differs between two values: all of it, nothing else, and under a path of its own."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia import Difference, difference
from choreia.actors.difference import MISSING, as_data


@attrs.frozen
class Line:
    item: str
    pieces: int = 1


@attrs.frozen
class Basket:
    lines: tuple[Line, ...] = ()
    notes: dict[str, str] = attrs.field(factory=dict)


@dataclasses.dataclass(frozen=True)
class Box:
    basket: Basket
    tags: frozenset[str] = frozenset()


LEAVES = st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.text("a.b[ ", max_size=2)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("a.b[ '", max_size=2) | st.integers(0, 2), inner, max_size=3)
        | st.builds(Line, inner, inner)
        | st.builds(Box, inner)
    ),
    max_leaves=12,
)


def copied(value: Any) -> Any:
    """The same, made anew."""
    if isinstance(value, list):
        return [copied(one) for one in value]
    if isinstance(value, dict):
        return {key: copied(one) for key, one in value.items()}
    if isinstance(value, Line):
        return Line(copied(value.item), copied(value.pieces))
    if isinstance(value, Box):
        return Box(copied(value.basket), value.tags)
    return value


@given(VALUES)
def test_nothing_differs_from_its_copy(value: object) -> None:
    assert difference(value, copied(value)) == ()


@given(VALUES, VALUES)
def test_each_side_sees_the_other_as_the_other_sees_it(one: object, other: object) -> None:
    there = {(d.path, repr(d.before), repr(d.after)) for d in difference(one, other)}
    back = {(d.path, repr(d.after), repr(d.before)) for d in difference(other, one)}
    assert there == back


@given(VALUES, VALUES)
def test_every_path_is_told_once_and_both_sides_really_differ(one: object, other: object) -> None:
    found = difference(one, other)
    assert len({d.path for d in found}) == len(found)
    assert all(difference(d.before, d.after) for d in found)
    if not found:
        assert repr(as_data(one)) == repr(as_data(other)) or one == other


@given(st.lists(LEAVES, max_size=4), st.integers(0, 3), LEAVES)
def test_one_change_is_one_difference(values: list[object], place: int, value: object) -> None:
    changed = list(values)
    changed[place : place + 1] = [value]
    place = min(place, len(values))
    before = values[place] if place < len(values) else MISSING
    expected = () if difference(before, value) == () else (f"[{place}]",)
    assert tuple(d.path for d in difference(values, changed)) == expected


def test_paths_and_sides() -> None:
    before = Box(Basket((Line("tea"), Line("mug", 2)), {"a.b": "x", "gone": "y"}))
    after = Box(Basket((Line("tea", 3),), {"a.b": "z", "new": "w"}), frozenset({"t"}))
    assert difference(before, after) == (
        Difference("basket.lines[0].pieces", 1, 3),
        Difference("basket.lines[1]", Line("mug", 2), MISSING),
        Difference("basket.notes['a.b']", "x", "z"),
        Difference("basket.notes.gone", "y", MISSING),
        Difference("basket.notes.new", MISSING, "w"),
        Difference("tags", frozenset(), frozenset({"t"})),
    )
    assert len(set(difference(before, after))) == 6, "hashable, as their sides are"
    assert difference(Line("tea"), Basket()) == (Difference("", Line("tea"), Basket()),)


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), ("1", 1), ([1], (1,)), (None, MISSING), ({}, [])]
)
def test_what_only_looks_alike_differs(one: object, other: object) -> None:
    assert difference(one, other) == (Difference("", one, other),)


def test_nan_is_nan_and_what_cannot_be_compared_is_told_by_how_it_is_written() -> None:
    class Array:
        def __init__(self, said: str) -> None:
            self.said = said

        def __eq__(self, other: object) -> bool:
            raise ValueError("ambiguous")

        def __repr__(self) -> str:
            return self.said

        __hash__ = None  # type: ignore[assignment]

    assert difference(math.nan, float("nan")) == ()
    assert difference(Array("[1]"), Array("[1]")) == ()
    assert [d.path for d in difference({"x": Array("[1]")}, {"x": Array("[2]")})] == ["x"]


def test_values_as_data() -> None:
    box = Box(Basket((Line("tea"),), {"a": "b"}), frozenset({"z", "a"}))
    assert as_data(box) == {
        "basket": {"lines": [{"item": "tea", "pieces": 1}], "notes": {"a": "b"}},
        "tags": ["a", "z"],
    }
    assert as_data({1: object}) == {"1": "<class 'object'>"}
