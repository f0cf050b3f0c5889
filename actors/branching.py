"""What stood at a moment of a log: a copy of it up to there, in which agents can go on.

The log keeps what was said, not how far each agent had come, nor which timers were set. Both
follow from what was said later: an agent that answers an event after the moment had not handled it
before, and a timer that fires after it, and was set by then, stood. What left no trace (a timer
that was cancelled, an event that was handled in silence) is not known, and not needed to have the
same said again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

import attrs
import orjson

from choreia.actors.agent import Agent
from choreia.actors.every import key_of, schedules_of
from choreia.actors.reconstructing import name_in
from choreia.actors.sagas.rebuilding import rebuilt
from choreia.runtime.errors import InvalidEvent
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.memory import MemoryStore
from choreia.runtime.stores.unit import Complete, Cursor, KeepRecord, Seat, SetTimer, Unit

APART = 0.000_001
"""Seconds between timers that fired at one time: they have an order all the same."""


@attrs.frozen
class Past:
    """A log as a whole, and how far its agents had come at its end."""

    log: tuple[Recorded, ...]
    cursors: tuple[Cursor, ...]
    cast: Mapping[str, type[Agent]]
    """Who plays when it goes on differently: classes by name."""
    node: str
    families: frozenset[str] = frozenset()
    """Names of keyed agents and groups: their events may have been done in another order."""

    places: Mapping[str, int] = attrs.field(init=False, eq=False)
    """Where each event stands, by id."""

    @places.default
    def _(self) -> Mapping[str, int]:
        return {one.event.id: one.position for one in self.log}

    def player(self, event: Event) -> str | None:
        """The name of the agent that said it, if it is one of those who play again."""
        name = name_in(event.source)
        if name is None or not event.source.startswith(f"did:choreia:{self.node}:"):
            return None
        base = name.partition(":")[0]
        return base if base in self.cast else None

    def fires(self, event: Event) -> bool:
        """Whether a timer of a player's said it: it waited, so it begins again at no hops."""
        return self.player(event) is not None and event.metadata.hops == 0


def news(recorded: Recorded) -> bool:
    """Whether it is the runtime's own: it tells of a run, not of what happened."""
    return recorded.live or recorded.event.type.startswith(("agent.", "system."))


@attrs.frozen
class Branch:
    """Where history parts: what is copied as it stood, and what is still to come."""

    past: Past
    at: int
    event: Event
    """What happens there now."""
    kept: tuple[Recorded, ...]
    """What was said in the same breath, and stands with it; when an agent said it."""
    ahead: tuple[Recorded, ...]
    """What happened later; without news."""

    @property
    def copied(self) -> bool:
        """Whether the event is put into the copy, for an agent said it and will not again. Else it
        is published."""
        return self.past.player(self.event) is not None

    def store(self) -> MemoryStore:
        """The copy."""
        store = MemoryStore()
        for one in self.past.log[: self.at - 1]:
            store.commit([_unit(one.event, one.flags)], one.at)
        if self.copied:
            at = self.past.log[self.at - 1].at
            events = (self.event, *(one.event for one in self.kept))
            store.commit([_unit(event, 0) for event in events], at)
        positions = self.positions()
        seats = [Unit(seat=Seat(agent, place)) for agent, place in positions.items()]
        seats += self._done(positions)
        changes = [*self._timers(positions), *self._records(store, positions)]
        store.commit(
            [*seats, Unit(changes=changes)],
            store.page(store.head - 1, 1)[0].at if store.head else 0.0,
        )
        return store

    # -- how far each had come --------------------------------------------------------------------

    def positions(self) -> dict[str, int]:
        """The cursors of the durable agents at that moment, by name."""
        found = {cursor.agent: self.at - 1 for cursor in self.past.cursors}
        for name, place in self._undone():
            if name in found:
                found[name] = min(found[name], place - 1)
        return found

    def _undone(self) -> Iterator[tuple[str, int]]:
        """What was before the branch, and handled behind it: agents and positions."""
        places = self._places()
        for one in self.ahead:
            name = self.past.player(one.event)
            if name is not None and not self.past.fires(one.event):
                last = self.in_hand(one.event)
                if last in places:
                    yield name, places[last]

    def in_hand(self, event: Event) -> str | None:
        """The id of what its agent had in hand when it said it: of several causes, the last."""
        causes = event.metadata.causes
        if not causes:
            return event.metadata.causation_id
        return max(_causes(event), key=lambda id: self.past.places.get(id, 0))

    def _done(self, positions: Mapping[str, int]) -> Iterator[Unit]:
        """What families had done already above their marks."""
        undone = set(self._undone())
        for name in self.past.families & set(positions):
            low = positions[name]
            above = range(low + 1, self.at)
            done = tuple(place for place in above if (name, place) not in undone)
            yield Unit(complete=Complete(name, 1, done, low))

    def _records(self, store: MemoryStore, positions: Mapping[str, int]) -> list[KeepRecord]:
        """How the steps of sagas stood."""
        undone = set(self._undone())

        def heard(name: str, place: int) -> bool:
            if name in self.past.families:
                return place < self.at and (name, place) not in undone
            return place <= positions.get(name, 0)

        return list(rebuilt(self.past.cast, store.read(), heard))

    def _places(self) -> dict[str, int]:
        return {one.event.id: one.position for one in self.past.log[: self.at - 1]}

    # -- what each had set ------------------------------------------------------------------------

    def _timers(self, positions: Mapping[str, int]) -> list[SetTimer]:
        # Those that stand in the end are of no use: time goes no further than the log.
        return list(_one_by_one(self._fired(self._places(), positions)))

    def _fired(self, places: Mapping[str, int], positions: Mapping[str, int]) -> Iterator[SetTimer]:
        """Those that fired later; of each method that is called again and again, the first."""
        ticking: set[str] = set()
        for event in (one.event for one in self.ahead):
            name = self.past.player(event)
            if name is None or not self.past.fires(event):
                continue
            if self._was_set(name, event, places, positions):
                yield SetTimer(name, event.id, event.timestamp, event)
            elif event.metadata.causation_id is None and event.type not in ticking:
                ticking.add(event.type)
                yield from self._tick(name, event)

    def _tick(self, name: str, event: Event) -> Iterator[SetTimer]:
        method = event.type.removeprefix(f"timer.{name}.")
        schedule = schedules_of(self.past.cast[name]).get(method)
        if schedule is not None:
            yield SetTimer(name, key_of(method), event.timestamp, event, schedule.text)

    def _was_set(
        self, name: str, event: Event, places: Mapping[str, int], positions: Mapping[str, int]
    ) -> bool:
        """Whether the handler that set the timer had returned by then."""
        place = places.get(event.metadata.causation_id or "")
        return place is not None and place <= positions.get(name, 0)


def _one_by_one(timers: Iterator[SetTimer]) -> Iterator[SetTimer]:
    """In their order, though several fired at one time."""
    last = 0.0
    for timer in timers:
        last = max(timer.due, last + APART)
        yield attrs.evolve(timer, due=last)


def branch(past: Past, at: int, event: Event) -> Branch:
    """History parts at position `at`, where `event` happens now."""
    later = [one for one in past.log[at:] if not news(one)]
    kept: list[Recorded] = []
    if past.player(event) is not None and not past.fires(event):
        # Only what was recorded with it. If its handler had more to say later, it was not at its
        # end: then it begins once more, and its early words, which stand, are not said twice.
        kept = list(takewhile(lambda one: _said_with(event, one.event), later))
    return Branch(past, at, event, tuple(kept), tuple(later[len(kept) :]))


def _said_with(one: Event, other: Event) -> bool:
    meta = other.metadata
    same = (meta.causation_id, other.source) == (one.metadata.causation_id, one.source)
    return same and bool(meta.hops) and meta.causation_id is not None


def _causes(event: Event) -> tuple[str, ...]:
    meta = event.metadata
    return meta.causes if meta.causation_id is None else (meta.causation_id, *meta.causes)


def _unit(event: Event, flags: int) -> Unit:
    return Unit([event], [orjson.dumps(event.payload)], flags=flags)


# -- what is changed -------------------------------------------------------------------------------


def altered(event: Event, change: Mapping[str, object]) -> Event:
    """The event with other values in its payload, by path. Raises `InvalidEvent` for a path that
    leads nowhere, and `InvalidPayload` for a value that is none of JSON's."""
    payload = event.copy_payload()
    for path, value in change.items():
        _put(payload, path, value)
    return event.evolve(payload=payload) if change else event


def _put(payload: dict[str, Any], path: str, value: object) -> None:
    root, *segments = path.split(".")
    if root != "payload" or not segments or not all(segments):
        raise InvalidEvent(
            f"change {path!r}: write payload.NAME, with dots between the names of what is nested"
        )
    place: Any = payload
    for segment in segments[:-1]:
        if isinstance(place, dict):
            place = place.setdefault(segment, {})
        else:
            place = place[_index(place, segment, path)]
    if isinstance(place, dict):
        place[segments[-1]] = value
    else:
        place[_index(place, segments[-1], path)] = value


def _index(place: object, segment: str, path: str) -> int:
    if not isinstance(place, list):
        what = type(place).__name__
        raise InvalidEvent(f"change {path!r}: nothing is inside a {what}, so no {segment!r}")
    if not segment.isdecimal() or int(segment) >= len(place):
        raise InvalidEvent(
            f"change {path!r}: {segment!r} is no place in a list of {len(place)}; they count from 0"
        )
    return int(segment)
