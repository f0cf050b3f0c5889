"""Payloads: immutable all the way down, equal to plain ones, and only JSON."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, cast
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.errors import InvalidPayload, PayloadTooLarge
from choreia.runtime.events.limits import Limits
from choreia.runtime.events.payload import (
    EMPTY,
    FrozenDict,
    FrozenList,
    freeze,
    join_path,
    thaw,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=30,
)
PAYLOADS = st.dictionaries(TEXTS, JSON, max_size=6)


def parts(value: Any) -> list[Any]:
    """A value and all containers in it."""
    inside: Iterable[Any] = ()
    if isinstance(value, dict):
        inside = cast("dict[str, Any]", value).values()
    elif isinstance(value, list):
        inside = cast("Sequence[Any]", value)
    else:
        return []
    return [value, *(part for item in inside for part in parts(item))]


# -- frozen ones are like plain ones -----------------------------------------------------------


@given(PAYLOADS)
def test_a_frozen_payload_equals_the_plain_one(payload: dict[str, Any]) -> None:
    frozen = freeze(payload)
    assert frozen == payload
    assert thaw(frozen) == payload
    assert json.loads(json.dumps(frozen)) == json.loads(json.dumps(payload))
    assert orjson.dumps(frozen) == orjson.dumps(payload)
    assert pickle.loads(pickle.dumps(frozen)) == payload
    assert isinstance(frozen, dict)


@given(PAYLOADS)
def test_everything_in_it_is_frozen_and_stays_so(payload: dict[str, Any]) -> None:
    frozen = freeze(payload)
    for again in (
        frozen,
        pickle.loads(pickle.dumps(frozen)),
        copy.copy(frozen),
        copy.deepcopy(frozen),
        freeze(frozen),
        freeze({"inside": frozen}),
    ):
        assert {type(part) for part in parts(again)} <= {FrozenDict, FrozenList}
    assert {type(part) for part in parts(thaw(frozen))} <= {dict, list}


@given(PAYLOADS)
def test_it_is_cut_off_from_what_it_came_from(payload: dict[str, Any]) -> None:
    before = copy.deepcopy(payload)
    frozen = freeze(payload)
    for part in parts(payload):
        part.clear()
    assert frozen == before


def test_what_is_frozen_is_not_copied_again() -> None:
    frozen = freeze({"a": {"b": [1]}})
    assert freeze(frozen) is frozen
    assert freeze({"x": frozen["a"]})["x"] is frozen["a"]
    assert freeze(frozen, Limits(payload_bytes=100)) is frozen
    assert copy.deepcopy(frozen) is frozen


WRITES: list[Callable[[Any], object]] = [
    lambda p: p.__setitem__("a", 1),
    lambda p: p.__delitem__("a"),
    lambda p: p.__ior__({"a": 1}),
    lambda p: p.clear(),
    lambda p: p.pop("a"),
    lambda p: p.popitem(),
    lambda p: p.setdefault("z", 1),
    lambda p: p.update(a=1),
    lambda p: setattr(p, "x", 1),
    lambda p: setattr(p, "__class__", dict),
    lambda p: p["list"].__setitem__(0, 1),
    lambda p: p["list"].__setitem__(slice(0, 1), []),
    lambda p: p["list"].__delitem__(0),
    lambda p: p["list"].__iadd__([1]),
    lambda p: p["list"].__imul__(2),
    lambda p: p["list"].append(1),
    lambda p: p["list"].clear(),
    lambda p: p["list"].extend([1]),
    lambda p: p["list"].insert(0, 1),
    lambda p: p["list"].pop(),
    lambda p: p["list"].remove(1),
    lambda p: p["list"].reverse(),
    lambda p: p["list"].sort(),
    lambda p: setattr(p["list"], "x", 1),
    lambda p: p["a"]["b"].update(c=1),
]


@pytest.mark.parametrize("write", WRITES, ids=[str(place) for place in range(len(WRITES))])
def test_every_way_to_write_is_refused(write: Callable[[Any], object]) -> None:
    frozen = freeze({"a": {"b": {}}, "list": [1, 2]})
    with pytest.raises(TypeError, match="copy_payload"):
        write(frozen)
    assert frozen == {"a": {"b": {}}, "list": [1, 2]}


def test_every_method_that_a_plain_one_writes_with_is_covered() -> None:
    # A new Python may add one; then this fails, and not somebody's payload.
    reading = {
        dict: {"copy", "fromkeys", "get", "items", "keys", "values"},
        list: {"copy", "count", "index"},
    }
    for plain, frozen in ((dict, FrozenDict), (list, FrozenList)):
        methods = {name for name in vars(plain) if not name.startswith("__")}
        assert methods - reading[plain] <= set(vars(frozen))


def test_a_second_init_writes_nothing() -> None:
    frozen = freeze({"a": [1]})
    FrozenDict.__init__(frozen, {"a": 2})
    FrozenList.__init__(frozen["a"], [3])
    assert frozen == {"a": [1]}


def test_the_classes_freeze_when_called() -> None:
    made = FrozenDict({"a": (1, [2])}, b={})
    assert made == {"a": [1, [2]], "b": {}}
    assert {type(part) for part in parts(made)} == {FrozenDict, FrozenList}
    assert type(FrozenList([{}])[0]) is FrozenDict
    with pytest.raises(InvalidPayload):
        FrozenDict(a=object())
    assert FrozenDict() == EMPTY == {}


def test_joining_gives_plain_writable_ones() -> None:
    frozen = freeze({"a": 1, "list": [1]})
    joined = {**frozen, "b": 2}
    assert (frozen | {"b": 2}) == joined
    assert type(frozen | {"b": 2}) is dict
    assert type(frozen["list"] + [2]) is list
    assert type(frozen.copy()) is dict


# -- what is taken, and as what ----------------------------------------------------------------


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Metres(float):
    pass


class Point(NamedTuple):
    x: int
    y: int


def test_relatives_of_json_types_become_plain_ones() -> None:
    frozen = freeze(
        OrderedDict(
            [
                ("tuple", (1, (2,))),
                ("point", Point(1, 2)),
                ("proxy", MappingProxyType({"a": [1]})),
                ("colour", Colour.RED),
                ("level", Level.HIGH),
                ("metres", Metres(1.5)),
                (Colour.RED, True),
            ]
        )
    )
    assert frozen == {
        "tuple": [1, [2]],
        "point": [1, 2],
        "proxy": {"a": [1]},
        "colour": "red",
        "level": 3,
        "metres": 1.5,
        "red": True,
    }
    kinds: set[type] = {type(value) for value in frozen.values()}
    assert kinds == {FrozenList, FrozenDict, str, int, float, bool}
    assert {type(key) for key in frozen} == {str}


def test_a_key_that_is_an_enumeration_takes_the_place_of_its_text() -> None:
    assert freeze({"a": {Colour.RED: 1}}) == {"a": {"red": 1}}


class Own:
    pass


REFUSED: list[tuple[Any, str, str]] = [
    ({"a": math.nan}, "payload.a", "NaN"),
    ({"a": [1, math.inf]}, "payload.a[1]", "infinities"),
    ({"a": [Metres("-inf")]}, "payload.a[0]", "infinities"),
    ({"items": [1, 2, 3, {"when": datetime.now(UTC)}]}, "payload.items[3].when", "isoformat"),
    ({"a": {1, 2}}, "payload.a", "sorted list"),
    ({"a": b"x"}, "payload.a", "base64"),
    ({"a": uuid4()}, "payload.a", "str"),
    ({"a": Decimal(1)}, "payload.a", "str"),
    ({"a": Own()}, "payload.a", "Own"),
    ({"a": {"b c": Own}}, "payload.a['b c']", "type"),
    ({"a": {1: 2}}, "payload.a[1]", "the key 1 is of type int"),
    ({None: 2}, "payload[None]", "the key None"),
    ({"a": 2**64}, "payload.a", "64 bits"),
    ({"a": [-(2**63) - 1]}, "payload.a[0]", "64 bits"),
    ({"a": "\ud800"}, "payload.a", "surrogate"),
    ({"a": {"\udfff": 1}}, "payload.a['\\udfff']", "surrogate"),
    ({"a": ["x\udc80"]}, "payload.a[0]", "surrogate"),
    ([1], "payload", "not a mapping"),
    ("text", "payload", "not a mapping"),
    (None, "payload", "not a mapping"),
]


@pytest.mark.parametrize(("payload", "path", "text"), REFUSED)
def test_what_json_cannot_hold_is_refused_with_its_path(payload: Any, path: str, text: str) -> None:
    with pytest.raises(InvalidPayload, match="payload") as caught:
        freeze(payload)
    assert caught.value.path == path
    assert path in str(caught.value)
    assert text in str(caught.value)


def test_the_name_of_the_whole_can_be_another() -> None:
    with pytest.raises(InvalidPayload) as caught:
        freeze({"a": Own()}, path="state")
    assert caught.value.path == "state.a"


def test_a_hostile_key_does_not_make_a_hostile_message() -> None:
    with pytest.raises(InvalidPayload) as caught:
        freeze({"\x1b[31m" * 1000: Own()})
    assert len(str(caught.value)) < 300
    assert "\x1b" not in str(caught.value)


# -- limits ------------------------------------------------------------------------------------


def nested(depth: int) -> dict[str, Any]:
    """So many containers, lists and dicts by turns, inside each other."""
    value: Any = {} if depth % 2 else []
    for level in range(depth - 1, 0, -1):
        value = {"a": value} if level % 2 else [value]
    return cast("dict[str, Any]", value)


def test_the_payload_itself_is_the_first_of_the_containers() -> None:
    assert freeze(nested(64))
    with pytest.raises(PayloadTooLarge, match="deeper") as caught:
        freeze(nested(65))
    assert caught.value.limit == 64
    assert caught.value.path == "payload" + ".a[0]" * 32


def test_depth_counts_through_what_is_frozen_already() -> None:
    payload = freeze({})
    for _ in range(63):
        payload = freeze({"a": payload})
    with pytest.raises(PayloadTooLarge):
        freeze({"a": payload})
    with pytest.raises(PayloadTooLarge):
        freeze(payload, Limits(payload_depth=63))


def test_a_cycle_is_too_deep() -> None:
    around: list[Any] = []
    around.append({"again": around})
    with pytest.raises(PayloadTooLarge, match="contains itself"):
        freeze({"a": around})


@given(PAYLOADS, st.integers(-40, 40))
def test_size_is_measured_to_the_byte(payload: dict[str, Any], room: int) -> None:
    size = len(orjson.dumps(payload))
    limits = Limits(payload_bytes=max(2, size + room))
    for given_ in (payload, freeze(payload), {"a": freeze(payload)}):
        exact = len(orjson.dumps(given_))
        if exact <= limits.payload_bytes:
            assert freeze(given_, limits) == given_
        else:
            with pytest.raises(PayloadTooLarge, match="bytes"):
                freeze(given_, limits)


def test_the_default_limit_is_a_mebibyte_of_json() -> None:
    frame = len('{"a":""}')
    assert freeze({"a": "x" * (1_048_576 - frame)})
    with pytest.raises(PayloadTooLarge, match="1,048,577 bytes") as caught:
        freeze({"a": "x" * (1_048_577 - frame)})
    assert caught.value.limit == 1_048_576
    assert caught.value.path == "payload"


def test_size_counts_through_what_is_frozen_already() -> None:
    half = freeze({"a": "x" * 600_000})
    with pytest.raises(PayloadTooLarge):
        freeze({"a": half, "b": half})
    many = freeze({"keys": {"k" * 1000 + str(i): None for i in range(600)}})
    with pytest.raises(PayloadTooLarge):
        freeze({"a": many, "b": many})


def test_paths_read_like_python() -> None:
    assert join_path("payload", ["items", 3, "when"]) == "payload.items[3].when"
    assert join_path("payload", ["a b"]) == "payload['a b']"
    assert join_path("", ["a", "b"]) == "a.b"
