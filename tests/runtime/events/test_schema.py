"""Typed payloads: declarations and versions.

Declarations are global to the process, so each test has event types of its own.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import attrs
import pytest

from choreia.runtime.errors import IncompatibleVersion, PayloadMismatch, SchemaError
from choreia.runtime.events.event import Event
from choreia.runtime.events.schema import (
    class_of,
    event_type,
    newest_classes,
    structure,
    type_of,
    unstructure,
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


def test_the_newest_class_is_that_of_the_highest_version() -> None:
    type = fresh()
    classes = {
        version: event_type(type, version)(thing(f"V{version}"))
        for version in ("2.0.0", "10.1.0", "9.9.9")
    }
    assert newest_classes()[type] is classes["10.1.0"]


def test_the_version_has_a_default() -> None:
    assert type_of(event_type(fresh())(thing()))[1] == "1.0.0"  # type: ignore[index]


def test_nothing_else_has_a_type() -> None:
    others: list[object] = [None, 5, {}, dict, type, object(), "tests.schema.order"]
    for other in others:
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


@pytest.mark.parametrize("version", ["", "1", "1.0", "v1.0.0", "1.0.0-rc", None, 1.5])
def test_a_malformed_version_is_refused_where_it_is_written(version: Any) -> None:
    with pytest.raises(SchemaError, match=r"MAJOR\.MINOR\.PATCH"):
        event_type(fresh(), version)


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
