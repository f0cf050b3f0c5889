"""Typed payloads: classes that say what an event's payload holds, and at which version.

    @event_type("order.created", version="2.0.0")
    @attrs.frozen
    class OrderCreated:
        order_id: int
        currency: str = "EUR"

    @upcaster("order.created", "1.0.0", "2.0.0")
    def _(payload):
        return {**payload, "currency": "USD"}

Versions are semantic. A minor version may add fields, so older code still reads it; a major
one breaks; upcasters (see `upcasting`) lift old payloads to the newest version, so that
handlers are written for that one only.

Declarations are global to the process, like the classes themselves: what ``order.created``
means does not depend on which system carries it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

import attrs

from choreia.runtime.errors import IncompatibleVersion, PayloadMismatch, SchemaError
from choreia.runtime.events.declaration import (
    checked_type,
    checked_version,
    same_definition,
    where,
)
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event
from choreia.runtime.events.fields import DEFAULT_VERSION, ordered_version
from choreia.runtime.events.upcasting import upcast as upcast
from choreia.runtime.events.upcasting import upcaster as upcaster

T = TypeVar("T")
_Class = TypeVar("_Class", bound=type)
_MARK: Final = "__choreia_event_type__"
_lock = threading.Lock()
_classes: dict[tuple[str, str], type] = {}


def event_type(type: str, version: str = DEFAULT_VERSION) -> Callable[[_Class], _Class]:
    """Declare that a frozen attrs class is the payload of an event type at a version.

    Stands above ``@attrs.frozen`` and returns the class unaltered but for a mark. Raises
    `SchemaError` for a malformed type or version, a class that is not frozen, or a second
    class for the same type and version (one of the same name and module replaces the first,
    so modules can be reloaded).
    """
    key = checked_type(type), checked_version(version)

    def declare(cls: _Class) -> _Class:
        _check_class(cls, key)
        with _lock:
            known = _classes.get(key)
            if known is not None and not same_definition(known, cls):
                raise SchemaError(
                    f"{key[0]!r} at version {key[1]} is {where(known)} already, and cannot be "
                    f"{where(cls)} too: give the second another version or type"
                )
            _classes[key] = cls
        setattr(cls, _MARK, key)
        return cls

    return declare


def type_of(payload_or_class: object) -> tuple[str, str] | None:
    """The event type and version of a declared class, or an instance of one; else None.

    A subclass of a declared class is not declared by that.
    """
    cls = payload_or_class if isinstance(payload_or_class, type) else payload_or_class.__class__
    declared: tuple[str, str] | None = cls.__dict__.get(_MARK)
    return declared


def class_of(type: str, version: str) -> type | None:
    """The class declared for an event type at exactly this version, or None."""
    return _classes.get((type, version))


def newest_classes() -> dict[str, type]:
    """By event type, the class that is declared for its newest version."""
    with _lock:
        declared = sorted(_classes.items(), key=lambda item: ordered_version(item[0][1]))
    return {type: cls for (type, _), cls in declared}


def unstructure(instance: object) -> dict[str, object]:
    """A typed payload as a plain dict. Raises `SchemaError` when its class is not declared."""
    # cattrs takes 50 ms to import: only programs that use typed payloads pay for it.
    from choreia.runtime.events import structuring

    cls = instance.__class__
    if type_of(cls) is None:
        raise SchemaError(f"{where(cls)} is not declared: put @event_type(…) above the class")
    return structuring.unstructurer(cls)(instance)


def structure(event: Event, cls: type[T]) -> T:
    """The payload of an event as an instance of a declared class.

    The event should have gone through `upcast`. Raises `IncompatibleVersion` when its major
    version is above the class's, `PayloadMismatch` when it is of another type or does not
    fit (`problems` lists all that is wrong, with paths), and `SchemaError` when the class is
    not declared.
    """
    declared = type_of(cls)
    if declared is None:
        raise SchemaError(f"{where(cls)} is not declared: put @event_type(…) above the class")
    _check_readable(event, cls, *declared)
    from choreia.runtime.events import structuring

    make = structuring.structurer(cls)
    try:
        instance: T = make(event.payload, cls)
    except Exception as error:  # cattrs collects whatever the fields' hooks and validators raise
        raise _mismatch(event, cls, declared[1], structuring.problems(error)) from error
    return instance


def _check_readable(event: Event, cls: type, type: str, version: str) -> None:
    if event.type != type:
        raise PayloadMismatch(
            f"event {plain(event.id, 80)} is a {event.type!r}, and {where(cls)} is the payload "
            f"of {type!r}",
            type=event.type,
        )
    if ordered_version(event.metadata.version)[0] > ordered_version(version)[0]:
        raise IncompatibleVersion(
            f"event {plain(event.id, 80)} is {type!r} at version {event.metadata.version}; this "
            f"code reads up to {version} ({where(cls)}): update it before it handles these",
            type=type,
            version=event.metadata.version,
        )


def _mismatch(event: Event, cls: type, version: str, problems: list[str]) -> PayloadMismatch:
    written = event.metadata.version
    hint = ""
    if ordered_version(written)[0] < ordered_version(version)[0]:
        hint = f" (no upcaster leads from {written} to {version})"
    return PayloadMismatch(
        f"event {plain(event.id, 80)}, {event.type!r} at version {written}, does not fit "
        f"{where(cls)}{hint}: " + "; ".join(problems),
        type=event.type,
        problems=problems,
    )


def _check_class(cls: object, key: tuple[str, str]) -> None:
    if not isinstance(cls, type) or not attrs.has(cls) or not _is_frozen(cls):
        raise SchemaError(
            f"{where(cls)} cannot be the payload of {key[0]!r}: it must be a frozen attrs "
            "class, with @attrs.frozen under @event_type(…)"
        )
    declared = type_of(cls)
    if declared not in (None, key):
        raise SchemaError(
            f"{where(cls)} is declared as {declared} already; it cannot be {key} as well"
        )


def _is_frozen(cls: type) -> bool:
    return "__attrs_props__" in cls.__dict__ and attrs.inspect(cls).is_frozen
