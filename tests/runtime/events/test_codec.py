"""The JSON of the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from choreia.runtime.errors import ChoreiaError, DecodeError, InvalidPayload
from choreia.runtime.events import codec
from choreia.runtime.events.event import Event, Metadata
from choreia.runtime.events.limits import Limits
from choreia.runtime.events.payload import FrozenDict, freeze

SEED: dict[str, Any] = {
    "id": "e-1",
    "type": "task.completed",
    "source": "did:choreia:local:worker",
    "timestamp": 1_700_000_000.25,
    "payload": {"taskId": "t-123", "result": {"status": "success", "output": {}}},
    "metadata": {"correlationId": "c-1", "causationId": "e-0", "version": "2.0.0"},
}


def wire(**changes: Any) -> str:
    return json.dumps({**SEED, **changes})


def without(name: str) -> str:
    return json.dumps({key: value for key, value in SEED.items() if key != name})


def fault(text: str | bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        codec.decode(text)
    return caught.value


# -- what is written ----------------------------------------------------------------------------


def test_the_seed_goes_round() -> None:
    event = codec.decode(json.dumps(SEED))
    assert event == Event(
        "task.completed",
        "did:choreia:local:worker",
        SEED["payload"],
        id="e-1",
        timestamp=1_700_000_000.25,
        metadata=Metadata("c-1", "e-0", "2.0.0"),
    )
    assert json.loads(codec.encode(event)) == SEED


def test_the_keys_are_exactly_the_seeds_and_in_its_order() -> None:
    event = Event("a", "s", id="i", timestamp=1.5, metadata=Metadata("c", "d"))
    assert codec.encode(event) == (
        b'{"id":"i","type":"a","source":"s","timestamp":1.5,"payload":{},'
        b'"metadata":{"correlationId":"c","causationId":"d","version":"1.0.0"}}'
    )


def test_what_is_empty_is_left_out_and_what_is_not_is_there() -> None:
    plain = json.loads(codec.encode(Event("a", "s")))
    assert plain["metadata"] == {"version": "1.0.0"}
    full = Event("a", "s", metadata={"hops": 2, "causes": ["x", "y"]})
    assert json.loads(codec.encode(full))["metadata"] == {
        "version": "1.0.0",
        "hops": 2,
        "causes": ["x", "y"],
    }


@given(st.from_type(Event))
def test_every_event_goes_round(event: Event) -> None:
    data = codec.encode(event)
    back = codec.decode(data)
    assert back == event
    assert codec.decode(data.decode()) == event
    assert codec.encode(back) == data
    assert type(back.payload) is FrozenDict
    assert type(back.metadata.extensions) is type(back.extra) is FrozenDict


@given(st.from_type(Event))
def test_any_json_reader_understands_it(event: Event) -> None:
    read = json.loads(codec.encode(event))
    assert read["payload"] == event.payload
    assert read["timestamp"] == event.timestamp


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**63, 2**64 - 1])
def test_integers_that_readers_would_round_are_not_written(value: int) -> None:
    event = Event("a", "s", {"ok": 1, "items": [{"n": value}]})
    with pytest.raises(InvalidPayload, match=r"2\*\*53") as caught:
        codec.encode(event)
    assert caught.value.path == "payload.items[0].n"
    with pytest.raises(InvalidPayload) as caught:
        codec.encode(Event("a", "s", metadata={"big": value}))
    assert caught.value.path == "metadata.big"


def test_the_greatest_integers_are() -> None:
    event = Event("a", "s", {"n": [2**53, -(2**53)]})
    assert codec.decode(codec.encode(event)) == event


# -- what is read -------------------------------------------------------------------------------


def test_schema_version_is_the_version_of_the_metadata() -> None:
    assert codec.decode(wire(schemaVersion="3.0.0", metadata={})).metadata.version == "3.0.0"
    assert codec.decode(wire(schemaVersion="2.0.0")).metadata.version == "2.0.0"
    assert b"schemaVersion" not in codec.encode(codec.decode(wire(schemaVersion="2.0.0")))
    assert fault(wire(schemaVersion="3.0.0")).path == "schemaVersion"  # metadata says 2.0.0
    assert fault(wire(schemaVersion=2, metadata={})).path == "schemaVersion"
    assert fault(wire(schemaVersion=None, metadata={})).path == "schemaVersion"


def test_unknown_fields_survive() -> None:
    text = wire(
        newField={"a": [1]},
        version="beside",
        metadata={**SEED["metadata"], "traceparent": "00-1", "correlation_id": "snake", "x": None},
    )
    event = codec.decode(text)
    assert event.extra == {"newField": {"a": [1]}, "version": "beside"}
    assert event.metadata.extensions == {
        "traceparent": "00-1",
        "correlation_id": "snake",
        "x": None,
    }
    assert json.loads(codec.encode(event)) == json.loads(text)
    assert json.loads(codec.encode(event.evolve(type="b"))) == {**json.loads(text), "type": "b"}


@pytest.mark.parametrize("name", ["payload", "metadata"])
def test_payload_and_metadata_may_be_missing(name: str) -> None:
    event = codec.decode(without(name))
    assert event.payload == ({} if name == "payload" else SEED["payload"])
    assert event.metadata == (Metadata() if name == "metadata" else Metadata("c-1", "e-0", "2.0.0"))


@pytest.mark.parametrize("name", ["id", "type", "source", "timestamp"])
def test_the_rest_may_not(name: str) -> None:
    error = fault(without(name))
    assert error.path == name
    assert f"{name} is missing" in str(error)


def test_ids_may_be_null() -> None:
    event = codec.decode(wire(metadata={"correlationId": None, "causationId": None}))
    assert event.metadata == Metadata()


def test_a_whole_timestamp_is_taken() -> None:
    timestamp = codec.decode(wire(timestamp=1_700_000_000)).timestamp
    assert timestamp == 1_700_000_000
    assert type(timestamp) is float


def deep(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("id", {"id": ""}),
    ("id", {"id": None}),
    ("id", {"id": 5}),
    ("id", {"id": True}),
    ("id", {"id": ["a"]}),
    ("id", {"id": "x" * 256}),
    ("id", {"id": "\ud800"}),
    ("type", {"type": ""}),
    ("type", {"type": "a..b"}),
    ("type", {"type": "a.*"}),
    ("type", {"type": "#"}),
    ("type", {"type": "a b"}),
    ("type", {"type": "ä"}),
    ("type", {"type": "a\n"}),
    ("type", {"type": "a" * 256}),
    ("type", {"type": "\ud800"}),
    ("type", {"type": 1}),
    ("type", {"type": ["a"]}),
    ("type", {"type": None}),
    ("source", {"source": ""}),
    ("source", {"source": None}),
    ("source", {"source": {}}),
    ("source", {"source": "x" * 2049}),
    ("source", {"source": "\udfff"}),
    ("timestamp", {"timestamp": "1"}),
    ("timestamp", {"timestamp": None}),
    ("timestamp", {"timestamp": True}),
    ("timestamp", {"timestamp": []}),
    ("timestamp", {"timestamp": 1_700_000_000_000}),
    ("timestamp", {"timestamp": -1e12}),
    ("payload", {"payload": None}),
    ("payload", {"payload": []}),
    ("payload", {"payload": "text"}),
    ("payload", {"payload": 1}),
    ("payload" + ".a" * 64, {"payload": deep(65)}),
    ("payload", {"payload": {"a": "x" * 1_048_576}}),
    ("payload.a[0]", {"payload": {"a": ["\ud800"]}}),
    ("payload['\\ud800']", {"payload": {"\ud800": 1}}),
    ("payload.a", {"payload": {"a": 2**53 + 1}}),
    ("metadata", {"metadata": None}),
    ("metadata", {"metadata": []}),
    ("metadata", {"metadata": "text"}),
    ("metadata.correlationId", {"metadata": {"correlationId": ""}}),
    ("metadata.correlationId", {"metadata": {"correlationId": 5}}),
    ("metadata.correlationId", {"metadata": {"correlationId": "x" * 256}}),
    ("metadata.causationId", {"metadata": {"causationId": False}}),
    ("metadata.causationId", {"metadata": {"causationId": "\ud800"}}),
    ("metadata.version", {"metadata": {"version": "1"}}),
    ("metadata.version", {"metadata": {"version": None}}),
    ("metadata.version", {"metadata": {"version": 1}}),
    ("metadata.version", {"metadata": {"version": "1.0.0-beta"}}),
    ("metadata.version", {"metadata": {"version": "9" * 5000 + ".0.0"}}),
    ("metadata.hops", {"metadata": {"hops": -1}}),
    ("metadata.hops", {"metadata": {"hops": True}}),
    ("metadata.hops", {"metadata": {"hops": 1.0}}),
    ("metadata.hops", {"metadata": {"hops": 2**31}}),
    ("metadata.hops", {"metadata": {"hops": None}}),
    ("metadata.hops", {"metadata": {"hops": "1"}}),
    ("metadata.causes", {"metadata": {"causes": None}}),
    ("metadata.causes", {"metadata": {"causes": "abc"}}),
    ("metadata.causes", {"metadata": {"causes": {"a": 1}}}),
    ("metadata.causes", {"metadata": {"causes": ["a"] * 10_001}}),
    ("metadata.causes[1]", {"metadata": {"causes": ["a", 5]}}),
    ("metadata.causes[0]", {"metadata": {"causes": [""]}}),
    ("metadata" + ".a" * 64, {"metadata": deep(65)}),
    ("metadata.x", {"metadata": {"x": "\ud800"}}),
    (".".join("a" * 64), {"a": deep(64)}),
    ("new.a", {"new": {"a": "\ud800"}}),
    ("", {"new": "x" * 1_048_576}),
]


@pytest.mark.parametrize(
    ("path", "changes"), HOSTILE, ids=[f"{i}-{path[:30]}" for i, (path, _) in enumerate(HOSTILE)]
)
def test_a_hostile_field_is_refused_with_its_path(path: str, changes: dict[str, Any]) -> None:
    error = fault(wire(**changes))
    assert error.path == path
    assert isinstance(error, ChoreiaError)
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("timestamp", '"timestamp":1e999'),
        ("timestamp", '"timestamp":NaN'),
        ("payload.a[0]", '"payload":{"a":[1e999]}'),
        ("payload.a", '"payload":{"a":-1e999}'),
        ("payload.a", '"payload":{"a":Infinity}'),
        ("payload.a", '"payload":{"a":1,"a":1}'),
        ("metadata.x", '"metadata":{"x":1e999}'),
        ("metadata.hops", '"metadata":{"hops":0,"hops":0}'),
        ("new", '"new":1e999'),
        ("id", '"id":"e-2"'),
    ],
    ids=str,
)
def test_what_json_itself_allows_too_easily_is_refused(path: str, text: str) -> None:
    name = text.partition(":")[0].strip('"')
    rest = SEED if name == "id" else {key: SEED[key] for key in SEED if key != name}
    error = fault(json.dumps(rest)[:-1] + "," + text + "}")
    assert error.path == path


def test_what_is_no_object_at_all_is_refused() -> None:
    data: Any
    for data in ("", "[]", "null", "5", '"a"', b"\xff", "[" * 10**5, None, 5):
        fault(data)


def test_limits_can_be_others() -> None:
    small = Limits(payload_bytes=10, payload_depth=1, type_length=5, id_length=32, causes=0)
    small_event = wire(type="a.b", payload={"a": 1}, metadata={})
    assert codec.decode(small_event, small)
    changes: list[dict[str, Any]] = [
        {"payload": {"a": "xxxxxxxx"}},
        {"payload": {"a": {}}},
        {"type": "a.long"},
        {"id": "x" * 33},
        {"metadata": {"causes": ["a"]}},
    ]
    for change in changes:
        with pytest.raises(DecodeError):
            codec.decode(wire(**{"type": "a.b", "payload": {}, "metadata": {}, **change}), small)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from([*SEED, "schemaVersion", "new"])
INNER = st.sampled_from(["correlationId", "causationId", "version", "hops", "causes", "new"])


@given(
    st.binary(max_size=80)
    | st.text(st.characters(), max_size=80)
    | ANY.map(json.dumps)
    | st.dictionaries(FIELDS, ANY, max_size=4).map(lambda changes: wire(**changes))
    | st.dictionaries(INNER, ANY, max_size=4).map(lambda inner: wire(metadata=inner))
)
@example(wire(metadata={"a": "\ud83d"}))
def test_nothing_but_a_decode_error_comes_out(data: bytes | str) -> None:
    try:
        event = codec.decode(data)
    except DecodeError:
        return
    assert codec.decode(codec.encode(event)) == event


def test_what_others_give_is_as_frozen_as_our_own() -> None:
    event = codec.decode(wire(new={"a": [1]}))
    for value in (event.payload["result"], event.extra["new"]["a"]):
        with pytest.raises(TypeError):
            value.clear()
    assert freeze(event.payload) is event.payload
