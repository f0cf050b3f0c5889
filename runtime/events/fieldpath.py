"""Paths in filters: what ``payload.items.price`` leads to.

A path leads to any number of values, since it goes into every element of an array on its
way, and a numeric segment also takes the element at that place. Where a field is missing it
leads to `MISSING`; elements that are no objects are passed over. `Reach` hides how many there
are: given a test, it makes a predicate that holds when some value passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from choreia.runtime.events.operand import refuse, shown
from choreia.runtime.events.operators import MISSING, Test

if TYPE_CHECKING:
    from choreia.runtime.events.event import Event

R = TypeVar("R")
Predicate: TypeAlias = Callable[[R], bool]
Reach: TypeAlias = Callable[[Test], Predicate[R]]

_FIELDS = ("type", "source", "timestamp", "id")
_METADATA = {
    "correlationId": "correlation_id",
    "correlation_id": "correlation_id",
    "causationId": "causation_id",
    "causation_id": "causation_id",
    "version": "version",
    "hops": "hops",
}
_LONGEST = 64


def canonical(path: str) -> str:
    """`path` in the one spelling that equal filters share."""
    root, _, rest = path.partition(".")
    return f"metadata.{_METADATA.get(rest, rest)}" if root == "metadata" else path


def of_event(path: str, where: str) -> Reach[Event]:
    """Follow `path` from an event. Raises `InvalidFilter` when it begins at no field of one."""
    root, *segments = _split(path, where)
    if root == "payload" and segments:
        return _in_payload(segments)
    if root == "metadata" and segments:
        return _in_metadata(segments, where)
    if root in _FIELDS and not segments:
        return _at(attrgetter(root))
    raise refuse(where, _hint(path, root))


def of_value(path: str, where: str) -> Reach[object]:
    """Follow `path` from an element of an array."""
    return _inside(_itself, _split(path, where))


def itself(test: Test) -> Test:
    """The `Reach` of no path at all: the value at hand is the one to test."""
    return test


def _in_payload(segments: list[str]) -> Reach[Event]:
    if len(segments) > 1:
        return _inside(attrgetter("payload"), segments)
    [key] = segments

    def reach(test: Test) -> Predicate[Event]:
        # the payload itself is always a mapping, so nothing has to be asked on the way
        return lambda event: test(event.payload.get(key, MISSING))

    return reach


def _in_metadata(segments: list[str], where: str) -> Reach[Event]:
    name, *rest = segments
    if name in _METADATA:
        if rest:
            raise refuse(where, f"metadata.{name} has nothing inside: leave the rest out")
        return _at(_or_missing(attrgetter(f"metadata.{_METADATA[name]}")))
    if name == "causes":
        return _inside(lambda event: {"causes": [*event.metadata.causes]}, segments)
    if name == "extensions" and rest:
        return _inside(attrgetter("metadata.extensions"), rest)
    return _inside(attrgetter("metadata.extensions"), segments)


def _at(get: Callable[[R], object]) -> Reach[R]:
    return lambda test: lambda root: test(get(root))


def _inside(get: Callable[[R], object], segments: Sequence[str]) -> Reach[R]:
    def reach(test: Test) -> Predicate[R]:
        return lambda root: _some(get(root), segments, test)

    return reach


def _or_missing(get: Callable[[R], object]) -> Callable[[R], object]:
    def value(root: R) -> object:  # what is None in Python is not there on the wire
        found = get(root)
        return MISSING if found is None else found

    return value


def _itself(value: object) -> object:
    return value


def _some(value: object, segments: Sequence[str], test: Test) -> bool:
    for at, segment in enumerate(segments):
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get(segment, MISSING)
        elif isinstance(value, list):
            return any(map(test, _spread(cast("list[object]", value), segments[at:])))
        else:
            return test(MISSING)
    return test(value)


def _spread(array: list[object], segments: Sequence[str]) -> Iterable[object]:
    """All values that `segments` lead to from `array`.

    Segment by segment, each object once: an element can be reached both by its place and as
    one of all, and walks that branch at each array would be 2**n for arrays in arrays.
    """
    found: Iterable[object] = (array,)
    for segment in segments:
        found = {id(item): item for value in found for item in _step(value, segment)}.values()
    return found


def _step(value: object, segment: str) -> Iterable[object]:
    if isinstance(value, dict):
        return (cast("dict[str, object]", value).get(segment, MISSING),)
    if not isinstance(value, list):
        return (MISSING,)
    array = cast("list[object]", value)
    objects = (cast("dict[str, object]", item) for item in array if isinstance(item, dict))
    found = [item.get(segment, MISSING) for item in objects]
    index = _index(segment)
    if index is not None and index < len(array):
        found.append(array[index])
    return found


def _index(segment: str) -> int | None:
    if not (segment.isascii() and segment.isdigit()) or len(segment) > 9:
        return None
    return int(segment) if segment == "0" or segment[0] != "0" else None


def _split(path: str, where: str) -> list[str]:
    segments = path.split(".")
    if len(segments) > _LONGEST:
        raise refuse(where, f"the path has {len(segments)} segments, {_LONGEST} are allowed")
    for position, segment in enumerate(segments, start=1):
        if not segment:
            raise refuse(where, f"segment {position} of the path {shown(path)} is empty")
        if segment.startswith("$"):
            outer = ".".join(segments[: position - 1])
            raise refuse(where, f"operators go inside: {{{outer!r}: {{{segment!r}: …}}}}")
    return segments


def _hint(path: str, root: str) -> str:
    roots = "payload.<name>, metadata.<name>, type, source, timestamp or id"
    if root in ("payload", "metadata"):
        return f"say which field of the {root} is meant: {root}.<name>"
    if root in _FIELDS:
        return f"{root} has nothing inside: leave the rest out"
    near = get_close_matches(root, ("payload", "metadata", *_FIELDS), 1, 0.7)
    better = ".".join([*near, *path.split(".")[1:]]) if near else f"payload.{path}"
    return f"an event has no {shown(root)}; paths are {roots}. Did you mean {better!r}?"
