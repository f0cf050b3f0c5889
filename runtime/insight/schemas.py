"""JSON Schemas of typed payloads: what a class of ``@event_type`` looks like on the wire.

As `runtime.events.structuring` writes and reads them: enumerations by value, datetimes and decimals
as text, tuples and sets as arrays. What cannot be told is left open (``{}``), never guessed.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import attrs

from choreia.runtime.insight.choreography import Schema

_DEEPEST = 16
_PLAIN: Mapping[object, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    Decimal: {"type": "string"},
    UUID: {"type": "string", "format": "uuid"},
    bytes: {"type": "string"},
}


@lru_cache(maxsize=4096)
def schema_of(cls: type) -> Schema:
    """The schema of the payloads that instances of `cls` make."""
    return _of(cls, 0)


def _of(kind: Any, depth: int) -> dict[str, object]:
    if depth > _DEEPEST:  # a class that holds itself
        return {}
    try:
        plain = _PLAIN.get(kind)
    except TypeError:  # unhashable
        return {}
    if plain is not None:
        return dict(plain)
    return _of_several(kind, typing.get_origin(kind), typing.get_args(kind), depth)


def _of_several(kind: Any, origin: Any, args: tuple[Any, ...], depth: int) -> dict[str, object]:
    if origin is typing.Literal:
        return {"enum": [one.value if isinstance(one, Enum) else one for one in args]}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_of(one, depth + 1) for one in args]}
    if origin is typing.Annotated:
        return _of(args[0], depth + 1)
    concrete = origin or kind
    return _of_class(concrete, args, depth) if isinstance(concrete, type) else {}


def _of_class(concrete: type, args: tuple[Any, ...], depth: int) -> dict[str, object]:
    if issubclass(concrete, Enum):
        return {"enum": [member.value for member in concrete]}
    if attrs.has(concrete) or dataclasses.is_dataclass(concrete):
        return _object(concrete, depth)
    if issubclass(concrete, Mapping):
        values = _of(args[1], depth + 1) if len(args) == 2 else {}
        return {"type": "object", "additionalProperties": values}
    for base, schema in _PLAIN.items():
        if isinstance(base, type) and issubclass(concrete, base):  # a `class Sku(str)`
            return dict(schema)
    if issubclass(concrete, tuple) and args and args[-1] is not Ellipsis:
        return {"type": "array"}
    if issubclass(concrete, Collection):
        return {"type": "array", "items": _of(args[0], depth + 1)} if args else {"type": "array"}
    return {}


def _object(cls: type, depth: int) -> dict[str, object]:
    hints = _hints(cls)
    properties: dict[str, object] = {}
    required: list[str] = []
    for name, optional, default in _fields(cls):
        properties[name] = _of(hints.get(name, Any), depth + 1) | default
        if not optional:
            required.append(name)
    shape: dict[str, object] = {"type": "object", "properties": properties}
    return shape | ({"required": required} if required else {})


def _fields(cls: type) -> list[tuple[str, bool, dict[str, object]]]:
    """Name, whether it may be missing, and its default where that is plain data."""
    if attrs.has(cls):
        fields: Any = attrs.fields(cls)
        return [
            (one.name, one.default is not attrs.NOTHING, _default(one.default))
            for one in fields
            if one.init
        ]
    missing = dataclasses.MISSING
    return [
        (
            one.name,
            one.default is not missing or one.default_factory is not missing,
            _default(one.default),
        )
        for one in dataclasses.fields(cast("Any", cls))
        if one.init
    ]


def _default(value: object) -> dict[str, object]:
    return {"default": value} if value is None or isinstance(value, (str, int, float)) else {}


def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls)
    except Exception:  # a name that is only there for type checkers
        return {}


# -- reading schemas -----------------------------------------------------------------------------


def properties(schema: Schema) -> Mapping[str, Schema]:
    return cast("Mapping[str, Schema]", schema.get("properties", {}))


def required(schema: Schema) -> Collection[str]:
    return cast("Collection[str]", schema.get("required", ()))


def alternatives(schema: Schema) -> list[Schema]:
    """The schemas of which one holds."""
    if "anyOf" not in schema:
        return [schema]
    return [one for each in cast("list[Schema]", schema["anyOf"]) for one in alternatives(each)]


def values(schema: Schema) -> list[object] | None:
    """All the values that there can be; None: too many to name."""
    if "enum" in schema:
        return list(cast("list[object]", schema["enum"]))
    kinds: dict[object, list[object]] = {"boolean": [True, False], "null": [None]}
    return kinds.get(schema.get("type"))


def kind(schema: Schema) -> str | None:
    """``string``, ``integer`` …; None: anything."""
    found = schema.get("type")
    return found if isinstance(found, str) else None
