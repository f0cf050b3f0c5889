"""Typed payloads: declarations, versions and upcasters.

Declarations are global to the process, so each test has event types of its own.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.errors import IncompatibleVersion, PayloadMismatch, SchemaError
from choreia.runtime.events.event import Event
from choreia.runtime.events.payload import FrozenDict
from choreia.runtime.events.schema import (
    class_of,
    event_type,
    structure,
    type_of,
    unstructure,
    upcast,
    upcaster,
)

NUMBERS = itertools.count()


def fresh() -> str:
    return f"tests.schema.t{next(NUMBERS)}"


@event_type("tests.schema.order", version="2.1.0")
@attrs.frozen
class Order:
    order_id: int
    currency: str = "EUR"


def order(version: str = "2.1.0", **payload: Any) -> Event:
    return Event("tests.schema.order", "shop", payload, metadata={"version": version})


def renamed(cls: Any, name: str = "Thing", module: str = "tests.elsewhere") -> Any:
    """A class as another module, or the same one loaded again, would define it."""
    cls.__qualname__, cls.__module__ = name, module
    return cls


def thing(name: str = "Thing", module: str = "tests.elsewhere") -> Any:
    @attrs.frozen
    class Thing:
        a: int = 0

    return renamed(Thing, name, module)


# -- declarations -------------------------------------------------------------------------------


def test_a_declared_class_knows_its_type() -> None:
    assert type_of(Order) == type_of(Order(1)) == ("tests.schema.order", "2.1.0")
    assert class_of("tests.schema.order", "2.1.0") is Order
    assert class_of("tests.schema.order", "2.0.0") is None


def test_the_version_has_a_default() -> None:
    assert type_of(event_type(fresh())(thing()))[1] == "1.0.0"  # type: ignore[index]


@pytest.mark.parametrize(
    "other", [None, 5, {}, dict, type, object(), "tests.schema.order"], ids=repr
)
def test_nothing_else_has_a_type(other: object) -> None:
    assert type_of(other) is None


def test_a_subclass_is_not_declared_by_its_parent() -> None:
    @attrs.frozen
    class Special(Order):
        pass

    assert type_of(Special) is None
    with pytest.raises(SchemaError, match="Special is not declared"):
        unstructure(Special(1))
    with pytest.raises(SchemaError, match="Special is not declared"):
        structure(order(order_id=1), Special)


@pytest.mark.parametrize("type", ["", "a..b", "a.*", "a b", None, 5])
def test_a_malformed_type_is_refused_where_it_is_written(type: Any) -> None:
    with pytest.raises(SchemaError, match="event type"):
        event_type(type)
    with pytest.raises(SchemaError, match="event type"):
        upcaster(type, "1.0.0", "2.0.0")


@pytest.mark.parametrize("version", ["", "1", "1.0", "v1.0.0", "1.0.0-rc", None, 1])
def test_a_malformed_version_is_refused_where_it_is_written(version: Any) -> None:
    with pytest.raises(SchemaError, match=r"MAJOR\.MINOR\.PATCH"):
        event_type(fresh(), version)
    with pytest.raises(SchemaError, match=r"MAJOR\.MINOR\.PATCH"):
        upcaster(fresh(), version, "2.0.0")
    with pytest.raises(SchemaError, match=r"MAJOR\.MINOR\.PATCH"):
        upcaster(fresh(), "1.0.0", version)


def test_only_frozen_attrs_classes_are_payloads() -> None:
    class Plain:
        pass

    @attrs.define
    class Writable:
        a: int = 0

    @dataclasses.dataclass(frozen=True)
    class Data:
        a: int = 0

    class Subclass(Order):  # not an attrs class itself
        pass

    wrong: Any
    for wrong in (Plain, Writable, Data, Subclass, Order(1), None, 5):
        with pytest.raises(SchemaError, match=r"@attrs\.frozen"):
            event_type(fresh())(wrong)


def test_two_classes_for_one_type_and_version_conflict() -> None:
    type = fresh()
    event_type(type)(thing("First"))
    with pytest.raises(SchemaError, match=r"tests\.elsewhere\.First already.*Second too"):
        event_type(type)(thing("Second"))
    with pytest.raises(SchemaError, match="already"):
        event_type(type)(thing("First", "tests.another"))
    event_type(type, "2.0.0")(thing("Second"))


def test_a_module_can_be_loaded_again() -> None:
    type = fresh()
    before, after = event_type(type)(thing()), event_type(type)(thing())
    assert class_of(type, "1.0.0") is after
    assert type_of(before) == type_of(after)


def test_a_class_has_one_type() -> None:
    declared = event_type(fresh())(thing())
    with pytest.raises(SchemaError, match="already"):
        event_type(fresh())(declared)


# -- structuring --------------------------------------------------------------------------------


def test_instances_go_round() -> None:
    assert unstructure(Order(1)) == {"order_id": 1, "currency": "EUR"}
    event = Event("tests.schema.order", "shop", Order(7, "CHF"))
    assert event.metadata.version == "2.1.0"
    assert structure(event, Order) == Order(7, "CHF")


@pytest.mark.parametrize("version", ["2.1.0", "2.0.0", "2.9.9", "1.0.0"])
def test_what_fits_is_read(version: str) -> None:
    assert structure(order(version, order_id=1, added=True), Order) == Order(1)


@pytest.mark.parametrize("version", ["3.0.0", "10.0.0"])
def test_a_newer_major_version_is_not(version: str) -> None:
    with pytest.raises(IncompatibleVersion, match="update it") as caught:
        structure(order(version, order_id=1), Order)
    assert (caught.value.type, caught.value.version) == ("tests.schema.order", version)


def test_what_does_not_fit_is_told_in_full() -> None:
    with pytest.raises(PayloadMismatch) as caught:
        structure(order(currency=5), Order)
    assert caught.value.problems == (
        "required field missing @ payload.order_id",
        "expected string, got integer @ payload.currency",
    )
    assert caught.value.type == "tests.schema.order"
    assert all(problem in str(caught.value) for problem in caught.value.problems)
    assert "upcaster" not in str(caught.value)


def test_an_old_payload_that_does_not_fit_lacks_an_upcaster() -> None:
    with pytest.raises(PayloadMismatch, match=r"no upcaster leads from 1\.0\.0 to 2\.1\.0"):
        structure(order("1.0.0"), Order)


def test_a_class_reads_its_own_type_only() -> None:
    with pytest.raises(PayloadMismatch, match="is a 'other'"):
        structure(Event("other", "s", {"order_id": 1}), Order)


# -- upcasters ----------------------------------------------------------------------------------


def versioned(type: str, version: str, **payload: Any) -> Event:
    return Event(
        type,
        "s",
        payload,
        metadata={"version": version, "correlationId": "c", "hops": 3, "causes": ["x"], "t": 1},
        extra={"new": 1},
    )


def test_with_nothing_to_do_it_is_the_same_event() -> None:
    event = order(order_id=1)
    assert upcast(event) is event
    type = fresh()
    upcaster(type, "1.0.0", "2.0.0")(lambda payload: payload)
    newest = versioned(type, "2.0.0")
    assert upcast(newest) is newest


def test_upcasters_are_chained_to_the_newest_version() -> None:
    type = fresh()

    @upcaster(type, "1.1.0", "2.0.0")
    def second(payload: dict[str, Any]) -> dict[str, Any]:
        return {"steps": [*payload["steps"], 2]}

    @upcaster(type, "1.0.0", "1.1.0")
    def first(payload: dict[str, Any]) -> dict[str, Any]:
        payload["steps"].append(1)  # a copy, free to be written to
        return payload

    @upcaster(type, "2.0.0", "3.0.0")
    def third(payload: dict[str, Any]) -> dict[str, Any]:
        payload["steps"].append(3)
        return payload

    event = versioned(type, "1.0.0", steps=[0])
    lifted = upcast(event)
    assert lifted.payload == {"steps": [0, 1, 2, 3]}
    assert event.payload == {"steps": [0]}
    assert builtin(lifted.payload) is FrozenDict
    assert lifted == event.evolve(
        payload=lifted.payload, metadata=attrs.evolve(event.metadata, version="3.0.0")
    )
    assert upcast(versioned(type, "2.0.0", steps=[])).payload == {"steps": [3]}
    assert first({"steps": []}) == {"steps": [1]}  # the decorator gives the function back


def builtin(value: object) -> type:
    return value.__class__


def test_typed_handlers_see_the_newest_version_only() -> None:
    type = fresh()
    cls = event_type(type, "2.0.0")(renamed(attrs.make_class("New", {"total": int}, frozen=True)))
    cls.__annotations__ = {"total": int}
    upcaster(type, "1.0.0", "2.0.0")(lambda payload: {"total": sum(payload["parts"])})
    assert upcast(versioned(type, "1.0.0", parts=[1, 2])).payload == {"total": 3}


@pytest.mark.parametrize(
    ("version", "lifted"),
    [
        ("1.0.0", "2.0.0"),
        ("1.0.7", "2.0.0"),  # between two: the one below reads it
        ("1.1.0", "2.0.0"),
        ("1.9.0", "2.0.0"),  # a later minor only adds fields
        ("0.9.0", "0.9.0"),  # before the first
        ("2.0.0", "2.0.0"),
        ("2.5.0", "2.5.0"),
        ("3.0.0", "3.0.0"),
    ],
)
def test_versions_between_the_declared_ones(version: str, lifted: str) -> None:
    type = fresh()
    upcaster(type, "1.0.0", "1.1.0")(lambda payload: payload)
    upcaster(type, "1.1.0", "2.0.0")(lambda payload: payload)
    assert upcast(versioned(type, version)).metadata.version == lifted


def test_an_upcaster_does_not_reach_into_another_major() -> None:
    type = fresh()
    upcaster(type, "1.0.0", "3.0.0")(lambda payload: payload)
    assert upcast(versioned(type, "1.5.0")).metadata.version == "3.0.0"
    assert upcast(versioned(type, "2.0.0")).metadata.version == "2.0.0"


@pytest.mark.parametrize(
    ("old", "new"), [("1.0.0", "1.0.0"), ("2.0.0", "1.0.0"), ("1.10.0", "1.9.0")]
)
def test_versions_only_rise_so_there_are_no_cycles(old: str, new: str) -> None:
    with pytest.raises(SchemaError, match="must be later"):
        upcaster(fresh(), old, new)


def named(name: str, line: int = 0) -> Callable[[dict[str, Any]], dict[str, Any]]:
    space: dict[str, Any] = {"__name__": "tests.elsewhere"}
    exec("\n" * line + f"def {name}(payload): return payload", space)
    function: Callable[[dict[str, Any]], dict[str, Any]] = space[name]
    return function


def test_a_version_has_one_way_up() -> None:
    type = fresh()
    upcaster(type, "1.0.0", "2.0.0")(named("lift"))
    for to in ("2.0.0", "3.0.0"):
        with pytest.raises(SchemaError, match="one way up"):
            upcaster(type, "1.0.0", to)(named("other"))
    upcaster(type, "1.0.0", "2.0.0")(named("lift", line=5))  # the module was loaded again


def test_two_nameless_upcasters_are_told_apart_by_their_lines() -> None:
    type = fresh()
    upcaster(type, "1.0.0", "2.0.0")(named("_", line=1))
    with pytest.raises(SchemaError, match="one way up"):
        upcaster(type, "1.0.0", "2.0.0")(named("_", line=9))
    upcaster(type, "1.0.0", "2.0.0")(named("_", line=1))


def test_an_upcaster_declared_later_counts_at_once() -> None:
    type = fresh()
    event = versioned(type, "1.0.0")
    upcaster(type, "2.0.0", "3.0.0")(lambda payload: payload)
    assert upcast(event) is event
    upcaster(type, "1.0.0", "2.0.0")(lambda payload: payload)
    assert upcast(event).metadata.version == "3.0.0"


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (lambda payload: payload["missing"], "KeyError: 'missing'"),
        (lambda payload: 1 / 0, "ZeroDivisionError"),
        (lambda payload: None, "not a mapping"),
        (lambda payload: [1], "not a mapping"),
        (lambda payload: {"a": {1}}, "payload.a"),
        (lambda payload: {"a": "x" * 2_000_000}, "bytes"),
    ],
    ids=["key", "zero", "none", "list", "set", "large"],
)
def test_an_upcaster_that_fails_names_itself(function: Any, problem: str) -> None:
    type = fresh()
    upcaster(type, "1.0.0", "2.0.0")(function)
    with pytest.raises(PayloadMismatch, match=r"upcaster of .* from 1\.0\.0 to 2\.0\.0") as caught:
        upcast(versioned(type, "1.0.0"))
    assert problem in caught.value.problems[0]
    assert caught.value.type == type


def test_an_upcaster_cannot_swallow_an_interrupt() -> None:
    def interrupted(payload: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    type = fresh()
    upcaster(type, "1.0.0", "2.0.0")(interrupted)
    with pytest.raises(KeyboardInterrupt):
        upcast(versioned(type, "1.0.0"))


def test_versions_from_outside_do_not_fill_the_memory() -> None:
    type = fresh()
    upcaster(type, "1.0.0", "2.0.0")(lambda payload: payload)
    for patch in range(2_000):
        assert upcast(versioned(type, f"1.0.{patch}")).metadata.version == "2.0.0"
    from choreia.runtime.events import schema

    assert len(schema._chains[type]._routes) <= 256  # pyright: ignore[reportPrivateUsage]


VERSIONS = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))


def text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


@given(st.dictionaries(VERSIONS, VERSIONS, max_size=6), VERSIONS)
def test_lifting_always_ends_and_never_goes_down(
    steps: dict[tuple[int, ...], tuple[int, ...]], start: tuple[int, ...]
) -> None:
    type = fresh()
    for old, new in steps.items():
        if old < new:
            upcaster(type, text(old), text(new))(lambda payload: {"n": payload["n"] + 1})
    lifted = upcast(versioned(type, text(start), n=0))
    reached = tuple(map(int, lifted.metadata.version.split(".")))
    assert reached >= start
    assert (lifted.payload["n"] == 0) is (reached == start)
    assert upcast(lifted) is lifted


def test_declaring_and_lifting_from_many_threads() -> None:
    types = [fresh() for _ in range(50)]
    wrong: list[Event] = []

    def declare() -> None:
        for type in types:
            upcaster(type, "1.0.0", "2.0.0")(named("lift"))

    def lift() -> None:
        for type in types:
            wrong.extend(
                event
                for event in (upcast(versioned(type, "1.0.0")) for _ in range(20))
                if event.metadata.version not in ("1.0.0", "2.0.0")
            )

    threads = [threading.Thread(target=target) for target in (declare, lift, lift, declare)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert all(upcast(versioned(type, "1.0.0")).metadata.version == "2.0.0" for type in types)
