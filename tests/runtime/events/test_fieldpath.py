"""Paths in filters."""

from __future__ import annotations

import pytest

from choreia.runtime.errors import InvalidFilter
from choreia.runtime.events.event import Event, Metadata
from choreia.runtime.events.fieldpath import of_event, of_value
from choreia.runtime.events.operators import MISSING
from choreia.runtime.events.payload import Json

EVENT = Event(
    type="order.created",
    source="shop",
    id="id-1",
    timestamp=12.5,
    payload={
        "flat": 1,
        "null": None,
        "deep": {"er": {"est": 3}},
        "list": [10, 20, [30, 31]],
        "items": [{"p": 1}, {"p": 2, "q": 3}, 4, None, [{"p": 5}]],
        "0": "zero",
        "grid": [[{"p": 1}], [{"p": 2}]],
        "places": [{"1": "key"}, "value", {"0": 9}],
        "empty": [],
    },
    metadata=Metadata(
        correlation_id="case-1",
        version="2.0.0",
        hops=3,
        causes=("c1", "c2"),
        extensions={"tenant": "acme", "trace": {"id": 7}},
    ),
)


def values(path: str, event: Event = EVENT) -> list[object]:
    found: list[object] = []

    def collect(value: object) -> bool:
        found.append(value)
        return False

    of_event(path, path)(collect)(event)
    return found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("type", ["order.created"]),
        ("source", ["shop"]),
        ("id", ["id-1"]),
        ("timestamp", [12.5]),
        ("payload.flat", [1]),
        ("payload.null", [None]),
        ("payload.none", [MISSING]),
        ("payload.0", ["zero"]),
        ("payload.deep.er.est", [3]),
        ("payload.deep.er", [{"est": 3}]),
        ("payload.deep.no.est", [MISSING]),
        ("payload.flat.x", [MISSING]),
        ("payload.null.x", [MISSING]),
        # the array itself at the end of a path: its elements are the operator's business
        ("payload.list", [[10, 20, [30, 31]]]),
        # on the way: each element that is an object, and the element at a place
        ("payload.items.p", [1, 2]),
        ("payload.items.q", [MISSING, 3]),
        ("payload.list.0", [10]),
        ("payload.list.2", [[30, 31]]),
        ("payload.list.2.1", [31]),
        ("payload.list.3", []),
        ("payload.list.x", []),
        ("payload.list.00", []),
        ("payload.list.-1", []),
        ("payload.list.²", []),
        ("payload.list." + "9" * 5_000, []),
        ("payload.items.1.q", [MISSING, 3]),
        ("payload.grid.p", []),  # arrays directly in arrays are not gone into
        ("payload.grid.1.p", [2]),
        ("payload.places.1", ["key", MISSING, "value"]),
        ("payload.empty.x", []),
        ("metadata.correlationId", ["case-1"]),
        ("metadata.correlation_id", ["case-1"]),
        ("metadata.causationId", [MISSING]),
        ("metadata.causation_id", [MISSING]),
        ("metadata.version", ["2.0.0"]),
        ("metadata.hops", [3]),
        ("metadata.causes", [["c1", "c2"]]),
        ("metadata.causes.1", ["c2"]),
        ("metadata.tenant", ["acme"]),
        ("metadata.extensions.tenant", ["acme"]),
        ("metadata.trace.id", [7]),
        ("metadata.extensions.trace.id", [7]),
        ("metadata.other", [MISSING]),
    ],
)
def test_where_paths_lead(path: str, expected: list[object]) -> None:
    found = values(path)
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_a_path_inside_an_element() -> None:
    found: list[object] = []
    of_value("a.b", "here")(lambda value: bool(found.append(value)))({"a": [{"b": 1}, {"b": 2}]})  # type: ignore[func-returns-value]
    assert found == [1, 2]


def test_arrays_in_arrays_do_not_multiply() -> None:
    """Each level can be gone into by place and as one of all: 2**30 ways in all."""
    nested: Json = {"0": 1}
    for _ in range(30):
        nested = {"0": [nested]}
    event = Event("t", "s", {"a": [nested]})
    assert len(values("payload.a" + ".0" * 45, event)) < 100


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (
            "priority",
            r"no 'priority'; paths are payload\.<name>, .*Did you mean 'payload\.priority'",
        ),
        ("paylod.x", r"Did you mean 'payload\.x'"),
        ("meta.x", "an event has no 'meta'"),
        ("payload", r"say which field of the payload is meant: payload\.<name>"),
        ("metadata", r"say which field of the metadata is meant"),
        ("type.x", "type has nothing inside"),
        ("timestamp.year", "timestamp has nothing inside"),
        ("metadata.version.major", r"metadata\.version has nothing inside"),
        ("metadata.correlationId.x", r"metadata\.correlationId has nothing inside"),
        ("payload.", r"segment 2 of the path 'payload\.' is empty"),
        ("payload..x", "segment 2 of the path"),
        (".payload", "segment 1 of the path"),
        ("payload.x.$gt", r"operators go inside: \{'payload\.x': \{'\$gt': …\}\}"),
        ("payload" + ".x" * 64, "the path has 65 segments, 64 are allowed"),
    ],
)
def test_a_bad_path_is_refused(path: str, fault: str) -> None:
    with pytest.raises(InvalidFilter, match=fault) as caught:
        of_event(path, path)
    assert caught.value.path == path
