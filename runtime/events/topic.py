"""Event types and the topic patterns that select them.

A type is dot-separated segments of ``[A-Za-z0-9_-]+``. A pattern is the same with two
wildcards, each a segment of its own: ``*`` is exactly one segment, ``#`` zero or more,
anywhere. So ``#.failed`` selects ``failed`` and ``task.render.failed``.
"""

from __future__ import annotations

import re
from itertools import groupby

import attrs

from choreia.runtime.errors import InvalidPattern, InvalidType

ONE = "*"
MANY = "#"

_TYPE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_PATTERN = re.compile(r"(?:[A-Za-z0-9_-]+|\*|#)(?:\.(?:[A-Za-z0-9_-]+|\*|#))*")
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_ALLOWED = "segments are one or more of A-Z a-z 0-9 _ - with a dot between, as in 'order.created'"
_SHOWN = 80

# Accepted types, each mapped to itself: a repeated check is one lookup, and equal types
# become one string, which later lookups then find by identity. Emptied when full: types
# that carry ids would otherwise fill it for ever, and an LRU costs more than a check saves.
_accepted: dict[str, str] = {}
_ACCEPTED_SIZE = 8192


def check_type(type: str, limit: int = 255) -> str:
    """Return `type` as a plain string, or raise `InvalidType` naming the fault.

    `limit` is the greatest length in characters. Safe from any thread.
    """
    try:
        known = _accepted.get(type)
    except TypeError:  # unhashable, so not a string; told in full below
        known = None
    if known is not None and len(known) <= limit:
        return known
    return _check_new_type(type, limit)


def _check_new_type(type: object, limit: int) -> str:
    if not isinstance(type, str):
        raise InvalidType(
            f"an event type is a string, not {type.__class__.__name__}: {_short(type)}",
            type=_short(type),
        )
    if len(type) > limit:
        raise InvalidType(
            f"event type {_short(type)} has {len(type)} characters; at most {limit} are allowed",
            type=type,
        )
    if _TYPE.fullmatch(type) is None:
        raise InvalidType(
            f"event type {_short(type)} is malformed: {_fault(type, wildcards=False)}; {_ALLOWED}",
            type=type,
        )
    if len(_accepted) >= _ACCEPTED_SIZE:
        _accepted.clear()
    plain = str.__str__(type)  # a str subclass (an enum member) is kept as its text
    return _accepted.setdefault(plain, plain)


@attrs.frozen(weakref_slot=False)
class TopicPattern:
    """A checked topic pattern: ``TopicPattern("task.*").matches("task.done")``.

    `pattern` is the text as written. Patterns that always select the same types are equal.
    Raises `InvalidPattern`, naming the segment.
    """

    pattern: str = attrs.field(eq=False)
    # The text itself when there is no wildcard, else the segments: a million agents have an
    # exact pattern each, and none of them needs its segments.
    _route: str | tuple[str, ...] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        plain = _check_pattern(self.pattern)
        segments = plain.split(".")
        exact = ONE not in segments and MANY not in segments
        object.__setattr__(self, "pattern", plain)
        object.__setattr__(self, "_route", plain if exact else _shortest(segments))

    @property
    def exact(self) -> bool:
        """Whether there is no wildcard: it selects the one type that is its text."""
        return isinstance(self._route, str)

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments of the shortest pattern that says the same.

        ``#.#`` says no more than ``#``, and ``#.*`` no more than ``*.#``: in a run of
        wildcards the ``*``s come first, and then at most one ``#``.
        """
        route = self._route
        return tuple(route.split(".")) if isinstance(route, str) else route

    def matches(self, type: str) -> bool:
        """Tell whether this pattern selects `type`."""
        route = self._route
        if isinstance(route, str):
            return type == route
        return _matches(route, type.split("."))

    def overlaps(self, other: TopicPattern) -> bool:
        """Tell whether there is a type that both select."""
        if self.exact:
            return other.matches(str(self._route))
        if other.exact:
            return self.matches(str(other._route))
        return _overlap(self.segments, other.segments)

    def __str__(self) -> str:
        return self.pattern


def _matches(pattern: tuple[str, ...], segments: list[str]) -> bool:
    """Match with one place to come back to: the last ``#``, which then takes one more.

    No earlier ``#`` needs trying again: whatever it could give up, the last one can take.
    So the cost is at most the product of the two lengths, also for a bomb of ``#``s.
    """
    at = back = 0  # in pattern: where we are, and just behind the last "#" (0: none yet)
    taken = 0  # how many segments that "#" and all before it have
    i, count, size = 0, len(segments), len(pattern)
    while i < count:
        if at < size and pattern[at] == MANY:
            at, taken = at + 1, i
            back = at
        elif at < size and (pattern[at] == ONE or pattern[at] == segments[i]):
            at, i = at + 1, i + 1
        elif back:
            taken += 1
            at, i = back, taken
        else:
            return False
    return at == size or (at == size - 1 and pattern[at] == MANY)


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Row by row: at which places in `other` one can be, with so much of `one` behind."""
    places = _past_many({0}, other)
    for segment in one:
        after: set[int] = set()
        for at in places:
            if segment == MANY:
                after |= set(range(at, len(other) + 1))
            elif at < len(other):
                there = other[at]
                if there == MANY:
                    after.add(at)
                elif ONE in (there, segment) or there == segment:
                    after.add(at + 1)
        places = _past_many(after, other)
    return len(other) in places


def _past_many(places: set[int], pattern: tuple[str, ...]) -> set[int]:
    """Those places, and those behind a ``#`` that takes nothing."""
    for at in sorted(places):
        while at < len(pattern) and pattern[at] == MANY:
            at += 1
            places.add(at)
    return places


def _shortest(segments: list[str]) -> tuple[str, ...]:
    shortest: list[str] = []
    for wild, run in groupby(segments, key=lambda segment: segment in (ONE, MANY)):
        same = list(run)
        if wild:
            same = [ONE] * same.count(ONE) + [MANY] * (MANY in same)
        shortest += same
    return tuple(shortest)


def _check_pattern(pattern: object) -> str:
    if not isinstance(pattern, str):
        raise InvalidPattern(
            f"a topic pattern is a string, not {pattern.__class__.__name__}: {_short(pattern)}",
            pattern=_short(pattern),
        )
    if _PATTERN.fullmatch(pattern) is None:
        raise InvalidPattern(
            f"topic pattern {_short(pattern)} is malformed: {_fault(pattern, wildcards=True)}; "
            f"{_ALLOWED}; '*' stands for one segment, '#' for zero or more",
            pattern=pattern,
        )
    return str.__str__(pattern)


def _fault(text: str, *, wildcards: bool) -> str:
    segments = enumerate(text.split("."), start=1)
    faults = (_segment_fault(segment, at, wildcards=wildcards) for at, segment in segments)
    return next(fault for fault in faults if fault is not None)


def _segment_fault(segment: str, position: int, *, wildcards: bool) -> str | None:
    if wildcards and segment in (ONE, MANY):
        return None
    if not segment:
        return f"segment {position} is empty"
    foreign = _FOREIGN.search(segment)
    if foreign is None:
        return None
    found = foreign.group()
    place = f"at character {foreign.start() + 1}"
    fault = f"segment {position}, {_short(segment)}, has {found!r} {place}"
    if found not in (ONE, MANY):
        return fault
    if wildcards:
        return f"{fault}, and a wildcard must be a segment of its own"
    return f"{fault}, and wildcards are for subscriptions only"


def _short(value: object) -> str:
    # repr, because it escapes control characters and bidi overrides: errors reach terminals
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
