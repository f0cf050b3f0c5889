"""Copies of what filters are written in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import cast

import pytest

from choreia.runtime.errors import InvalidFilter
from choreia.runtime.events.operand import copy_mapping


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    ONE = 1


def test_the_copy_is_deep_plain_and_equal() -> None:
    inner = [1, {"a": "b"}]
    written = MappingProxyType(
        {"x": inner, "y": (1.5, None, True), "z": Colour.RED, "n": Level.ONE}
    )
    copy = copy_mapping(written)
    assert copy == {"x": [1, {"a": "b"}], "y": [1.5, None, True], "z": "red", "n": 1}
    assert type(copy) is dict
    assert type(copy["z"]) is str
    assert type(copy["n"]) is int
    inner.append(2)
    assert copy["x"] == [1, {"a": "b"}]


@pytest.mark.parametrize(
    ("written", "path", "fault"),
    [
        (None, "", "it is a mapping of paths to conditions, not None"),
        ("payload.x", "", "it is a mapping of paths to conditions, not 'payload.x'"),
        ([{"a": 1}], "", "it is a mapping of paths to conditions"),
        ({1: 2}, "", "the key 1 is no path and no operator"),
        ({"": 2}, "", "the key '' is no path and no operator"),
        ({"a": {"b": {None: 1}}}, "a.b", "the key None is no path"),
        ({"a": {1, 2}}, "a", "is no JSON value"),
        ({"a": [0, {"b": date(2024, 1, 1)}]}, "a[1].b", "is no JSON value"),
        ({"a": b"bytes"}, "a", "b'bytes' is no JSON value"),
        ({"a": float("nan")}, "a", "nan never occurs in an event: give a finite number"),
        ({"a": [float("-inf")]}, "a[0]", "-inf never occurs in an event"),
    ],
)
def test_what_is_no_filter_is_refused_naming_the_place(
    written: object, path: str, fault: str
) -> None:
    with pytest.raises(InvalidFilter, match=fault) as caught:
        copy_mapping(written)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"filter at {path}: " if path else "filter: ")


def test_depth_is_limited() -> None:
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(InvalidFilter, match="nested deeper than 64 levels"):
        copy_mapping({"payload.x": deep})


def test_a_mapping_that_holds_itself_is_refused() -> None:
    round_about: dict[str, object] = {}
    round_about["a"] = round_about
    with pytest.raises(InvalidFilter, match="does it hold itself"):
        copy_mapping(round_about)


def test_shared_lists_cannot_unfold_without_end() -> None:
    wide: object = 1
    for _ in range(40):
        wide = [wide] * 10  # 10**40 values
    with pytest.raises(InvalidFilter, match="more than 100,000 values"):
        copy_mapping({"payload.x": {"$in": wide}})


def test_messages_stay_short() -> None:
    with pytest.raises(InvalidFilter) as caught:
        copy_mapping(cast("Mapping[str, object]", {"a": {"x" * 10_000}}))
    assert len(str(caught.value)) < 200
