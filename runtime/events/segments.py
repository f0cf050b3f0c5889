"""Why a topic pattern does not select a type: the first segment that does not fit."""

from __future__ import annotations

import attrs

from choreia.runtime.events.topic import MANY, ONE, TopicPattern


@attrs.frozen
class Misfit:
    """At segment number `at` of the type (from 1) a pattern wants `wanted`, and there is `found`.

    `wanted` is None where the pattern is at its end, `found` where the type is.
    """

    at: int
    wanted: str | None
    found: str | None


def misfit(pattern: TopicPattern, type: str) -> Misfit | None:
    """Where `type` stops fitting `pattern`; None when it is selected.

    With ``#`` there are several ways to try: of all, the one that comes furthest in the pattern.
    """
    if pattern.matches(type):
        return None
    segments = type.split(".")
    places = {0}  # in the type: how much of it may be taken when the pattern has come to here
    for wanted in pattern.segments:
        if wanted == MANY:
            reached = set(range(min(places), len(segments) + 1))
        else:
            reached = {i + 1 for i in places if i < len(segments) and wanted in (ONE, segments[i])}
        if not reached:
            place = min(places)
            return Misfit(place + 1, wanted, _at(segments, place))
        places = reached
    place = max(places)
    return Misfit(place + 1, None, _at(segments, place))


def _at(segments: list[str], place: int) -> str | None:
    return segments[place] if place < len(segments) else None
