"""Upcasters: old payloads reach handlers in the newest version.

Declarations are global to the process, so each test has event types of its own.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.errors import PayloadMismatch, SchemaError
from choreia.runtime.events import upcasting
from choreia.runtime.events.event import Event
from choreia.runtime.events.payload import FrozenDict
from choreia.runtime.events.schema import event_type, structure
from choreia.runtime.events.upcasting import (
    outdated,
    upcast,
    upcast_if_possible,
    upcast_version,
    upcaster,
)

NUMBERS = itertools.count()


def fresh() -> str:
    return f"tests.upcasting.t{next(NUMBERS)}"


def same(payload: dict[str, Any]) -> dict[str, Any]:
    return payload


def counted(payload: dict[str, Any]) -> dict[str, Any]:
    return {"n": payload["n"] + 1}


def versioned(type: str, version: str, **payload: Any) -> Event:
    return Event(
        type,
        "s",
        payload,
        metadata={"version": version, "correlationId": "c", "hops": 3, "causes": ["x"], "t": 1},
        extra={"new": 1},
    )


def test_with_nothing_to_do_it_is_the_same_event() -> None:
    type = fresh()
    event = versioned(type, "1.0.0")
    assert upcast(event) is event
    upcaster(type, "1.0.0", "2.0.0")(same)
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

    @event_type(type, "2.0.0")
    @attrs.frozen
    class Total:
        total: int

    @upcaster(type, "1.0.0", "2.0.0")
    def add(payload: dict[str, Any]) -> dict[str, Any]:
        return {"total": sum(payload["parts"])}

    old = versioned(type, "1.0.0", parts=[1, 2])
    assert structure(upcast(old), Total) == Total(3)
    with pytest.raises(PayloadMismatch):
        structure(old, Total)


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
    upcaster(type, "1.0.0", "1.1.0")(same)
    upcaster(type, "1.1.0", "2.0.0")(same)
    assert upcast(versioned(type, version)).metadata.version == lifted


def test_an_upcaster_does_not_reach_into_another_major() -> None:
    type = fresh()
    upcaster(type, "1.0.0", "3.0.0")(same)
    assert upcast(versioned(type, "1.5.0")).metadata.version == "3.0.0"
    assert upcast(versioned(type, "2.0.0")).metadata.version == "2.0.0"


@pytest.mark.parametrize(
    ("old", "new"), [("1.0.0", "1.0.0"), ("2.0.0", "1.0.0"), ("1.10.0", "1.9.0")]
)
def test_versions_only_rise_so_there_are_no_cycles(old: str, new: str) -> None:
    with pytest.raises(SchemaError, match="must be later"):
        upcaster(fresh(), old, new)


@pytest.mark.parametrize("type", ["", "a..b", "a.*", None, 5])
def test_a_malformed_type_is_refused_where_it_is_written(type: Any) -> None:
    with pytest.raises(SchemaError, match="event type"):
        upcaster(type, "1.0.0", "2.0.0")


@pytest.mark.parametrize("version", ["", "1", "1.0", "v1.0.0", "1.0.0-rc", None, 1.5])
def test_a_malformed_version_is_refused_where_it_is_written(version: Any) -> None:
    for versions in ((version, "2.0.0"), ("1.0.0", version)):
        with pytest.raises(SchemaError, match=r"MAJOR\.MINOR\.PATCH"):
            upcaster(fresh(), *versions)


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
    upcaster(type, "2.0.0", "3.0.0")(same)
    assert upcast(event) is event
    upcaster(type, "1.0.0", "2.0.0")(same)
    assert upcast(event).metadata.version == "3.0.0"


def missing(payload: dict[str, Any]) -> Any:
    return payload["missing"]


def returning(value: object) -> Callable[[dict[str, Any]], Any]:
    return lambda _: value


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (missing, "KeyError: 'missing'"),
        (returning(None), "not a mapping"),
        (returning([1]), "not a mapping"),
        (returning({"a": {1}}), "payload.a"),
        (returning({"a": "x" * 2_000_000}), "bytes"),
    ],
    ids=["raises", "none", "list", "set", "large"],
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
    upcaster(type, "1.0.0", "2.0.0")(same)
    for patch in range(2_000):
        assert upcast(versioned(type, f"1.0.{patch}")).metadata.version == "2.0.0"
    assert len(upcasting._chains[type]._routes) <= 256  # pyright: ignore[reportPrivateUsage]


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
            upcaster(type, text(old), text(new))(counted)
    lifted = upcast(versioned(type, text(start), n=0))
    reached = tuple(map(int, lifted.metadata.version.split(".")))
    assert reached >= start
    assert (lifted.payload["n"] == 0) is (reached == start)
    assert upcast(lifted) is lifted
    assert upcast_version(type, text(start)) == lifted.metadata.version
    assert outdated(versioned(type, text(start))) is (reached != start)
    assert not outdated(lifted)


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


def test_what_an_upcaster_fails_on_stays_outdated() -> None:
    type = fresh()
    event = versioned(type, "1.0.0", n=1)
    assert not outdated(event), "there is nothing to lift it"
    assert upcast_if_possible(event) is event
    upcaster(type, "1.0.0", "2.0.0")(counted)
    assert outdated(event)
    lifted = upcast_if_possible(event)
    assert lifted.payload == {"n": 2}
    assert not outdated(lifted)
    broken = versioned(type, "1.0.0", m=1)
    assert upcast_if_possible(broken) is broken
    assert outdated(broken)
