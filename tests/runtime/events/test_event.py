"""Events: checked when they are made, immutable, equal by value."""

from __future__ import annotations

import copy
import json
import pickle
import re
import subprocess
import sys
import time
from typing import Any

import attrs
import pytest

from choreia.runtime.errors import (
    InvalidEvent,
    InvalidPayload,
    InvalidType,
    PayloadTooLarge,
    SchemaError,
)
from choreia.runtime.events.event import Event, Metadata, make_event, make_metadata
from choreia.runtime.events.payload import EMPTY, FrozenDict, freeze
from choreia.runtime.events.schema import event_type


@event_type("tests.event.greeted", version="2.1.0")
@attrs.frozen
class Greeted:
    name: str
    times: int = 1


def event(**changes: Any) -> Event:
    fields: dict[str, Any] = {
        "type": "order.created",
        "source": "shop",
        "payload": {"order_id": 1, "lines": [{"sku": "tea"}]},
        "id": "e-1",
        "timestamp": 1_700_000_000.5,
    }
    return Event(**{**fields, **changes})


# -- making ------------------------------------------------------------------------------------


def test_type_and_source_are_enough() -> None:
    before = time.time()
    made = Event("order.created", "shop")
    assert re.fullmatch("[0-9a-f]{32}", made.id)
    assert before <= made.timestamp <= time.time()
    assert made.payload == {}
    assert made.metadata == Metadata()
    assert made.metadata.version == "1.0.0"
    assert made.metadata.correlation_id is None


def test_two_events_have_two_ids() -> None:
    assert Event("a", "s").id < Event("a", "s").id


def test_everything_can_be_given_by_name() -> None:
    metadata = Metadata("c", "d", "2.0.0", 3, ("x",), freeze({"tenant": "t"}))
    made = event(metadata=metadata, extra={"new": 1})
    assert (made.id, made.type, made.source, made.timestamp) == (
        "e-1",
        "order.created",
        "shop",
        1_700_000_000.5,
    )
    assert made.payload == {"order_id": 1, "lines": [{"sku": "tea"}]}
    assert made.metadata is metadata
    assert made.extra == {"new": 1}


@pytest.mark.parametrize(
    ("correlation", "causation"),
    [("correlationId", "causationId"), ("correlation_id", "causation_id")],
)
def test_metadata_may_be_a_mapping(correlation: str, causation: str) -> None:
    mapping: dict[str, Any] = {correlation: "c", causation: "d", "version": "1.2.0", "hops": 2}
    mapping["causes"] = ["x"]
    made = event(metadata={**mapping, "traceparent": "00-1", "nested": {"a": [1]}})
    assert made.metadata == Metadata(
        correlation_id="c",
        causation_id="d",
        version="1.2.0",
        hops=2,
        causes=("x",),
        extensions=freeze({"traceparent": "00-1", "nested": {"a": [1]}}),
    )
    assert type(made.metadata.extensions["nested"]) is FrozenDict


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"type": "a..b"}, InvalidType, "segment"),
        ({"type": "a.*"}, InvalidType, r"a\.\*"),
        ({"type": "a." * 130 + "b"}, InvalidType, "255"),
        ({"source": ""}, InvalidEvent, "source"),
        ({"source": None}, InvalidEvent, "source"),
        ({"id": ""}, InvalidEvent, "id"),
        ({"id": 7}, InvalidEvent, "id"),
        ({"timestamp": float("nan")}, InvalidEvent, "timestamp"),
        ({"timestamp": True}, InvalidEvent, "timestamp"),
        ({"payload": [1]}, InvalidPayload, "not a mapping"),
        ({"payload": None}, InvalidPayload, "not a mapping"),
        ({"payload": {"a": {1}}}, InvalidPayload, r"payload\.a"),
        ({"payload": {"a": "x" * 1_048_576}}, PayloadTooLarge, "bytes"),
        ({"payload": object()}, InvalidPayload, "@event_type"),
        ({"metadata": "c"}, InvalidEvent, "metadata"),
        ({"metadata": {"correlationId": ""}}, InvalidEvent, "correlationId"),
        ({"metadata": {"causationId": 5}}, InvalidEvent, "causationId"),
        ({"metadata": {"version": "1"}}, InvalidEvent, "version"),
        ({"metadata": {"hops": -1}}, InvalidEvent, "hops"),
        ({"metadata": {"causes": "abc"}}, InvalidEvent, "causes"),
        ({"metadata": {"tenant": {1}}}, InvalidPayload, r"metadata\.tenant"),
        ({"metadata": {1: 2}}, InvalidPayload, "metadata"),
        (
            {"metadata": {"hops": 1, "correlationId": "a", "correlation_id": "a"}},
            InvalidEvent,
            "twice",
        ),
        ({"extra": {"id": 1}}, InvalidEvent, "id"),
    ],
)
def test_a_field_that_breaks_the_rules_is_named(
    changes: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        event(**changes)
    assert isinstance(caught.value, InvalidEvent)


def test_typed_payloads_bring_their_version() -> None:
    made = Event("tests.event.greeted", "s", Greeted("Ann"), metadata={"correlationId": "c"})
    assert made.payload == {"name": "Ann", "times": 1}
    assert made.metadata.version == "2.1.0"
    assert made.metadata.correlation_id == "c"


def test_a_typed_payload_belongs_to_its_type() -> None:
    with pytest.raises(InvalidEvent, match=r"Greeted.*'tests.event.greeted'"):
        Event("order.created", "s", Greeted("Ann"))


def test_a_class_that_nothing_declares_is_no_payload() -> None:
    @attrs.frozen
    class Undeclared:
        name: str

    with pytest.raises(InvalidPayload, match="@event_type"):
        Event("a", "s", Undeclared("x"))
    with pytest.raises(InvalidPayload):
        Event("tests.event.greeted", "s", Greeted)


# -- immutability ------------------------------------------------------------------------------


def test_no_field_can_be_set_or_deleted() -> None:
    made = event()
    for target in (made, made.metadata):
        for field in attrs.fields(type(target)):
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                setattr(target, field.name, "x")
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                delattr(target, field.name)
        with pytest.raises(AttributeError):
            target.something_new = 1  # type: ignore[union-attr]


def test_the_payload_cannot_be_written_to() -> None:
    made = event()
    with pytest.raises(TypeError, match="copy_payload"):
        made.payload["order_id"] = 2
    with pytest.raises(TypeError, match="copy_payload"):
        made.payload["lines"][0]["sku"] = "coffee"
    with pytest.raises(TypeError, match="copy_payload"):
        made.payload["lines"].append(1)


def test_the_payload_is_cut_off_from_the_dict_it_came_from() -> None:
    lines = [{"sku": "tea"}]
    extension = {"a": [1]}
    made = event(payload={"lines": lines}, metadata={"x": extension})
    lines[0]["sku"] = "coffee"
    extension["a"].append(2)
    assert made.payload == {"lines": [{"sku": "tea"}]}
    assert made.metadata.extensions == {"x": {"a": [1]}}


def test_a_copy_of_the_payload_is_plain_and_free() -> None:
    made = event()
    free = made.copy_payload()
    free["lines"][0]["sku"] = "coffee"
    free["lines"].append(1)
    assert made.payload == {"order_id": 1, "lines": [{"sku": "tea"}]}
    assert type(free) is dict
    assert type(free["lines"]) is list


def test_events_made_quickly_are_as_frozen() -> None:
    made = make_event("i", "a.b", "s", 1.0, EMPTY, make_metadata("c", "d"))
    assert type(made) is Event
    assert type(made.metadata) is Metadata
    assert made == Event("a.b", "s", id="i", timestamp=1.0, metadata=Metadata("c", "d"))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.id = "x"  # type: ignore[misc]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.metadata.hops = 9  # type: ignore[misc]


def test_the_quick_way_fills_every_field() -> None:
    # A field added to a class and forgotten in its draft would be missing, not wrong.
    metadata = make_metadata("c", "d", "1.1.0", 2, ("x",), EMPTY)
    made = make_event("i", "a", "s", 1.0, EMPTY, metadata, EMPTY)
    assert all(hasattr(made, field.name) for field in attrs.fields(Event))
    assert metadata == Metadata("c", "d", "1.1.0", 2, ("x",))


# -- values ------------------------------------------------------------------------------------


def test_events_are_equal_by_value_and_hashed_by_id() -> None:
    assert event() == event()
    assert len({event(), event(), event(id="e-2")}) == 2
    assert hash(event(payload={})) == hash(event())
    changes: list[dict[str, Any]] = [
        {"id": "x"},
        {"type": "x"},
        {"source": "x"},
        {"timestamp": 1},
        {"payload": {}},
        {"metadata": {"hops": 1}},
        {"extra": {"a": 1}},
    ]
    for change in changes:
        assert event(**change) != event()
    assert {Metadata(): 1}[Metadata()] == 1


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_events_pickle(protocol: int) -> None:
    made = event(metadata={"tenant": "t", "causes": ["x"]}, extra={"a": [1]})
    back = pickle.loads(pickle.dumps(made, protocol))
    assert back == made
    with pytest.raises(TypeError):
        back.payload["lines"].append(1)


def test_copies_of_what_cannot_change_are_itself() -> None:
    made = event()
    assert copy.copy(made) is made
    assert copy.deepcopy([made])[0] is made


def test_evolving_checks_like_making() -> None:
    made = event(metadata={"tenant": "t"}, extra={"new": 1})
    changed = made.evolve(type="order.paid", payload={"a": (1,)})
    assert (changed.type, changed.payload) == ("order.paid", {"a": [1]})
    assert changed.id == made.id
    assert changed.metadata == made.metadata
    assert changed.extra == {"new": 1}
    assert made.type == "order.created"
    with pytest.raises(InvalidType):
        made.evolve(type="a b")


def test_the_repr_is_short_safe_and_without_secrets() -> None:
    made = event(
        source="\x1b[31m\u202eshop",
        payload={"password": "hunter2", "text": "\x1b[2J", "big": ["x" * 1000] * 1000},
        metadata={"causes": ["c" * 200] * 100, "access_token": "hunter2"},
    )
    text = repr(made) + repr(made.metadata)
    assert "type='order.created'" in text
    assert "hunter2" not in text
    assert text.isprintable()
    assert len(text) < 700


# -- seams -------------------------------------------------------------------------------------


def test_to_and_from_json_and_cloudevents() -> None:
    made = event(metadata={"correlationId": "c"})
    assert json.loads(made.to_json())["metadata"]["correlationId"] == "c"
    assert Event.from_json(made.to_json()) == made
    assert Event.from_json(made.to_json().decode()) == made
    assert Event.from_cloudevent(made.to_cloudevent()) == made
    assert Event.from_cloudevent(made.to_cloudevent().decode()) == made


def test_importing_it_is_cheap() -> None:
    heavy = "rich click cattrs cattr pykka asyncio choreia.actors choreia.runtime.delivery"
    code = (
        "import sys, choreia.runtime.events.event\n"
        f"print([n for n in sys.modules if n.startswith(tuple({heavy.split()!r}))])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == "[]"


def test_plain_payloads_never_load_cattrs() -> None:
    code = (
        "import sys\n"
        "from choreia.runtime.events.event import Event\n"
        "from choreia.runtime.events.schema import upcast\n"
        "e = upcast(Event('a', 's', {'x': 1}))\n"
        "assert Event.from_json(e.to_json()) == Event.from_cloudevent(e.to_cloudevent()) == e\n"
        "print('cattrs' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == "False"


def test_a_schema_that_cannot_be_understood_says_so_when_published() -> None:
    @event_type("tests.event.puzzling")
    @attrs.frozen
    class Puzzling:
        field: "Nowhere"  # type: ignore[name-defined]  # noqa: F821, UP037

    from choreia.runtime.events.schema import structure

    with pytest.raises(SchemaError, match=r"Puzzling.*Nowhere"):
        structure(Event("tests.event.puzzling", "s", {"field": 1}), Puzzling)
