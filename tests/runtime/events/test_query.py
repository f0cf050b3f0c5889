"""What a filter may say, and what is refused."""

from __future__ import annotations

from typing import cast

import pytest

from choreia.runtime.errors import ChoreiaError, InvalidFilter
from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.payload import Json

EVENT = Event("order.created", "shop", {"a": 1, "b": 2})
TRUE: dict[str, Json] = {"payload.a": 1}
FALSE: dict[str, Json] = {"payload.a": 2}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, True),
        ({"payload.a": 1, "payload.b": 2}, True),
        ({"payload.a": 1, "payload.b": 3}, False),
        ({"$and": [TRUE]}, True),
        ({"$and": [TRUE, FALSE]}, False),
        ({"$and": [TRUE, TRUE, {}]}, True),
        ({"$or": [FALSE, TRUE]}, True),
        ({"$or": [FALSE, FALSE]}, False),
        ({"$nor": [FALSE, FALSE]}, True),
        ({"$nor": [FALSE, TRUE]}, False),
        ({"$or": [FALSE], "payload.a": 1}, False),
        ({"$or": [TRUE], "payload.a": 2}, False),
        ({"$or": [TRUE], "$nor": [FALSE], "$and": [TRUE]}, True),
        ({"$nor": [{"$or": [{"$and": [TRUE, FALSE]}, FALSE]}]}, True),
        ({"$or": [{"payload.a": 1, "payload.b": 3}, FALSE]}, False),
    ],
)
def test_clauses_are_combined(query: dict[str, Json], expected: bool) -> None:
    assert Filter(query).matches(EVENT) is expected


@pytest.mark.parametrize(
    ("query", "path", "fault"),
    [
        (
            {"payload.x": {"$gtee": 1}},
            "payload.x.$gtee",
            r"no operator is called '\$gtee'; did you mean \$gte",
        ),
        ({"payload.x": {"$regexp": "a"}}, "payload.x.$regexp", r"did you mean \$regex\?"),
        ({"payload.x": {"$near": 1}}, "payload.x.$near", r"no operator is called '\$near'"),
        ({"payload.x": {"$?": 1}}, "payload.x.$?", r"no operator is called '\$\?'; there are \$eq"),
        ({"payload.x": {"$or": [1]}}, "payload.x.$or", r"\$or goes around whole clauses"),
        ({"payload.x": {"$gt": 1, "y": 2}}, "payload.x", "'y' stands among operators"),
        ({"payload.x": {"y": 2, "$gt": 1}}, "payload.x", "'y' stands among operators"),
        ({"payload.x": {"$options": "i"}}, "payload.x.$options", r"belongs to a \$regex"),
        (
            {"payload.x": {"$regex": "a", "$options": 1}},
            "payload.x.$regex",
            r"\$options wants text",
        ),
        ({"payload.x": {"$regex": "a", "$options": "q"}}, "payload.x.$regex", r"\$options has 'q'"),
        ({"payload.x": {"$not": {"$gtt": 1}}}, "payload.x.$not.$gtt", "no operator is called"),
        (
            {"payload.x": {"$elemMatch": {"$gt": 1, "y": 2}}},
            "payload.x.$elemMatch",
            "'y' stands among",
        ),
        (
            {"payload.x": {"$elemMatch": {"y": {"$sze": 1}}}},
            "payload.x.$elemMatch.y.$sze",
            r"did you mean \$size",
        ),
        ({"payload.x": {"$elemMatch": {"$or": []}}}, "payload.x.$elemMatch.$or", "wants a list"),
        ({"$gte": 1}, "$gte", r"\$gte goes inside a path: \{'payload.<name>': \{'\$gte': …\}\}"),
        ({"$not": {"payload.x": 1}}, "$not", r"\$not goes inside a path; .*\{'\$nor'"),
        ({"$xor": []}, "$xor", r"no operator is called '\$xor'; did you mean \$(n?or)\?"),
        ({"$or": []}, "$or", r"wants a list of one or more mappings, not \[\]"),
        ({"$and": {"payload.x": 1}}, "$and", "wants a list of one or more mappings"),
        ({"$nor": [1]}, "$nor[0]", "wants a mapping of paths to conditions, not 1"),
        (
            {"$or": [{"payload.x": 1}, {"$and": [{"payload.y": {"$in": 3}}]}]},
            "$or[1].$and[0].payload.y.$in",
            "wants a list of values",
        ),
        ({"$or": [{"x": 1}]}, "$or[0].x", "an event has no 'x'"),
    ],
)
def test_what_means_nothing_is_refused_where_it_stands(
    query: dict[str, Json], path: str, fault: str
) -> None:
    with pytest.raises(InvalidFilter, match=fault) as caught:
        Filter(query)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"filter at {path}: ")
    assert isinstance(caught.value, (ChoreiaError, ValueError))


def test_nesting_is_limited() -> None:
    query: dict[str, Json] = {"payload.a": 1}
    for _ in range(20):
        query = {"$and": [query]}
    assert Filter(query).matches(EVENT)
    for _ in range(20):
        query = {"$and": [query]}
    with pytest.raises(InvalidFilter, match="nested deeper than 64 levels"):
        Filter(query)


def test_the_number_of_clauses_is_limited() -> None:
    clauses: list[Json] = [cast(Json, {"payload.a": n}) for n in range(999)]
    assert Filter({"$or": clauses}).matches(EVENT)
    with pytest.raises(InvalidFilter, match="more than 1,000 clauses: split the filter, or use"):
        Filter({"$or": [*clauses, {"payload.a": -1}]})
    with pytest.raises(InvalidFilter, match="more than 1,000 clauses"):
        Filter({"payload.a": {"$elemMatch": {f"k{n}": n for n in range(1_000)}}})
