"""Content filters: as values, and against an independent evaluator of the same language."""
# The evaluator takes any JSON as it comes, and asks each value at run time what it is.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreia.runtime.errors import InvalidFilter
from choreia.runtime.events.clause import Mismatch
from choreia.runtime.events.event import Event, Metadata
from choreia.runtime.events.filter import Filter

# -- an evaluator that takes the definition by its words ------------------------------------

Doc: TypeAlias = Any  # any JSON; this evaluator asks each value what it is
GONE = object()
SCALE = [{"low"}, {"normal", "medium"}, {"high"}, {"critical"}]


def reach(doc: Doc, path: list[str]) -> list[Doc]:
    if not path:
        return [doc]
    if isinstance(doc, dict):
        return reach(doc[path[0]], path[1:]) if path[0] in doc else [GONE]
    if not isinstance(doc, list):
        return [GONE]
    found = [value for item in doc if isinstance(item, dict) for value in reach(item, path)]
    if re.fullmatch("0|[1-9][0-9]*", path[0]) and int(path[0]) < len(doc):
        found += reach(doc[int(path[0])], path[1:])
    return found


def kind(value: Doc) -> str:
    if value is None or value is GONE:
        return "null"
    names = {bool: "bool", int: "number", float: "number", str: "text"}
    return names.get(type(value), "array" if isinstance(value, list) else "object")


def same(a: Doc, b: Doc) -> bool:
    if kind(a) != kind(b):
        return False
    if kind(a) == "null":
        return (a is GONE) + (b is GONE) < 2
    if kind(a) == "array":
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if kind(a) == "object":
        return set(a) == set(b) and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


def rank(word: str) -> int | None:
    return next((place for place, words in enumerate(SCALE) if word in words), None)


def compared(name: str, value: Doc, operand: Doc) -> bool:
    if kind(value) != kind(operand) or kind(value) in ("array", "object"):
        return False
    if kind(value) == "null":
        return name in ("$gte", "$lte")
    if kind(value) == "text" and rank(operand) is not None:
        if rank(value) is None:
            return False
        value, operand = rank(value), rank(operand)
    less, equal = value < operand, value == operand
    answers = {"$lt": less, "$lte": less or equal, "$gte": not less, "$gt": not (less or equal)}
    return bool(answers[name])


def each(value: Doc, holds: Callable[[Doc], bool]) -> bool:
    return holds(value) or (isinstance(value, list) and any(holds(item) for item in value))


def passes(name: str, value: Doc, operand: Doc) -> bool:
    """Whether one value at the end of a path passes an operator that is no negation."""
    match name:
        case "$eq":
            return each(value, lambda v: same(v, operand))
        case "$in":
            return any(each(value, lambda v, o=o: same(v, o)) for o in operand)  # type: ignore[misc]
        case "$exists":
            return value is not GONE
        case "$prefix":
            return each(value, lambda v: isinstance(v, str) and v[: len(operand)] == operand)
        case "$suffix":
            return each(value, lambda v: isinstance(v, str) and v.endswith(operand))
        case "$contains" if isinstance(value, str):
            return isinstance(operand, str) and value.find(operand) >= 0
        case "$contains":
            return isinstance(value, list) and any(same(item, operand) for item in value)
        case "$regex":
            return each(value, lambda v: isinstance(v, str) and bool(re.search(operand, v)))
        case "$size":
            return isinstance(value, list) and len(value) == operand
        case "$elemMatch" if not isinstance(value, list):
            return False
        case "$elemMatch" if any(key[0] == "$" and key not in LOGICAL for key in operand):
            return any(condition([item], operand) for item in value)
        case "$elemMatch":
            return any(isinstance(item, dict) and query(item, operand) for item in value)
        case _:
            return each(value, lambda v: compared(name, v, operand))


LOGICAL = ("$and", "$or", "$nor")


def condition(values: list[Doc], said: Doc) -> bool:
    if not (isinstance(said, dict) and any(key[0] == "$" for key in said)):
        said = {"$eq": said}
    return all(operator(name, values, operand) for name, operand in said.items())


def operator(name: str, values: list[Doc], operand: Doc) -> bool:
    if name == "$not":
        return not condition(values, operand)
    if name == "$ne":
        return not operator("$eq", values, operand)
    if name == "$nin":
        return not operator("$in", values, operand)
    if name == "$exists" and operand is False:
        return not operator("$exists", values, True)
    if name == "$all":
        return bool(operand) and all(operator("$eq", values, one) for one in operand)
    return any(passes(name, value, operand) for value in values)


def query(doc: Doc, said: Doc) -> bool:
    for key, value in said.items():
        if key in LOGICAL:
            parts = [query(doc, part) for part in value]
            if {"$and": all(parts), "$or": any(parts), "$nor": not any(parts)}[key] is False:
                return False
        elif not condition(reach(doc, key.split(".")), value):
            return False
    return True


# -- generated filters and payloads ---------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "0", "1"])
WORDS = st.sampled_from(["", "a", "ab", "b", "low", "normal", "medium", "high", "critical", "zz"])
NUMBERS = st.sampled_from([-1, 0, 1, 2, 0.0, 1.0, 1.5])
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, WORDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
PAYLOADS = st.dictionaries(KEYS, VALUES, max_size=4)
LISTS = st.lists(VALUES, max_size=3)
PATHS = st.lists(KEYS, min_size=1, max_size=3).map(".".join)


def one_of_operators(inner: st.SearchStrategy[Doc]) -> st.SearchStrategy[Doc]:
    """A mapping of one or two operators; `inner` makes the operands that are conditions."""
    operands: dict[str, st.SearchStrategy[Doc]] = {
        **dict.fromkeys(["$eq", "$ne", "$contains"], VALUES),
        **dict.fromkeys(["$gt", "$gte", "$lt", "$lte"], SCALARS),
        **dict.fromkeys(["$in", "$nin", "$all"], LISTS),
        **dict.fromkeys(["$prefix", "$suffix"], WORDS),
        "$exists": st.booleans(),
        "$size": st.integers(0, 3),
        "$regex": st.sampled_from(["", "a", "^a", "b$", "o|i", "[h-m]i?"]),
        "$not": inner,
        "$elemMatch": st.one_of(inner, st.dictionaries(PATHS, inner, min_size=1, max_size=2)),
    }
    single = [st.fixed_dictionaries({name: operand}) for name, operand in operands.items()]
    return st.lists(st.one_of(single), min_size=1, max_size=2).map(
        lambda parts: {name: operand for part in parts for name, operand in part.items()}
    )


CONDITIONS = st.recursive(st.fixed_dictionaries({"$eq": VALUES}), one_of_operators, max_leaves=4)


def queries(prefix: str) -> st.SearchStrategy[Doc]:
    paths = PATHS.map(lambda path: prefix + path)
    clauses = st.dictionaries(paths, st.one_of(CONDITIONS, VALUES), max_size=2)
    return st.recursive(
        clauses,
        lambda inner: st.builds(
            lambda clauses, key, parts: {**clauses, key: parts},
            clauses,
            st.sampled_from(LOGICAL),
            st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=4,
    )


@settings(max_examples=500)
@given(queries("payload."), PAYLOADS)
def test_it_agrees_with_the_evaluator(said: dict[str, Doc], payload: dict[str, Doc]) -> None:
    event = Event("test.happened", "test", payload)
    expected = query({"payload": payload}, said)
    chosen = Filter(said)
    assert chosen.matches(event) is expected
    assert chosen.predicate(event) is expected
    assert Filter({"$nor": [said]}).matches(event) is not expected
    assert (chosen.explain(event) is None) is expected


@settings(max_examples=400)
@given(PATHS, one_of_operators(CONDITIONS), PAYLOADS)
def test_each_operator_agrees_with_the_evaluator(
    path: str, said: dict[str, Doc], payload: dict[str, Doc]
) -> None:
    expected = condition(reach(payload, path.split(".")), said)
    event = Event("test.happened", "test", payload)
    assert Filter({f"payload.{path}": said}).matches(event) is expected


ANY_TEXT = st.text(max_size=8)
ANY_SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    ANY_TEXT,
)
ANY_JSON = st.recursive(
    ANY_SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYS, ANY_TEXT), inner, max_size=4)
    ),
    max_leaves=20,
)
ANY_PATH = st.one_of(
    PATHS.map(lambda path: f"payload.{path}"),
    st.sampled_from(["type", "source", "timestamp", "id", "metadata.causes", "metadata.hops"]),
    st.sampled_from(["metadata.correlationId", "metadata.version", "metadata.a", "metadata.a.b"]),
)


@settings(max_examples=400)
@given(
    st.dictionaries(ANY_PATH, st.one_of(CONDITIONS, one_of_operators(CONDITIONS)), max_size=3),
    st.dictionaries(st.one_of(KEYS, ANY_TEXT), ANY_JSON, max_size=4),
    st.dictionaries(st.sampled_from(["a", "b"]), ANY_JSON, max_size=2),
)
def test_nothing_raises_at_delivery(
    said: dict[str, Doc], payload: dict[str, Doc], extensions: dict[str, Doc]
) -> None:
    metadata = Metadata(causes=("c",), extensions=extensions)
    event = Event("test.happened", "test", payload, metadata=metadata)
    chosen = Filter(said)
    assert chosen.matches(event) in (True, False)
    assert chosen.matches(event) is (chosen.explain(event) is None)


@settings(max_examples=300)
@given(queries("payload."), PAYLOADS)
def test_the_reason_agrees_with_the_evaluator(
    said: dict[str, Doc], payload: dict[str, Doc]
) -> None:
    event = Event("test.happened", "test", payload)
    fault = Filter(said).explain(event)
    if fault is None or fault.root.path.startswith("$") or "$elemMatch" in fault.around:
        return
    root = fault.root
    assert condition(reach(payload, root.path.split(".")[1:]), root.condition) is root.holds
    # What fails, or was to fail and does not: each negation around it turns it once.
    assert root.holds is bool(sum(name in ("$not", "$nor") for name in fault.around) % 2)


# -- what the design shows ------------------------------------------------------------------


def test_the_filter_of_the_design() -> None:
    chosen = Filter({"payload.priority": {"$gte": "high"}, "payload.domain": "financial"})

    def task(priority: str, domain: str) -> Event:
        return Event("task.created", "test", {"priority": priority, "domain": domain})

    assert chosen.matches(task("high", "financial"))
    assert chosen.matches(task("critical", "financial"))
    assert not chosen.matches(task("medium", "financial"))
    assert not chosen.matches(task("low", "financial"))
    assert not chosen.matches(task("high", "medical"))
    assert not chosen.matches(Event("task.created", "test", {}))


def test_every_kind_of_path() -> None:
    event = Event(
        type="order.created",
        source="shop",
        id="id-1",
        timestamp=10.0,
        payload={"items": [{"price": 5}, {"price": 50}]},
        metadata={"correlationId": "case", "version": "2.0.0", "hops": 2, "tenant": "acme"},
    )
    for said in (
        {"type": {"$prefix": "order."}},
        {"source": "shop"},
        {"id": {"$in": ["id-1"]}},
        {"timestamp": {"$gte": 10}},
        {"payload.items.price": {"$gt": 40}},
        {"payload.items.0.price": 5},
        {"metadata.correlationId": "case"},
        {"metadata.correlation_id": "case"},
        {"metadata.causation_id": None},
        {"metadata.causation_id": {"$exists": False}},
        {"metadata.version": "2.0.0"},
        {"metadata.hops": {"$lt": 3}},
        {"metadata.causes": {"$size": 0}},
        {"metadata.tenant": "acme"},
    ):
        assert Filter(said).matches(event), said
        assert not Filter({"$nor": [said]}).matches(event), said


# -- a filter as a value --------------------------------------------------------------------


def test_it_is_cut_off_from_the_mapping_it_came_from() -> None:
    members = ["a"]
    said = {"payload.x": {"$in": members}}
    chosen = Filter(said)
    members.append("b")
    said.clear()
    assert not chosen.matches(Event("t", "s", {"x": "b"}))
    assert chosen.mapping == {"payload.x": {"$in": ["a"]}}
    chosen.mapping.clear()  # a copy as well
    assert chosen.mapping == {"payload.x": {"$in": ["a"]}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"payload.a": 1, "payload.b": 2}, {"payload.b": 2, "payload.a": 1}),
        ({"payload.a": 1}, {"payload.a": {"$eq": 1}}),
        ({"metadata.correlationId": "c"}, {"metadata.correlation_id": "c"}),
        ({"$or": [{"payload.a": 1}]}, {"$or": [{"payload.a": {"$eq": 1}}]}),
        ({"payload.a": {"$in": (1, 2)}}, {"payload.a": {"$in": [1, 2]}}),
    ],
)
def test_filters_that_say_the_same_are_equal(one: dict[str, Doc], other: dict[str, Doc]) -> None:
    assert Filter(one) == Filter(other)
    assert hash(Filter(one)) == hash(Filter(other))


@pytest.mark.parametrize(
    "other", [{"payload.a": True}, {"payload.a": "1"}, {"payload.b": 1}, {}, {"payload.a": [1]}]
)
def test_filters_that_say_something_else_are_not(other: dict[str, Doc]) -> None:
    assert Filter({"payload.a": 1}) != Filter(other)


def test_it_is_frozen_and_shows_what_was_written() -> None:
    chosen = Filter({"payload.a": {"$lte": 5}})
    assert repr(chosen) == "Filter({'payload.a': {'$lte': 5}})"
    with pytest.raises(AttributeError):
        chosen.predicate = lambda _: True  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))]
)
def test_it_copies_and_pickles(duplicate: Callable[[Filter], Filter]) -> None:
    chosen = Filter({"payload.a": {"$gt": 1, "$regex": "x"}, "$or": [{"type": "t"}]})
    twin = duplicate(chosen)
    assert twin == chosen
    assert not twin.matches(Event("t", "s", {"a": 1}))


@pytest.mark.parametrize("value", [None, 1, "payload.a", [], [{"payload.a": 1}]])
def test_what_is_no_mapping_is_refused(value: object) -> None:
    with pytest.raises(InvalidFilter, match="a mapping of paths to conditions"):
        Filter(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# -- explaining -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"payload.a": 1}, None),
        ({"payload.a": {"$gte": 1, "$lt": 1}}, Mismatch("payload.a", {"$lt": 1}, (1,))),
        ({"payload.a": 1, "payload.no": "x"}, Mismatch("payload.no", {"$eq": "x"}, ())),
        ({"payload.list.v": 9}, Mismatch("payload.list.v", {"$eq": 9}, (1, 2))),
        (
            {"$or": [{"payload.a": 2}]},
            Mismatch(
                "$or",
                [{"payload.a": 2}],
                (),
                because=Mismatch("payload.a", {"$eq": 2}, (1,)),
            ),
        ),
        (
            {"payload.t": {"$regex": "B", "$options": ""}},
            Mismatch("payload.t", {"$regex": "B"}, ("b",)),
        ),
        (
            {"payload.t": {"$options": "i", "$regex": "c"}},
            Mismatch("payload.t", {"$regex": "c", "$options": "i"}, ("b",)),
        ),
    ],
)
def test_explain_names_the_first_clause_that_failed(
    said: dict[str, Doc], expected: Mismatch | None
) -> None:
    event = Event("t", "s", {"a": 1, "list": [{"v": 1}, {"v": 2}], "t": "b"})
    assert Filter(said).explain(event) == expected
