"""Events as whoever looks is shown them, and as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from choreia.actors.inspecting.arguments import Arguments
from choreia.actors.inspecting.trails import MOST, NoTrail, Trail
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.display import plain, redact
from choreia.runtime.events.event import Event, case_of
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.insight.naming import speaker
from choreia.runtime.inspection.answering import END, Answer, Stream
from choreia.runtime.inspection.frames import Fields, Refusal

EVERY: Final = 0.25
"""Seconds from one piece of a tail to the next."""
PIECE: Final = 500
"""Events of one piece, at most."""
MOST_LISTED: Final = 5_000


def event_form(event: Event, redacted: Sequence[str], payloads: bool = False) -> Fields:
    """One event. Its payload only if it is asked for, and with what is secret masked."""
    said: Fields = {
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "agent": speaker(event.source),
        "time": event.timestamp,
        "case": case_of(event),
        "cause": event.metadata.causation_id,
        "hops": event.metadata.hops,
    }
    if payloads:
        said["payload"] = redact(event.payload, redacted)
    return said


class Wanted:
    """Which events somebody wants to see. Raises `Refusal` for what cannot be understood."""

    def __init__(self, args: Arguments) -> None:
        self._case = args.maybe_text("case")
        topic, filter = args.text("topic", "#"), args.fields("filter")
        try:
            self._pattern = TopicPattern(topic)
            self._filter = None if filter is None else Filter(filter)
        except ChoreiaError as error:
            raise Refusal("bad_argument", plain(str(error), 500)) from error
        self._types: dict[str, bool] = {}

    def among(self, events: Iterable[Event]) -> list[Event]:
        """Those of `events`, in order."""
        return [event for event in events if self._meant(event)]

    def _meant(self, event: Event) -> bool:
        known = self._types.get(event.type)
        if known is None:
            if len(self._types) >= MOST:
                self._types.clear()
            known = self._types[event.type] = self._pattern.matches(event.type)
        if not known or (self._case is not None and case_of(event) != self._case):
            return False
        return self._filter is None or self._filter.matches(event)


def events(trail: Trail, args: Arguments, redacted: Sequence[str]) -> Answer:
    """The verb: the last ones, or from there on all that come."""
    wanted = Wanted(args)
    limit = args.number("limit", 100, MOST_LISTED)
    payloads, follow = args.flag("payloads"), args.maybe_flag("follow", False)
    args.end()
    if follow is None:
        return END
    if isinstance(trail, NoTrail):  # or it would look as if nothing happened
        raise Refusal(
            "failed",
            "this system remembers nothing (ActorSystem(remember=0)): leave that out to look at "
            "events",
        )

    def shown(found: Sequence[Event], missed: int) -> Fields:
        return {
            "events": [event_form(event, redacted, payloads) for event in found],
            "missed": missed,
        }

    if not follow:
        return shown(wanted.among(trail.last(MOST))[-limit:], 0)
    return Stream(EVERY, Tail(trail, wanted, limit, shown).next, lambda: None)


class Tail:
    """Events as they come: first the last ones, then what is new."""

    def __init__(
        self,
        trail: Trail,
        wanted: Wanted,
        limit: int,
        shown: Callable[[Sequence[Event], int], Fields],
    ) -> None:
        self._trail = trail
        self._wanted = wanted
        self._limit = limit
        self._shown = shown
        self._place: int | None = None

    def next(self) -> Fields | None:
        """What is new; None when nothing is."""
        if self._place is None:
            last, _, self._place = self._trail.since(max(0, self._trail.said - MOST))
            return self._shown(self._wanted.among(last)[-self._limit :], 0)
        came, missed, self._place = self._trail.since(self._place)
        found = self._wanted.among(came)
        missed += max(0, len(found) - PIECE)
        return self._shown(found[-PIECE:], missed) if found or missed else None
