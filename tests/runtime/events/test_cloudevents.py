"""CloudEvents 1.0, with the project's own Python package as the judge."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.errors import DecodeError, InvalidPayload
from choreia.runtime.events import cloudevents
from choreia.runtime.events.event import Event, Metadata

FULL: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "type": "order.created",
    "source": "https://example.org/shop",
    "time": "2024-11-22T10:40:00.25Z",
    "datacontenttype": "application/json",
    "schemaversion": "2.0.0",
    "correlationid": "c-1",
    "causationid": "e-0",
    "hops": 3,
    "causes": '["a","b"]',
    "data": {"order_id": 1},
}
EVENT = Event(
    "order.created",
    "https://example.org/shop",
    {"order_id": 1},
    id="e-1",
    timestamp=1_732_272_000.25,
    metadata=Metadata("c-1", "e-0", "2.0.0", 3, ("a", "b")),
)


def wire(**changes: Any) -> str:
    return json.dumps({**FULL, **changes})


def fault(text: str | bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        cloudevents.decode(text)
    return caught.value


def judged(data: bytes) -> CloudEvent:
    event = JSONFormat().read(CloudEvent, data)
    assert isinstance(event, CloudEvent)
    return event


# -- the table ----------------------------------------------------------------------------------


def test_each_field_has_its_attribute() -> None:
    assert json.loads(cloudevents.encode(EVENT)) == FULL
    assert cloudevents.decode(wire()) == EVENT
    assert cloudevents.decode(wire().encode()) == EVENT


def test_what_is_empty_is_left_out() -> None:
    bare = Event("a", "s", id="i", timestamp=0.0)
    assert json.loads(cloudevents.encode(bare)) == {
        "specversion": "1.0",
        "id": "i",
        "type": "a",
        "source": "s",
        "time": "1970-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "schemaversion": "1.0.0",
        "data": {},
    }


def test_only_the_required_attributes_are_required() -> None:
    event = cloudevents.decode('{"specversion":"1.0","id":"i","type":"a","source":"s"}')
    assert event == Event("a", "s", id="i", timestamp=event.timestamp)
    assert abs(event.timestamp - datetime.now(UTC).timestamp()) < 60
    for name in ("specversion", "id", "type", "source"):
        error = fault(json.dumps({key: FULL[key] for key in FULL if key != name}))
        assert error.path == name


@given(st.from_type(Event))
def test_every_event_goes_round(event: Event) -> None:
    data = cloudevents.encode(event)
    back = cloudevents.decode(data)
    assert back == event
    assert cloudevents.encode(back) == data


# -- the judge ----------------------------------------------------------------------------------


@given(st.from_type(Event))
def test_the_judge_accepts_and_understands_every_event(event: Event) -> None:
    theirs = judged(cloudevents.encode(event))
    assert (theirs.get_id(), theirs.get_type()) == (event.id, event.type)
    assert theirs.get_source() == event.source
    assert theirs.get_data() == event.payload
    ours = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=event.timestamp)
    time = theirs.get_time()
    assert time is not None
    assert abs(time - ours) <= timedelta(microseconds=1)
    assert theirs.get_extension("correlationid") == event.metadata.correlation_id
    assert theirs.get_extension("schemaversion") == event.metadata.version


@given(st.from_type(Event))
def test_an_event_survives_the_judge(event: Event) -> None:
    back = cloudevents.decode(JSONFormat().write(judged(cloudevents.encode(event))))
    assert abs(back.timestamp - event.timestamp) < 1e-4  # theirs have microseconds
    assert back.evolve(timestamp=event.timestamp) == event


NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20).filter(
    lambda name: name not in {*FULL, "choreiafields", "subject", "dataschema"}
)
STRINGS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=20)
ATTRIBUTES = st.dictionaries(
    NAMES, STRINGS | st.booleans() | st.integers(-(2**31), 2**31 - 1), max_size=4
)
OPTIONAL = st.fixed_dictionaries(
    {},
    optional={
        "subject": STRINGS.filter(bool),
        "dataschema": st.just("https://example.org/schema"),
        "version": STRINGS,
        "timestamp": STRINGS,
        "payload": STRINGS,
    },
)


@given(
    st.builds(
        lambda *parts: {key: value for part in parts for key, value in part.items()},
        ATTRIBUTES,
        OPTIONAL,
    ),
    st.dictionaries(STRINGS, st.integers(0, 9) | STRINGS, max_size=3),
    st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_what_the_judge_writes_goes_round(
    attributes: dict[str, Any], data: dict[str, Any], time: datetime
) -> None:
    theirs = CloudEvent(
        {
            "id": "1",
            "source": "/s",
            "type": "a.b",
            "specversion": "1.0",
            "time": time,
            **attributes,
        },
        data,
    )
    event = cloudevents.decode(JSONFormat().write(theirs))
    assert event.payload == data
    back = judged(cloudevents.encode(event)).get_attributes()
    assert {name: back.get(name) for name in attributes} == attributes
    returned = back["time"]
    assert abs(returned - time) <= timedelta(microseconds=1)
    assert "choreiafields" not in back


# -- what others defined ------------------------------------------------------------------------


def test_extensions_that_can_be_attributes_are() -> None:
    event = EVENT.evolve(
        metadata={"traceparent": "00-1", "sampled": True, "priority": -5, "subject": "order/1"}
    )
    written = json.loads(cloudevents.encode(event))
    assert written["traceparent"] == "00-1"
    assert written["sampled"] is True
    assert written["priority"] == -5
    assert written["subject"] == "order/1"
    assert "choreiafields" not in written


def test_extensions_that_cannot_travel_together() -> None:
    extensions: dict[str, Any] = {
        "camelCase": "x",
        "with_line": "x",
        "nested": {"a": [1]},
        "nothing": None,
        "ratio": 0.5,
        "large": 2**31,
        "control": "\x00",
        "subject": "",
        "id": "taken",
        "data": "taken",
        "choreiafields": "taken",
    }
    event = EVENT.evolve(metadata=extensions, extra={"new": 1})
    written = json.loads(cloudevents.encode(event))
    assert json.loads(written["choreiafields"]) == {"extensions": extensions, "extra": {"new": 1}}
    assert cloudevents.decode(cloudevents.encode(event)) == event
    assert judged(cloudevents.encode(event)).get_id() == "e-1"


def test_an_attribute_called_version_is_not_the_version_of_the_schema() -> None:
    event = cloudevents.decode(wire(version="v7"))
    assert event.metadata.version == "2.0.0"
    assert event.extra == {"version": "v7"}
    assert json.loads(cloudevents.encode(event)) == {**FULL, "version": "v7"}


def test_null_is_the_same_as_missing() -> None:
    event = cloudevents.decode(wire(correlationid=None, causes=None, tenant=None, data=None))
    assert event.metadata.correlation_id is None
    assert event.metadata.causes == ()
    assert event.metadata.extensions == {}
    assert event.payload == {}


@pytest.mark.parametrize(
    "content",
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/json",
        "application/vnd.shop+json",
    ],
)
def test_json_has_many_names(content: str) -> None:
    assert cloudevents.decode(wire(datacontenttype=content)) == EVENT


# -- hostile input ------------------------------------------------------------------------------

HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("specversion", {"specversion": "0.3"}),
    ("specversion", {"specversion": 1.0}),
    ("id", {"id": ""}),
    ("id", {"id": 5}),
    ("id", {"id": "x" * 256}),
    ("type", {"type": "com example"}),
    ("type", {"type": "a" * 256}),
    ("type", {"type": 1}),
    ("source", {"source": ""}),
    ("source", {"source": True}),
    ("time", {"time": "yesterday"}),
    ("time", {"time": 1_700_000_000}),
    ("time", {"time": "2026-01-01T00:00:00"}),
    ("time", {"time": "0001-01-01T00:00:00+23:59"}),
    ("datacontenttype", {"datacontenttype": "text/plain"}),
    ("datacontenttype", {"datacontenttype": 5}),
    ("data_base64", {"data_base64": "AAAA"}),
    ("data", {"data": "text"}),
    ("data", {"data": [1]}),
    ("data.a", {"data": {"a": "\ud800"}}),
    ("data.a", {"data": {"a": 2**60}}),
    ("correlationid", {"correlationid": ""}),
    ("causationid", {"causationid": 5}),
    ("schemaversion", {"schemaversion": "v2"}),
    ("schemaversion", {"schemaversion": 2}),
    ("hops", {"hops": -1}),
    ("hops", {"hops": "3"}),
    ("hops", {"hops": True}),
    ("causes", {"causes": ["a"]}),
    ("causes", {"causes": "a,b"}),
    ("causes", {"causes": "{}"}),
    ("causes", {"causes": '["a"],"x":["b"]'}),
    ("causes[1]", {"causes": '["a",5]'}),
    ("causes", {"causes": "[" * 100_000}),
    ("choreiafields", {"choreiafields": "text"}),
    ("choreiafields", {"choreiafields": {}}),
    ("choreiafields", {"choreiafields": '{"extensions":[]}'}),
    ("choreiafields", {"choreiafields": '{"other":{}}'}),
    ("choreiafields", {"choreiafields": '{"extra":{"id":"x"}}'}),
    ("choreiafields", {"choreiafields": '{"extensions":{"hops":5}}'}),
    ("tenant", {"tenant": "a", "choreiafields": '{"extensions":{"tenant":"b"}}'}),
    ("metadata.tenant", {"tenant": "\ud800"}),
]


@pytest.mark.parametrize(
    ("path", "changes"), HOSTILE, ids=[f"{i}-{path}" for i, (path, _) in enumerate(HOSTILE)]
)
def test_a_hostile_attribute_is_refused_with_its_path(path: str, changes: dict[str, Any]) -> None:
    error = fault(wire(**changes))
    assert error.path == path
    assert len(str(error)) < 300


def test_binary_data_is_refused_by_name() -> None:
    assert "binary data is not supported" in str(fault(wire(data_base64="AAAA")))


def test_large_integers_are_not_written() -> None:
    with pytest.raises(InvalidPayload) as caught:
        cloudevents.encode(EVENT.evolve(payload={"n": [2**60]}))
    assert caught.value.path == "data.n[0]"


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from([*FULL, "choreiafields", "version", "hops2", "Tenant"])


@given(
    st.binary(max_size=60)
    | st.text(st.characters(), max_size=60)
    | st.dictionaries(KEYS, ANY | ANY.map(json.dumps), max_size=4).map(
        lambda changes: wire(**changes)
    )
)
def test_nothing_but_a_decode_error_comes_out(data: bytes | str) -> None:
    try:
        event = cloudevents.decode(data)
    except DecodeError:
        return
    assert cloudevents.decode(cloudevents.encode(event)) == event
