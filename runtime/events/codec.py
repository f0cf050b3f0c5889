"""Events as the JSON of the wire, and back.

    {"id", "type", "source", "timestamp", "payload",
     "metadata": {"correlationId", "causationId", "version", "hops", "causes"}}

Ids that are None, no hops and no causes are left out. Extensions stand in ``metadata``
beside the named fields, unknown top-level fields beside ``metadata``, so what a newer
version added survives a pass through this one. A top-level ``schemaVersion`` is read as
``metadata.version``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

import orjson

from choreia.runtime.errors import DecodeError, InvalidEvent, InvalidPayload
from choreia.runtime.events import fields, strictjson
from choreia.runtime.events.event import Event, Metadata, make_event, make_metadata
from choreia.runtime.events.limits import DEFAULT_LIMITS, Limits
from choreia.runtime.events.payload import EMPTY, freeze
from choreia.runtime.events.topic import check_type

T = TypeVar("T")


def encode(event: Event) -> bytes:
    """The event as JSON. Raises `InvalidPayload` for an integer beyond ±2**53, with its path."""
    return dump(
        {
            "id": event.id,
            "type": event.type,
            "source": event.source,
            "timestamp": event.timestamp,
            "payload": event.payload,
            "metadata": _metadata_fields(event.metadata),
            **event.extra,
        }
    )


def decode(data: bytes | str, limits: Limits = DEFAULT_LIMITS) -> Event:
    """Read an event. Raises `DecodeError` for everything else, with the path of the fault.

    ``id``, ``type``, ``source`` and ``timestamp`` must be there; ``payload`` and ``metadata``
    may be missing, which is the same as empty.
    """
    wire = strictjson.parse(data, limits)
    metadata = _object(wire, "metadata")
    if "schemaVersion" in wire:
        metadata = _with_version(metadata, wire["schemaVersion"])
    extra = {key: value for key, value in wire.items() if key not in fields.EVENT_FIELDS}
    return make_event(
        at("id", fields.check_id, required(wire, "id"), "id", limits),
        at("type", check_type, required(wire, "type"), limits.type_length),
        at("source", fields.check_source, required(wire, "source"), limits),
        at("timestamp", fields.check_timestamp, required(wire, "timestamp")),
        at("payload", freeze, _object(wire, "payload"), limits),
        _decode_metadata(metadata, limits),
        at("", fields.check_extra, extra, limits) if extra else EMPTY,
    )


# -- shared with `cloudevents` ----------------------------------------------------------------


def dump(document: object) -> bytes:
    """JSON that every reader takes exactly. Raises `InvalidPayload` for larger integers."""
    try:
        return orjson.dumps(document, option=orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:
        path = strictjson.first_large_int(document)
        if path is None:  # orjson draws the line one integer lower, at 2**53 - 1
            return orjson.dumps(document)
    raise InvalidPayload(
        f"{path}: the integer is beyond ±2**53, where JSON readers round: send it as a string",
        path=path,
    )


def dump_text(document: object) -> str:
    """The same, for JSON that goes into a string."""
    return dump(document).decode()


def required(wire: Mapping[str, object], name: str) -> object:
    """A field's value. Raises `DecodeError` when it is missing."""
    if name not in wire:
        raise DecodeError(f"{name} is missing", path=name)
    return wire[name]


def at(path: str, check: Callable[..., T], *args: object) -> T:
    """Run a check; what it finds wrong becomes a `DecodeError` at `path`, or at its own."""
    try:
        return check(*args)
    except InvalidPayload as error:
        raise DecodeError(str(error), path=error.path) from None
    except InvalidEvent as error:
        raise DecodeError(str(error), path=path) from None


def decode_causes(value: object, path: str, limits: Limits) -> tuple[str, ...]:
    """The ids of a join's causes. Raises `DecodeError`, which names the faulty one."""
    causes = at(path, fields.check_cause_list, value, path, limits)
    return tuple(
        at(f"{path}[{index}]", fields.check_id, id, f"{path}[{index}]", limits)
        for index, id in enumerate(causes)
    )


# -- metadata -----------------------------------------------------------------------------------


def _metadata_fields(metadata: Metadata) -> dict[str, object]:
    wire: dict[str, object] = {}
    if metadata.correlation_id is not None:
        wire["correlationId"] = metadata.correlation_id
    if metadata.causation_id is not None:
        wire["causationId"] = metadata.causation_id
    wire["version"] = metadata.version
    if metadata.hops:
        wire["hops"] = metadata.hops
    if metadata.causes:
        wire["causes"] = metadata.causes
    wire.update(metadata.extensions)
    return wire


def _decode_metadata(wire: Mapping[str, object], limits: Limits) -> Metadata:
    extensions = {key: value for key, value in wire.items() if key not in fields.METADATA_FIELDS}
    return make_metadata(
        _id(wire, "correlationId", limits),
        _id(wire, "causationId", limits),
        at("metadata.version", fields.check_version, wire.get("version", fields.DEFAULT_VERSION)),
        at("metadata.hops", fields.check_hops, wire.get("hops", 0)),
        decode_causes(wire.get("causes", []), "metadata.causes", limits),
        at("metadata", fields.check_extensions, extensions, limits) if extensions else EMPTY,
    )


def _id(wire: Mapping[str, object], name: str, limits: Limits) -> str | None:
    path = f"metadata.{name}"
    return at(path, fields.check_optional_id, wire.get(name), path, limits)


def _object(wire: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = wire.get(name, EMPTY)
    if not isinstance(value, dict):
        raise DecodeError(f"{name} is no object", path=name)
    return cast("dict[str, object]", value)


def _with_version(metadata: Mapping[str, object], version: object) -> Mapping[str, object]:
    if metadata.get("version", version) != version:
        raise DecodeError("schemaVersion and metadata.version differ", path="schemaVersion")
    at("schemaVersion", fields.check_version, version, "schemaVersion")
    return {**metadata, "version": version}
