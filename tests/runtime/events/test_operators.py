"""Every filter operator against a written-down table."""

from __future__ import annotations

from typing import Final

import pytest

from choreia.runtime.errors import InvalidFilter
from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.operators import MISSING
from choreia.runtime.events.payload import Json

NOTHING: Final = MISSING  # the field is not there

# operator, operand, values it holds for, values it does not hold for
TABLE: list[tuple[str, Json, list[object], list[object]]] = [
    # equality is exact; a boolean is no number; null equals missing
    ("$eq", "a", ["a", ["a"], ["b", "a"]], ["A", "ab", "", None, NOTHING, [["a"]], {"a": "a"}, 1]),
    ("$eq", 1, [1, 1.0, [1], [0, 1.0]], [True, [True], "1", 2, NOTHING, None, [[1]]]),
    ("$eq", 0, [0, 0.0, -0.0], [False, None, "", [], NOTHING]),
    ("$eq", 2**60, [2**60], [2.0**60 + 256, 2**60 + 1]),
    ("$eq", True, [True, [True], [1, True]], [1, 1.0, "true", [1], NOTHING]),
    ("$eq", False, [False], [0, 0.0, None, "", [], NOTHING]),
    ("$eq", None, [None, NOTHING, [None], [1, None]], [0, False, "", [], {}, [[None]]]),
    (
        "$eq",
        [1, 2],
        [[1, 2], [1.0, 2], [[1, 2]], [3, [1, 2]]],
        [[2, 1], [1], 1, [1, 2, 3], [True, 2]],
    ),
    ("$eq", [], [[], [[]]], [NOTHING, None, [1], {}]),
    ("$eq", {"a": 1}, [{"a": 1}, {"a": 1.0}, [{"a": 1}]], [{"a": True}, {"a": 1, "b": 2}, {}, 1]),
    ("$eq", {"a": 1, "b": 2}, [{"b": 2, "a": 1}], [{"a": 1}]),
    ("$eq", {"a": None}, [{"a": None}], [{}, None, NOTHING]),
    ("$eq", {"a": [{"b": 1}]}, [{"a": [{"b": 1}]}], [{"a": [{"b": True}]}, {"a": [[{"b": 1}]]}]),
    # the negations hold for missing fields and other kinds, and not when some element equals
    ("$ne", "a", ["b", None, NOTHING, 1, [], ["b"], [["a"]]], ["a", ["a", "b"]]),
    ("$ne", 1, [True, "1", NOTHING], [1, 1.0, [1, 2]]),
    ("$ne", None, [0, "", [], {}, [[None]]], [None, NOTHING, [None, 1]]),
    # comparison: numbers with numbers, texts with texts; an array if it holds for an element
    ("$gt", 5, [6, 5.1, [1, 6]], [5, 4, "6", None, NOTHING, True, [], [[6]], {"a": 6}]),
    ("$gte", 5, [5, 5.0, 6, ["x", 5]], [4.9, "5", None, NOTHING, [4]]),
    ("$lt", 5, [4, -1e300, [9, 4]], [5, "4", None, NOTHING, False, []]),
    ("$lte", 5, [5, 4, [5]], [6, "5", None, NOTHING, True]),
    ("$gt", 2**53, [2**53 + 1], [2.0**53]),
    ("$gt", "b", ["c", "ba", ["a", "c"], "é"], ["b", "a", "B", "", 3, None, NOTHING, True]),
    ("$gte", "b", ["b", "c"], ["a", "B"]),
    ("$lt", "b", ["a", "", "B", ["z", "a"]], ["b", "c", 1, None, NOTHING]),
    ("$lte", "b", ["b", "a"], ["ba"]),
    ("$gt", False, [True, [True]], [False, 1, "true", None, NOTHING]),
    ("$lte", True, [True, False], [1, 0, None]),
    ("$gte", None, [None, NOTHING, [None]], [0, False, "", []]),
    ("$lte", None, [None, NOTHING], [0, -1]),
    ("$gt", None, [], [None, NOTHING, 0, 1, ""]),
    ("$lt", None, [], [None, NOTHING, 0, -1, ""]),
    # words of one scale by rank; a text that is on no scale with the operand is another kind
    (
        "$gte",
        "high",
        ["high", "critical", ["low", "high"]],
        ["low", "normal", "medium", "zzz", "High", 9],
    ),
    ("$gt", "normal", ["high", "critical"], ["normal", "medium", "low", "zzz"]),
    ("$lt", "high", ["low", "normal", "medium"], ["high", "critical", "", "a", NOTHING]),
    ("$lte", "medium", ["low", "normal", "medium"], ["high", "critical", "a"]),
    ("$gte", "normal", ["medium", "normal"], ["low"]),
    ("$eq", "normal", ["normal"], ["medium"]),  # equality is exact
    # lists
    (
        "$in",
        ["a", 1, None],
        ["a", 1, 1.0, None, NOTHING, ["x", "a"], [None]],
        ["b", True, "1", [], {}],
    ),
    ("$in", [True], [True, [True]], [1, False, NOTHING]),
    ("$in", [[1], {"a": 1}], [[1], [[1]], {"a": 1}, [{"a": 1}]], [1, [1, 2], [True], {}]),
    ("$in", [], [], ["a", None, NOTHING, []]),
    ("$nin", ["a", 1], ["b", True, None, NOTHING, [], ["b"]], ["a", 1.0, ["b", "a"]]),
    ("$nin", ["a", None], ["b", [], {}], ["a", None, NOTHING, [None]]),
    ("$nin", [], ["a", None, NOTHING, []], []),
    ("$all", ["a", "b"], [["a", "b"], ["b", "c", "a"]], ["a", ["a"], "ab", [], NOTHING]),
    ("$all", ["a"], ["a", ["a"]], ["b", [], NOTHING]),
    ("$all", [[1, 2]], [[1, 2], [[1, 2], 3]], [1, [1], [2, 1]]),
    ("$all", [None], [None, NOTHING, [None]], [1, []]),
    ("$all", [], [], ["a", [], NOTHING, None]),
    ("$size", 0, [[]], [NOTHING, None, "", {}, [1]]),
    ("$size", 2, [[1, 2], [[], []]], [[1], 2, "ab", {"a": 1, "b": 2}, [[1, 2]], NOTHING]),
    ("$elemMatch", {"$gt": 1, "$lt": 3}, [[2], [0, 2, 9]], [[0, 5], 2, [], NOTHING, {"a": 2}]),
    ("$elemMatch", {"$eq": None}, [[None]], [None, NOTHING, [], [1]]),
    ("$elemMatch", {"$ne": None}, [[1], [None, 1], [[]]], [[None], [], 1, NOTHING]),
    ("$elemMatch", {"$regex": "^a", "$options": "i"}, [["Ab"]], ["Ab", ["b"]]),
    (
        "$elemMatch",
        {"a": 1, "b": {"$gt": 5}},
        [[{"a": 1, "b": 6}], [0, {"a": 1, "b": 6, "c": 0}]],
        [[{"a": 1, "b": 5}, {"a": 2, "b": 6}], {"a": 1, "b": 6}, [[{"a": 1, "b": 6}]], NOTHING],
    ),
    ("$elemMatch", {"a": None}, [[{}], [{"a": None}]], [[], [1], [{"a": 1}], [None]]),
    ("$elemMatch", {"a.b": 1}, [[{"a": {"b": 1}}], [{"a": [{"b": 1}]}]], [[{"a": 1}]]),
    ("$elemMatch", {"$or": [{"a": 1}, {"b": 1}]}, [[{"b": 1}], [{"a": 1}]], [[{"c": 1}], [1]]),
    (
        "$elemMatch",
        {"$elemMatch": {"$eq": 1}},
        [[[1]], [2, [0, 1]], [[[1]]]],
        [[1], 1, [[[[1]]]], [[2]]],
    ),
    # presence
    ("$exists", True, [None, 0, "", [], {}, False], [NOTHING]),
    ("$exists", False, [NOTHING], [None, 0, "", [], {}, False]),
    # texts
    ("$prefix", "ab", ["ab", "abc", ["x", "abc"]], ["a", "cab", "AB", 1, None, NOTHING, {"ab": 1}]),
    ("$prefix", "", ["", "a", ["a"]], [1, None, NOTHING, []]),
    ("$suffix", "yz", ["yz", "xyz", ["a", "yz"]], ["z", "yza", 1, None, NOTHING]),
    (
        "$contains",
        "b",
        ["b", "abc", ["b"], ["a", "b"]],
        ["a", ["abc"], [["b"]], {"b": 1}, None, NOTHING],
    ),
    ("$contains", 1, [[1], [1.0, 2]], [1, "1", [True], [], NOTHING]),
    ("$contains", None, [[None], [1, None]], [None, NOTHING, [], "None"]),
    ("$contains", {"a": 1}, [[{"a": 1}]], [{"a": 1}, [{"a": 1, "b": 2}]]),
    ("$contains", [1], [[[1]]], [[1], 1]),
    ("$regex", "b+c", ["abbcd", "bc", ["x", "bc"]], ["ac", "BC", 1, None, NOTHING, [["bc"]]]),
    ("$regex", "^a.c$", ["abc"], ["xabc", "a\nc", "abc\n", "abcd"]),
    ("$regex", "ü", ["grün"], ["grun"]),
    ("$regex", "", ["", "a"], [1, NOTHING]),
    # negation of whatever is inside
    ("$not", {"$gt": 5}, [5, "6", None, NOTHING, [], [1]], [6, [1, 6]]),
    ("$not", {"$gt": 1, "$lt": 3}, [1, 3, "x", NOTHING], [2, [0, 5]]),
    ("$not", {"$not": {"$eq": 1}}, [1, [1]], [2, True, NOTHING]),
    ("$not", {"$gte": "high"}, ["low", "zzz", NOTHING, 1], ["high", "critical"]),
    ("$not", {"$exists": True}, [NOTHING], [None]),
    ("$not", {"$regex": "a", "$options": "i"}, ["b", NOTHING], ["A"]),
    ("$not", {"$elemMatch": {"$gt": 1}}, [[1], 2, NOTHING], [[2]]),
]


def event(value: object) -> Event:
    return Event("test.value", "test", {} if value is NOTHING else {"x": value})


@pytest.mark.parametrize(
    ("name", "operand", "value", "expected"),
    [
        (name, operand, value, expected)
        for name, operand, holds, fails in TABLE
        for expected, values in ((True, holds), (False, fails))
        for value in values
    ],
    ids=repr,
)
def test_the_table(name: str, operand: Json, value: object, expected: bool) -> None:
    assert Filter({"payload.x": {name: operand}}).matches(event(value)) is expected
    # and the same inside $not and $nor, so that no negation is a matter of its own
    assert Filter({"payload.x": {"$not": {name: operand}}}).matches(event(value)) is not expected
    assert Filter({"$nor": [{"payload.x": {name: operand}}]}).matches(event(value)) is not expected


def test_the_table_knows_every_operator() -> None:
    from choreia.runtime.events import query

    known = set(vars(query)["_OPERATORS"])
    assert {name for name, *_ in TABLE} == known - {"$options"}


@pytest.mark.parametrize("value", ["a", 1, True, None, [1], {"a": 1}, {"gt": 1}, {}, []])
def test_a_plain_value_means_eq(value: Json) -> None:
    for found in ("a", 1, 1.0, True, None, [1], {"a": 1}, {"gt": 1}, {}, [], NOTHING):
        plain, explicit = Filter({"payload.x": value}), Filter({"payload.x": {"$eq": value}})
        assert plain.matches(event(found)) is explicit.matches(event(found))


@pytest.mark.parametrize(
    ("options", "text", "found"),
    [("i", "ABC", True), ("", "ABC", False), ("s", "a\nc", True), ("m", "x\nabc\ny", True)],
)
def test_options_of_a_regex(options: str, text: str, found: bool) -> None:
    chosen = Filter({"payload.x": {"$regex": "^a.c$", "$options": options}})
    assert chosen.matches(event(text)) is found


def test_several_operators_hold_each_by_itself() -> None:
    between = Filter({"payload.x": {"$gt": 1, "$lt": 3}})
    assert between.matches(event([0, 5]))  # 5 > 1, and 0 < 3
    assert not between.matches(event([0, 1]))
    assert not between.matches(event([5, 3]))


BAD: list[tuple[str, Json, str]] = [
    ("$in", "a", "wants a list of values, not 'a'"),
    ("$nin", {"a": 1}, "wants a list of values"),
    ("$all", 3, "wants a list of values, not 3"),
    ("$in", [{"$gt": 1}], r"at payload\.x\.\$in\[0\]: operators cannot stand in this list"),
    ("$all", [1, {"$elemMatch": {}}], r"\$all\[1\]: operators cannot stand in this list"),
    ("$size", -1, "wants a whole number that is not negative, not -1"),
    ("$size", 1.0, "wants a whole number"),
    ("$size", True, "wants a whole number that is not negative, not True"),
    ("$size", "1", "wants a whole number"),
    ("$exists", 1, "wants true or false, not 1"),
    ("$exists", "yes", "wants true or false"),
    ("$gt", [1], r"compares with a number, text, boolean or null, not \[1\]"),
    ("$lte", {"a": 1}, "compares with a number, text, boolean or null"),
    ("$prefix", 1, "wants text, not 1"),
    ("$suffix", None, "wants text, not None"),
    ("$regex", 1, "wants text, not 1"),
    ("$not", 5, "wants a mapping of operators, not 5; use"),
    ("$not", {}, "wants a mapping of operators"),
    ("$not", {"a": 1}, "wants a mapping of operators"),
    ("$elemMatch", 1, "wants a mapping of operators or of paths, not 1"),
    ("$elemMatch", {}, "wants a mapping of operators or of paths"),
]


@pytest.mark.parametrize(("name", "operand", "fault"), BAD)
def test_a_wrong_operand_is_refused_where_it_stands(name: str, operand: Json, fault: str) -> None:
    with pytest.raises(InvalidFilter, match=fault) as caught:
        Filter({"payload.x": {name: operand}})
    assert caught.value.path.startswith(f"payload.x.{name}")
