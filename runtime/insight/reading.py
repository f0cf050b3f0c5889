"""A case as a store tells it.

**In which order it is read.** A store in use changes between two looks at it, and a story must not
say that a delivery is over and leave out what came of it: a case would be called finished that is
not. A turn commits its cursor, its emissions and its timers in one unit, so whoever has seen the
cursor moved finds in the log, if he looks *later*, all that this turn has said. The other way round
he would not. Hence, each before the next:

1. completed, and cursors: what moves below a family's mark in between is in the newer cursor;
2. dead letters: one is kept in the unit that moves the cursor past it, so none is taken for handled
   (and one that is handled after all leaves in the unit that has what its agent then said);
3. timers and records: one that fires leaves in the unit that has its event;
4. the log;
5. interests: who is seated after the log was read does not matter to it, but everybody must be
   known for whom something in it is.

What changes meanwhile thus only looks less far than it is: as not come to yet. The next look tells.

Rejected: one transaction around it all. Not every store can hold one open for long while others
write, and `EventStore` would need a second way to read everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from choreia.runtime.errors import UnknownCase
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.insight.interests import versions
from choreia.runtime.insight.matching import Listeners
from choreia.runtime.insight.naming import family
from choreia.runtime.insight.story import Delivery, Interest, State, Story
from choreia.runtime.stores.base import EventStore, Selection
from choreia.runtime.stores.unit import Letter


def case_of(store: EventStore, id: str) -> str:
    """The case that `id` names: itself, if it is one, or that of the event of this id.

    Raises `UnknownCase`.
    """
    if not id:
        raise UnknownCase("no id was given: name a case (its correlation id) or an event", id=id)
    found = store.find(id)
    if found is not None:
        return found.event.metadata.correlation_id or found.event.id
    if store.page(0, 1, Selection(correlation_id=id)):
        return id
    raise UnknownCase(
        f"there is no case and no event {plain(id, 80)} in this store; `choreia cases` and "
        "`choreia events show` list what there is",
        id=id,
    )


def story(store: EventStore, correlation_id: str, *, run_from: int | None = None) -> Story:
    """All that `store` knows of a case; see the module.

    The runtime's own news are delivered in the run that recorded them, and in no later one. Those
    behind `run_from` (the last position of earlier runs) may be on their way still; of older ones,
    and where nobody knows which run it is, only those are told of that were handled. What agents
    heard that have no cursor is not in the store, and is left out.
    """
    done = _Done(store)
    letters = _Letters(store.letters(), correlation_id)
    timers = tuple(one for one in store.timers() if _is_in(one.event, correlation_id))
    records = tuple(store.records(correlation_id))
    events = tuple(store.read(correlation_id=correlation_id))
    interests = versions(store.interests())
    found = _deliveries(events, Listeners(interests), done, letters, run_from)
    return Story(correlation_id, events, interests, tuple(found), timers, records)


class _Done:
    """How far everybody has come."""

    def __init__(self, store: EventStore) -> None:
        self._completed = {(one.agent, one.position) for one in store.completed()}
        self._cursors = {one.agent: one.position for one in store.cursors()}

    def with_(self, agent: str, position: int) -> bool:
        if position <= self._cursors.get(agent, 0):
            return True
        return (agent, position) in self._completed


class _Letters:
    """The dead letters of one case."""

    def __init__(self, letters: Iterable[Letter], case: str) -> None:
        self._left: dict[str, dict[str, Letter]] = {}
        for letter in letters:
            if _is_in(letter.event, case):
                self._left.setdefault(letter.event.id, {})[family(letter.agent)] = letter

    def take(self, event_id: str, agent: str) -> Letter | None:
        return self._left.get(event_id, {}).pop(agent, None)

    def rest(self, event_id: str) -> Iterable[tuple[str, Letter]]:
        return self._left.pop(event_id, {}).items()


def _deliveries(
    events: Iterable[Recorded],
    listeners: Listeners,
    done: _Done,
    letters: _Letters,
    run_from: int | None,
) -> Iterator[Delivery]:
    for recorded in events:
        event_id = recorded.event.id
        # What was erased says nothing that a filter could be asked about, and goes to nobody.
        for interest in [] if recorded.erased else listeners.of(recorded):
            letter = letters.take(event_id, interest.agent)
            if letter is not None:
                yield _dead(letter, interest.agent, passive=interest.passive)
                continue
            state = _state(recorded, interest, done, run_from)
            if state is not None:
                since = recorded.at if state is State.LAGGING else None
                yield Delivery(
                    event_id, interest.agent, state, since=since, passive=interest.passive
                )
        # Who was told it directly, or has no cursor, but a dead letter.
        for agent, letter in letters.rest(event_id):
            yield _dead(letter, agent, passive=False)


def _state(
    recorded: Recorded, interest: Interest, done: _Done, run_from: int | None
) -> State | None:
    if not interest.durable:
        return None
    if done.with_(interest.agent, recorded.position):
        return State.HANDLED
    if recorded.live and (run_from is None or recorded.position <= run_from):
        return None
    return State.LAGGING


def _dead(letter: Letter, agent: str, *, passive: bool) -> Delivery:
    """As a dead letter stands; one that is to be tried again is on its way."""
    return Delivery(
        letter.event.id,
        agent,
        State.LAGGING if letter.waiting else State.DEAD,
        since=letter.time,
        reason=letter.reason,
        error=letter.error,
        attempts=letter.attempts,
        passive=passive,
    )


def _is_in(event: Event, case: str) -> bool:
    return (event.metadata.correlation_id or event.id) == case
