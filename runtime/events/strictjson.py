"""JSON as a receiver should read it: what is ambiguous or unsafe is refused, with its path.

Two readers of one message must not understand it differently (RFC 7493, I-JSON): duplicate
keys (the standard library and orjson keep the last, others the first), NaN and infinities
(not JSON at all), and integers beyond ±2**53 (rounded by every reader that has only
doubles) are faults.

orjson parses several times faster, but reports no duplicates and turns long integers into
floats without a word; finding either afterwards costs what it saved.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NoReturn, TypeVar, cast

import attrs

from choreia.runtime.errors import DecodeError
from choreia.runtime.events.limits import DEFAULT_LIMITS, MAX_WIRE_INT, Limits
from choreia.runtime.events.payload import join_path

T = TypeVar("T")

_LONGEST_INT = len(str(-MAX_WIRE_INT))


def parse(data: bytes | str, limits: Limits = DEFAULT_LIMITS) -> dict[str, object]:
    """Read one JSON object. Raises `DecodeError`, with the path of the first fault.

    Strings may still hold lone surrogates and floats be infinite (``1e999``), and objects are
    as deep as Python's own reader allows: `payload.freeze` and `fields` refuse those.
    """
    text = _text(data, limits)
    try:
        document: object = _strict.decode(text)
    except RecursionError:
        raise DecodeError("the JSON is nested too deep") from None
    except _Faulty:
        _raise_located(text)
    except ValueError as error:
        raise DecodeError(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise DecodeError("the JSON is not an object: an event is a mapping of named fields")
    return cast("dict[str, object]", document)


def first_large_int(document: object) -> str | None:
    """The path of the first integer beyond ±2**53, or None."""
    for place, item in _walk(document):
        if isinstance(item, int) and not -MAX_WIRE_INT <= item <= MAX_WIRE_INT:
            return _path(place)
    return None


class _Faulty(Exception):
    """Ends a reading. JSON is read from the inside out, so the path is not known yet."""

    def __init__(self, problem: str, *keys: str) -> None:
        self.problem = problem
        self.keys = keys  # of the fault, below the place where this is raised


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _Faulty("the key is given twice", key)
        seen.add(key)
    raise AssertionError("fewer keys than pairs, and none is repeated")


def _constant(name: str) -> NoReturn:
    raise _Faulty(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) <= _LONGEST_INT:  # a million digits take minutes to convert
        value = int(digits)
        if -MAX_WIRE_INT <= value <= MAX_WIRE_INT:
            return value
    raise _Faulty("the integer is beyond ±2**53, where JSON readers round: send it as a string")


def _instead(hook: Callable[[T], object]) -> Callable[[T], object]:
    """The hook, putting its exception where the faulty value was instead of raising it."""

    def read(source: T) -> object:
        try:
            return hook(source)
        except _Faulty as fault:
            return fault

    return read


# Both are used by all threads: they keep no state.
_strict = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
_locating = json.JSONDecoder(
    object_pairs_hook=_instead(_object),
    parse_constant=_instead(_constant),
    parse_int=_instead(_integer),
)


def _raise_located(text: str) -> NoReturn:
    """Read text that is known to be faulty once more, to find where."""
    try:
        document: object = _locating.decode(text)
    except (RecursionError, ValueError) as error:
        raise DecodeError(f"not JSON: {error}") from None
    place, fault = next(
        (place, value) for place, value in _walk(document) if isinstance(value, _Faulty)
    )
    path = join_path(_path(place), fault.keys)
    raise DecodeError(f"{path or 'the event'}: {fault.problem}", path=path)


def _text(data: object, limits: Limits) -> str:
    if not isinstance(data, (bytes, bytearray, str)):
        raise DecodeError(f"an event is decoded from bytes or str, not {type(data).__qualname__}")
    if len(data) > limits.wire_bytes:
        raise DecodeError(
            f"{len(data):,} bytes are too large for an event; {limits.wire_bytes:,} are allowed"
        )
    if isinstance(data, str):
        return data
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"not UTF-8: {error.reason} at byte {error.start}") from None


@attrs.frozen
class _Place:
    """Where a value stands. Linked upwards: a tuple of keys for each of a million values, each
    a thousand deep, would take all memory there is."""

    above: _Place | None
    key: object


def _path(place: _Place | None) -> str:
    keys: list[object] = []
    while place is not None:
        keys.append(place.key)
        place = place.above
    return join_path("", reversed(keys))


def _walk(value: object) -> Iterator[tuple[_Place | None, object]]:
    """Every value that is no container, in the order written; without recursion."""
    stack: list[tuple[_Place | None, object]] = [(None, value)]
    while stack:
        place, item = stack.pop()
        entries: Iterable[tuple[object, object]]
        if isinstance(item, Mapping):
            entries = cast("Mapping[object, object]", item).items()
        elif isinstance(item, (list, tuple)):
            entries = enumerate(cast("Sequence[object]", item))
        else:
            yield place, item
            continue
        stack.extend(reversed([(_Place(place, key), child) for key, child in entries]))
