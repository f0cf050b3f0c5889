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
one breaks. Upcasters lift old payloads, one after another, to the newest version, so that
handlers and replays are written for that one only.

Declarations are global to the process, like the classes themselves: what ``order.created``
means does not depend on which system carries it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import attrs

from choreia.runtime.errors import (
    IncompatibleVersion,
    InvalidEvent,
    PayloadMismatch,
    SchemaError,
)
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event, make_event, make_metadata
from choreia.runtime.events.fields import DEFAULT_VERSION, check_version
from choreia.runtime.events.payload import FrozenDict, freeze, thaw
from choreia.runtime.events.topic import check_type

T = TypeVar("T")
_Class = TypeVar("_Class", bound=type)
Upcast = Callable[[dict[str, Any]], Mapping[str, Any]]
_Upcast = TypeVar("_Upcast", bound=Upcast)

_MARK: Final = "__choreia_event_type__"
_KNOWN_ROUTES: Final = 256
_lock = threading.Lock()
_classes: dict[tuple[str, str], type] = {}


def event_type(type: str, version: str = DEFAULT_VERSION) -> Callable[[_Class], _Class]:
    """Declare that a frozen attrs class is the payload of an event type at a version.

    Stands above ``@attrs.frozen`` and returns the class unaltered but for a mark. Raises
    `SchemaError` for a malformed type or version, a class that is not frozen, or a second
    class for the same type and version (one of the same name and module replaces the first,
    so modules can be reloaded).
    """
    key = _checked(type), _checked_version(version)

    def declare(cls: _Class) -> _Class:
        _check_class(cls, key)
        with _lock:
            known = _classes.get(key)
            if known is not None and not _same_definition(known, cls):
                raise SchemaError(
                    f"{key[0]!r} at version {key[1]} is {_where(known)} already, and cannot be "
                    f"{_where(cls)} too: give the second another version or type"
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


def unstructure(instance: object) -> dict[str, object]:
    """A typed payload as a plain dict. Raises `SchemaError` when its class is not declared."""
    # cattrs takes 50 ms to import: only programs that use typed payloads pay for it.
    from choreia.runtime.events import structuring

    cls = instance.__class__
    if type_of(cls) is None:
        raise SchemaError(f"{_where(cls)} is not declared: put @event_type(…) above the class")
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
        raise SchemaError(f"{_where(cls)} is not declared: put @event_type(…) above the class")
    _check_readable(event, cls, *declared)
    from choreia.runtime.events import structuring

    make = structuring.structurer(cls)
    try:
        instance: T = make(event.payload, cls)
    except Exception as error:  # cattrs collects whatever the fields' hooks and validators raise
        raise _mismatch(event, cls, declared[1], structuring.problems(error)) from error
    return instance


def upcaster(type: str, from_version: str, to_version: str) -> Callable[[_Upcast], _Upcast]:
    """Declare a function that lifts payloads of a type from one version to a later one.

    It is given a writable copy of the payload and returns the new payload. It also lifts
    later minor versions of `from_version`'s major that have no upcaster of their own. Raises
    `SchemaError` for malformed arguments, for a version that does not rise (so there are no
    cycles), and for a second upcaster from the same version.
    """
    type = _checked(type)
    step = (_checked_version(from_version), _checked_version(to_version))
    if _ordered(step[1]) <= _ordered(step[0]):
        raise SchemaError(
            f"upcaster of {type!r} from {step[0]} to {step[1]}: the second version must be later"
        )

    def declare(function: _Upcast) -> _Upcast:
        with _lock:
            chain = _chains.get(type) or _Chain()
            chain.add(_Step(*step, function), type)
            _chains[type] = chain
        return function

    return declare


def upcast(event: Event) -> Event:
    """The event with its payload lifted to the newest version; itself if there is none.

    Raises `PayloadMismatch` when an upcaster raises or returns what is no payload.
    """
    # Every delivered event comes through here: with nothing to do this takes 0.04 µs.
    chain = _chains.get(event.type)
    if chain is None:
        return event
    version = event.metadata.version
    step = chain.step_from(version)
    if step is None:
        return event
    payload = event.payload
    while step is not None:
        payload = _apply(step, payload, event)
        version = step.to_version
        step = chain.step_from(version)
    return _lifted(event, payload, version)


@attrs.frozen
class _Step:
    from_version: str
    to_version: str
    function: Upcast


class _Chain:
    """The upcasters of one event type."""

    def __init__(self) -> None:
        self._steps: dict[str, _Step] = {}
        # What applies to each version seen. Emptied when full: versions come from outside.
        self._routes: dict[str, _Step | None] = {}

    def add(self, step: _Step, type: str) -> None:
        known = self._steps.get(step.from_version)
        if known is not None and not _same_function(known.function, step.function):
            raise SchemaError(
                f"{type!r} has an upcaster from {step.from_version} already, to "
                f"{known.to_version}, by {_where(known.function)}; a version has one way up"
            )
        self._steps = {**self._steps, step.from_version: step}
        self._routes = {}

    def step_from(self, version: str) -> _Step | None:
        try:
            return self._routes[version]
        except KeyError:
            return self._find(version)

    def _find(self, version: str) -> _Step | None:
        if len(self._routes) >= _KNOWN_ROUTES:
            self._routes = {}
        # Held before the search: if a step is added meanwhile, a stale answer lands in a
        # dict that nobody reads any more.
        routes = self._routes
        step = routes[version] = self._nearest(_ordered(version))
        return step

    def _nearest(self, version: tuple[int, ...]) -> _Step | None:
        """The step from the latest version that this one includes: same major, not above."""
        steps = {_ordered(step.from_version): step for step in self._steps.values()}
        included = [
            start
            for start, step in steps.items()
            if start[0] == version[0] and start <= version < _ordered(step.to_version)
        ]
        return steps[max(included)] if included else None


_chains: dict[str, _Chain] = {}


def _apply(step: _Step, payload: FrozenDict, event: Event) -> FrozenDict:
    try:
        return freeze(step.function(thaw(payload)))
    except Exception as error:  # an upcaster is user code: the event is at fault, or it is
        problem = f"{error.__class__.__name__}: {plain(str(error), 200)}"
        raise PayloadMismatch(
            f"the upcaster of {event.type!r} from {step.from_version} to {step.to_version}, "
            f"{_where(step.function)}, failed on event {plain(event.id, 80)}: {problem}",
            type=event.type,
            problems=(problem,),
        ) from error


def _lifted(event: Event, payload: FrozenDict, version: str) -> Event:
    old = event.metadata
    metadata = make_metadata(
        old.correlation_id, old.causation_id, version, old.hops, old.causes, old.extensions
    )
    return make_event(
        event.id, event.type, event.source, event.timestamp, payload, metadata, event.extra
    )


def _check_readable(event: Event, cls: type, type: str, version: str) -> None:
    if event.type != type:
        raise PayloadMismatch(
            f"event {plain(event.id, 80)} is a {event.type!r}, and {_where(cls)} is the payload "
            f"of {type!r}",
            type=event.type,
        )
    if _ordered(event.metadata.version)[0] > _ordered(version)[0]:
        raise IncompatibleVersion(
            f"event {plain(event.id, 80)} is {type!r} at version {event.metadata.version}; this "
            f"code reads up to {version} ({_where(cls)}): update it before it handles these",
            type=type,
            version=event.metadata.version,
        )


def _mismatch(event: Event, cls: type, version: str, problems: list[str]) -> PayloadMismatch:
    written = event.metadata.version
    hint = ""
    if _ordered(written)[0] < _ordered(version)[0]:
        hint = f" (no upcaster leads from {written} to {version})"
    return PayloadMismatch(
        f"event {plain(event.id, 80)}, {event.type!r} at version {written}, does not fit "
        f"{_where(cls)}{hint}: " + "; ".join(problems),
        type=event.type,
        problems=problems,
    )


def _check_class(cls: object, key: tuple[str, str]) -> None:
    if not isinstance(cls, type) or not attrs.has(cls) or not _is_frozen(cls):
        raise SchemaError(
            f"{_where(cls)} cannot be the payload of {key[0]!r}: it must be a frozen attrs "
            "class, with @attrs.frozen under @event_type(…)"
        )
    declared = type_of(cls)
    if declared not in (None, key):
        raise SchemaError(
            f"{_where(cls)} is declared as {declared} already; it cannot be {key} as well"
        )


def _is_frozen(cls: type) -> bool:
    return "__attrs_props__" in cls.__dict__ and attrs.inspect(cls).is_frozen


def _checked(type: str) -> str:
    try:
        return check_type(type)
    except InvalidEvent as error:
        raise SchemaError(str(error)) from None


def _checked_version(version: str) -> str:
    try:
        return check_version(version, "version")
    except InvalidEvent as error:
        raise SchemaError(str(error)) from None


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _same_definition(one: object, other: object) -> bool:
    """Whether two classes or functions are the same one, before and after a reload."""
    return _name(one) == _name(other)


def _same_function(one: Upcast, other: Upcast) -> bool:
    # Upcasters are often called `_`, so there the name does not tell and the line must.
    anonymous = getattr(one, "__name__", "") in ("_", "<lambda>")
    return _same_definition(one, other) and (not anonymous or _line(one) == _line(other))


def _name(definition: object) -> tuple[str, str]:
    name = getattr(definition, "__qualname__", None) or repr(definition)
    return getattr(definition, "__module__", ""), name


def _line(function: Upcast) -> object:
    return getattr(getattr(function, "__code__", None), "co_firstlineno", None)


def _where(definition: object) -> str:
    return ".".join(_name(definition))
