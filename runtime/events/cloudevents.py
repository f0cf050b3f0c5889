"""Events as CloudEvents 1.0 in the JSON format, and back.

    Event                       CloudEvents attribute
    id, type, source            the same
    timestamp                   time
    payload                     data, with datacontenttype application/json
    metadata.correlation_id     correlationid
    metadata.causation_id       causationid
    metadata.version            schemaversion
    metadata.hops               hops
    metadata.causes             causes: a JSON array in a string, as attributes have no arrays
    metadata.extensions         attributes of the same name (traceparent, subject, …)

CloudEvents attributes are strings, booleans or 32-bit integers with lower-case alphanumeric
names. Extensions that are something else, and top-level fields that others defined, travel
as JSON in the attribute ``choreiafields``. So nothing is lost either way: what a foreign
event has beyond the table is in `Metadata.extensions` here, and goes out as it came.

`data_base64` is refused: an event's payload is JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from choreia.runtime.errors import DecodeError
from choreia.runtime.events import fields, rfc3339, strictjson
from choreia.runtime.events.codec import at, decode_causes, dump, dump_text, required
from choreia.runtime.events.event import (
    Event,
    Metadata,
    make_event,
    make_metadata,
    outside_time,
)
from choreia.runtime.events.limits import DEFAULT_LIMITS, MAX_HOPS, Limits
from choreia.runtime.events.payload import EMPTY, freeze
from choreia.runtime.events.topic import check_type

_REST = "choreiafields"
_OWN = frozenset(
    [
        "specversion",
        "id",
        "type",
        "source",
        "time",
        "datacontenttype",
        "data",
        "data_base64",
        "correlationid",
        "causationid",
        "schemaversion",
        "hops",
        "causes",
    ]
) | {_REST}
# An attribute of this name would claim `Metadata.version`, so it is kept in `Event.extra`.
_CLAIMED = "version"
_NOT_EMPTY = frozenset({"subject", "dataschema"})
_NAME = re.compile(r"[a-z0-9]+")
# What strings must not hold (CloudEvents 1.0, §3.1): control characters and noncharacters.
_LAST_OF_PLANES = "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
_NOT_IN_STRING = re.compile(f"[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef{_LAST_OF_PLANES}]")
_JSON_TYPE = re.compile(r"(?:application|text)/(?:[\w.!#$&^+-]+\+)?json\s*(?:;.*)?", re.I | re.A)


def encode(event: Event) -> bytes:
    """The event as CloudEvents JSON. Raises `InvalidPayload` for an integer beyond ±2**53."""
    native = _native(event)
    return dump(
        {
            "specversion": "1.0",
            "id": event.id,
            "type": event.type,
            "source": event.source,
            "time": rfc3339.write(event.timestamp),
            "datacontenttype": "application/json",
            **_metadata_attributes(event.metadata),
            **native,
            **_rest(event, native),
            "data": event.payload,
        }
    )


def decode(data: bytes | str, limits: Limits = DEFAULT_LIMITS) -> Event:
    """Read a CloudEvents JSON event. Raises `DecodeError`, with the path of the fault.

    ``type`` must be a type as Choreia has them and ``data`` an object, or missing. An event
    without ``time`` gets the time at which it is read.
    """
    wire = _present(strictjson.parse(data, limits))
    _check_envelope(wire)
    extensions, extra = _read_rest(wire, limits)
    _add_foreign(wire, extensions, extra)
    return make_event(
        at("id", fields.check_id, required(wire, "id"), "id", limits),
        at("type", check_type, required(wire, "type"), limits.type_length),
        at("source", fields.check_source, required(wire, "source"), limits),
        _read_time(wire),
        at("data", freeze, wire.get("data", EMPTY), limits, "data"),
        _read_metadata(wire, extensions, limits),
        at(_REST, fields.check_extra, extra, limits) if extra else EMPTY,
    )


# -- writing ------------------------------------------------------------------------------------


def _metadata_attributes(metadata: Metadata) -> dict[str, object]:
    attributes: dict[str, object] = {"schemaversion": metadata.version}
    if metadata.correlation_id is not None:
        attributes["correlationid"] = metadata.correlation_id
    if metadata.causation_id is not None:
        attributes["causationid"] = metadata.causation_id
    if metadata.hops:
        attributes["hops"] = metadata.hops
    if metadata.causes:
        attributes["causes"] = dump_text(metadata.causes)
    return attributes


def _native(event: Event) -> dict[str, object]:
    """What others defined, as far as an attribute can hold it."""
    named = {**event.metadata.extensions}
    if _CLAIMED in event.extra:
        named[_CLAIMED] = event.extra[_CLAIMED]
    return {name: value for name, value in named.items() if _is_attribute(name, value)}


def _rest(event: Event, native: Mapping[str, object]) -> dict[str, object]:
    """What others defined and no attribute can hold, as JSON in one."""
    extensions = dict(event.metadata.extensions)
    extra = dict(event.extra)
    for name in native:
        (extra if name == _CLAIMED else extensions).pop(name)
    rest = {"extensions": extensions, "extra": extra}
    rest = {part: members for part, members in rest.items() if members}
    return {_REST: dump_text(rest)} if rest else {}


def _is_attribute(name: str, value: object) -> bool:
    if name in _OWN or not _NAME.fullmatch(name):
        return False
    if name in _NOT_EMPTY and not (isinstance(value, str) and value):
        return False
    if isinstance(value, str):
        return _NOT_IN_STRING.search(value) is None
    return isinstance(value, int) and -MAX_HOPS - 1 <= value <= MAX_HOPS


# -- reading ------------------------------------------------------------------------------------


def _present(wire: dict[str, object]) -> dict[str, object]:
    """Without the attributes that are null: that is the same as missing (JSON format, §2.2)."""
    return {name: value for name, value in wire.items() if value is not None}


def _check_envelope(wire: Mapping[str, object]) -> None:
    if required(wire, "specversion") != "1.0":
        raise DecodeError("specversion is not '1.0'", path="specversion")
    if "data_base64" in wire:
        raise DecodeError(
            "data_base64: binary data is not supported; send a JSON object in data",
            path="data_base64",
        )
    content = wire.get("datacontenttype", "application/json")
    if not isinstance(content, str) or not _JSON_TYPE.fullmatch(content):
        raise DecodeError(
            "datacontenttype is not JSON: send application/json", path="datacontenttype"
        )


def _read_time(wire: Mapping[str, object]) -> float:
    if "time" not in wire:
        return outside_time()
    text = wire["time"]
    if not isinstance(text, str):
        raise DecodeError("time is no string: give an RFC 3339 time", path="time")
    try:
        seconds = rfc3339.read(text)
    except ValueError as error:
        raise DecodeError(f"time: {error}", path="time") from None
    return at("time", fields.check_timestamp, seconds)


def _read_metadata(
    wire: Mapping[str, object], extensions: Mapping[str, object], limits: Limits
) -> Metadata:
    version = wire.get("schemaversion", fields.DEFAULT_VERSION)
    return make_metadata(
        _optional_id(wire, "correlationid", limits),
        _optional_id(wire, "causationid", limits),
        at("schemaversion", fields.check_version, version, "schemaversion"),
        at("hops", fields.check_hops, wire.get("hops", 0), "hops"),
        _read_causes(wire, limits),
        at(_REST, fields.check_extensions, extensions, limits) if extensions else EMPTY,
    )


def _optional_id(wire: Mapping[str, object], name: str, limits: Limits) -> str | None:
    return at(name, fields.check_optional_id, wire.get(name), name, limits)


def _read_causes(wire: Mapping[str, object], limits: Limits) -> tuple[str, ...]:
    if "causes" not in wire:
        return ()
    # `parse` reads objects only, so the array is given one to stand in.
    inner = _read_inner(f'{{"causes":{_text(wire, "causes")}}}', "causes", limits)
    if len(inner) > 1:
        raise DecodeError("causes is no JSON array", path="causes")
    return decode_causes(inner["causes"], "causes", limits)


def _read_rest(
    wire: Mapping[str, object], limits: Limits
) -> tuple[dict[str, object], dict[str, object]]:
    if _REST not in wire:
        return {}, {}
    inner = _read_inner(_text(wire, _REST), _REST, limits)
    extensions, extra = inner.pop("extensions", {}), inner.pop("extra", {})
    if inner or not isinstance(extensions, dict) or not isinstance(extra, dict):
        raise DecodeError(
            f"{_REST}: give an object with the objects extensions and extra", path=_REST
        )
    return cast("dict[str, object]", extensions), cast("dict[str, object]", extra)


def _add_foreign(
    wire: Mapping[str, object], extensions: dict[str, object], extra: dict[str, object]
) -> None:
    """Put the attributes that are not in the table where the rest of their kind is."""
    for name, value in wire.items():
        if name in _OWN:
            continue
        target = extra if name == _CLAIMED else extensions
        if name in target:
            raise DecodeError(f"{name} is an attribute and in {_REST} too", path=name)
        target[name] = value


def _text(wire: Mapping[str, object], name: str) -> str:
    value = wire[name]
    if not isinstance(value, str):
        raise DecodeError(f"{name} is no string: give JSON in a string", path=name)
    return value


def _read_inner(text: str, name: str, limits: Limits) -> dict[str, object]:
    try:
        return strictjson.parse(text, limits)
    except DecodeError as error:
        raise DecodeError(f"{name}: {error}", path=name) from None
