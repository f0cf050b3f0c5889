"""Filters and schemas: it says no only where no event could pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.insight.satisfying import can_match, first_impossible, may_have

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "x": {"type": "number"},
        "word": {"type": "string"},
        "size": {"enum": ["s", "m"]},
        "paid": {"type": "boolean"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"price": {"type": "integer"}}},
        },
        "tags": {"type": "array", "items": {"type": "string"}},
        "open": {},
        "by": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
}


@pytest.mark.parametrize(
    "filter",
    [
        {"payload.gone": 1},
        {"payload.gone": {"$exists": True}},
        {"payload.n": "1"},
        {"payload.n": {"$gte": "high"}},
        {"payload.n": {"$gt": 5, "$lt": 3}},
        {"payload.n": {"$gt": 5, "$lte": 5}},
        {"payload.n.deeper": 1},
        {"payload.n": True},
        {"payload.n": {"$prefix": "a"}},
        {"payload.n": None},
        {"payload.word": {"$gt": 5}},
        {"payload.word": {"$in": [1, 2]}},
        {"payload.size": "l"},
        {"payload.size": {"$in": ["l", "xl"]}},
        {"payload.size": {"$nin": ["s", "m"]}},
        {"payload.paid": 1},
        {"payload.note": 5},
        {"payload.lines.price": "1"},
        {"payload.lines.colour": "red"},
        {"payload.tags": 5},
        {"payload.by.anybody": "x"},
        {"type": "b"},
        {"type": {"$prefix": "b"}},
        {"$and": [{"payload.n": 1}, {"payload.gone": 1}]},
        {"$or": [{"payload.gone": 1}, {"payload.size": "l"}]},
    ],
)
def test_what_can_never_match(filter: dict[str, Any]) -> None:
    assert not can_match(filter, "a", SCHEMA)
    assert first_impossible(filter, "a", SCHEMA) in (*filter, "payload.gone")


@pytest.mark.parametrize(
    "filter",
    [
        {},
        {"payload.gone": None},
        {"payload.gone": {"$ne": 1}},
        {"payload.by.anybody": None},
        {"payload.by.anybody": {"$exists": False}},
        {"payload.lines.price": {"$exists": False}},
        {"payload.gone": {"$exists": False}},
        {"payload.n": 1},
        {"payload.n": {"$gte": 3, "$lte": 3}},
        {"payload.n": {"$ne": "1"}},
        {"payload.x": 1},
        {"payload.size": {"$ne": "s"}},
        {"payload.paid": True},
        {"payload.note": None},
        {"payload.lines.price": 1},
        {"payload.lines.0.price": 1},
        {"payload.lines": {"$size": 2}},
        {"payload.tags": "a"},
        {"payload.tags": {"$gt": "a", "$lt": "A"}},
        {"payload.open.to.all": {"$gte": "x"}},
        {"payload.by.anybody": 1},
        {"metadata.hops": {"$lt": 3}},
        {"source": "x"},
        {"type": "a"},
        {"$or": [{"payload.gone": 1}, {"payload.size": "s"}]},
        {"$nor": [{"payload.gone": 1}]},
    ],
)
def test_what_can(filter: dict[str, Any]) -> None:
    assert can_match(filter, "a", SCHEMA)


def test_without_a_schema_everything_can() -> None:
    assert can_match({"payload.gone": 1}, "a", None)


def test_of_a_pattern_each_type_can() -> None:
    assert can_match({"type": {"$in": ["b", "a.x"]}}, "a.*", SCHEMA)
    assert not can_match({"type": {"$in": ["b", "c.x"]}}, "a.*", SCHEMA)


_PAYLOADS = st.fixed_dictionaries(
    {
        "n": st.integers(-2, 2),
        "word": st.sampled_from(["a", "high", ""]),
        "size": st.sampled_from(["s", "m"]),
        "paid": st.booleans(),
        "note": st.sampled_from(["a", None]),
        "tags": st.lists(st.sampled_from(["a", "b"]), max_size=2),
    }
)
_OPERANDS = st.sampled_from([-1, 0, 1.5, "a", "s", "high", True, None])
_CONDITIONS = st.one_of(
    _OPERANDS,
    st.dictionaries(st.sampled_from(["$eq", "$ne", "$gt", "$lte"]), _OPERANDS, min_size=1),
    st.builds(lambda some: {"$in": some}, st.lists(_OPERANDS, max_size=2)),
    st.builds(lambda there: {"$exists": there}, st.booleans()),
)
_PATHS = st.sampled_from(["n", "word", "size", "paid", "note", "tags", "gone"])


@given(_PAYLOADS, _PATHS, _CONDITIONS)
def test_what_an_event_passes_is_never_called_impossible(
    payload: dict[str, Any], path: str, condition: Any
) -> None:
    filter = {f"payload.{path}": condition}

    if Filter(filter).matches(Event("a", "x", payload)):
        assert can_match(filter, "a", SCHEMA)


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("payload.n", True),
        ("payload.gone", False),
        ("payload.lines.price", True),
        ("payload.n.x", False),
        ("metadata.tenant", True),
        ("source", True),
    ],
)
def test_whether_a_key_can_be_there(path: str, *, there: bool) -> None:
    assert may_have(SCHEMA, path) is there
