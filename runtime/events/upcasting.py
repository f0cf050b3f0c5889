"""Upcasters: functions that lift a payload to a later version of its schema.

They are chained, so that a payload of any age reaches handlers and replays in the newest
version, and each function knows only two neighbouring ones. Versions rise along a chain and
each has one way up, so there are no cycles and no choices.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import attrs

from choreia.runtime.errors import PayloadMismatch, SchemaError
from choreia.runtime.events.declaration import (
    checked_type,
    checked_version,
    same_definition,
    where,
)
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event, make_event, make_metadata
from choreia.runtime.events.fields import ordered_version
from choreia.runtime.events.payload import FrozenDict, freeze, thaw

Upcast = Callable[[dict[str, Any]], Mapping[str, Any]]
_Upcast = TypeVar("_Upcast", bound=Upcast)

_KNOWN_ROUTES: Final = 256
_lock = threading.Lock()


def upcaster(type: str, from_version: str, to_version: str) -> Callable[[_Upcast], _Upcast]:
    """Declare a function that lifts payloads of a type from one version to a later one.

    It is given a writable copy of the payload and returns the new payload. It also lifts
    later minor versions of `from_version`'s major that have no upcaster of their own. Raises
    `SchemaError` for malformed arguments, for a version that does not rise (so there are no
    cycles), and for a second upcaster from the same version.
    """
    type = checked_type(type)
    step = (checked_version(from_version), checked_version(to_version))
    if ordered_version(step[1]) <= ordered_version(step[0]):
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


def outdated(event: Event) -> bool:
    """Whether there is an upcaster that would lift the event."""
    chain = _chains.get(event.type)
    return chain is not None and chain.step_from(event.metadata.version) is not None


def upcast_version(type: str, version: str) -> str:
    """The version that `upcast` lifts payloads of a type and version to."""
    chain = _chains.get(type)
    while chain is not None and (step := chain.step_from(version)) is not None:
        version = step.to_version
    return version


def upcast_if_possible(event: Event) -> Event:
    """`upcast`, but the event as it is when an upcaster fails on it: it stays `outdated`, and
    raises when it is handled, where that makes it a dead letter."""
    try:
        return upcast(event)
    except PayloadMismatch:
        return event


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
                f"{known.to_version}, by {where(known.function)}; a version has one way up"
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
        step = routes[version] = self._nearest(ordered_version(version))
        return step

    def _nearest(self, version: tuple[int, ...]) -> _Step | None:
        """The step from the latest version that this one includes: same major, not above."""
        steps = {ordered_version(step.from_version): step for step in self._steps.values()}
        included = [
            start
            for start, step in steps.items()
            if start[0] == version[0] and start <= version < ordered_version(step.to_version)
        ]
        return steps[max(included)] if included else None


_chains: dict[str, _Chain] = {}
UPCAST: Final[Mapping[str, object]] = _chains
"""The types that have upcasters: one look-up tells the hot path that there is nothing to do."""


def _apply(step: _Step, payload: FrozenDict, event: Event) -> FrozenDict:
    try:
        return freeze(step.function(thaw(payload)))
    except Exception as error:  # an upcaster is user code: the event is at fault, or it is
        problem = f"{error.__class__.__name__}: {plain(str(error), 200)}"
        raise PayloadMismatch(
            f"the upcaster of {event.type!r} from {step.from_version} to {step.to_version}, "
            f"{where(step.function)}, failed on event {plain(event.id, 80)}: {problem}",
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


def _same_function(one: Upcast, other: Upcast) -> bool:
    # Upcasters are often called `_`, so there the name does not tell and the line must.
    anonymous = getattr(one, "__name__", "") in ("_", "<lambda>")
    return same_definition(one, other) and (not anonymous or _line(one) == _line(other))


def _line(function: Upcast) -> object:
    return getattr(getattr(function, "__code__", None), "co_firstlineno", None)
