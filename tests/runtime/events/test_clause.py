"""Which part of a filter decided, and on which value."""

from __future__ import annotations

import pytest

from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.payload import Json

ITEMS: list[Json] = [{"sku": "a", "price": 3}, {"sku": "b", "price": 9}]
EVENT = Event("order.created", "shop", {"amount": 5, "tags": ["x", "y"], "items": ITEMS})


@pytest.mark.parametrize(
    ("said", "around", "path", "condition", "found", "holds"),
    [
        # the second clause of the first alternative fails, since the first holds
        (
            {"$or": [{"payload.amount": 5, "payload.tags": "z"}, {"payload.amount": 1}]},
            ("$or",),
            "payload.tags",
            {"$eq": "z"},
            (["x", "y"],),
            False,
        ),
        # of an $and, the part that fails, not the first
        (
            {"$and": [{"payload.amount": 5}, {"payload.amount": {"$gt": 7}}]},
            ("$and",),
            "payload.amount",
            {"$gt": 7},
            (5,),
            False,
        ),
        # of a $nor, the alternative that holds, not the first
        (
            {"$nor": [{"payload.amount": 1}, {"payload.amount": {"$lt": 9}}]},
            ("$nor",),
            "payload.amount",
            {"$lt": 9},
            (5,),
            True,
        ),
        (
            {"payload.amount": {"$not": {"$gte": 5}}},
            ("$not",),
            "payload.amount",
            {"$gte": 5},
            (5,),
            True,
        ),
        # a negation that fails is two negations deep when it is inside another
        (
            {"$nor": [{"payload.amount": {"$not": {"$gt": 7}}}]},
            ("$nor", "$not"),
            "payload.amount",
            {"$gt": 7},
            (5,),
            False,
        ),
        # what the first element lacks, by its place
        (
            {"payload.items": {"$elemMatch": {"sku": "a", "price": {"$gt": 5}}}},
            ("$elemMatch",),
            "payload.items.0.price",
            {"$gt": 5},
            (3,),
            False,
        ),
        # the element that passes, when none should
        (
            {"payload.items": {"$not": {"$elemMatch": {"price": {"$gt": 5}}}}},
            ("$not", "$elemMatch"),
            "payload.items.1.price",
            {"$gt": 5},
            (9,),
            True,
        ),
        (
            {"payload.tags": {"$elemMatch": {"$prefix": "z"}}},
            ("$elemMatch",),
            "payload.tags.0",
            {"$prefix": "z"},
            ("x",),
            False,
        ),
        # a compound inside an element keeps its name, and what is in it gets the whole path
        (
            {"payload.items": {"$elemMatch": {"$or": [{"sku": "c"}]}}},
            ("$elemMatch", "$or"),
            "payload.items.0.sku",
            {"$eq": "c"},
            ("a",),
            False,
        ),
        # no element is an object, so no element decides: the array itself does
        (
            {"payload.tags": {"$elemMatch": {"sku": "a"}}},
            (),
            "payload.tags",
            {"$elemMatch": {"sku": "a"}},
            (["x", "y"],),
            False,
        ),
        # {} selects everything: there is no value to blame
        ({"$nor": [{"payload.amount": 1}, {}]}, (), "$nor", [{"payload.amount": 1}, {}], (), False),
    ],
)
def test_the_first_clause_that_decides(
    said: dict[str, Json],
    around: tuple[str, ...],
    path: str,
    condition: Json,
    found: tuple[Json, ...],
    holds: bool,
) -> None:
    fault = Filter(said).explain(EVENT)
    assert fault is not None
    assert fault.around == around
    root = fault.root
    assert (root.path, root.condition, root.found, root.holds) == (path, condition, found, holds)
