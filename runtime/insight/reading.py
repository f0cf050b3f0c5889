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

Nothing in this says how long may pass between two steps, so of many cases (`Reading`) the first two
steps, and the timers, are read once; records and the log are read case by case, and interests anew
behind each batch of them. What was read long ago only looks less far the more.

Rejected: one transaction around it all. Not every store can hold one open for long while others
write, and `EventStore` would need a second way to read everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from choreia.runtime.errors import UnknownCase
from choreia.runtime.events.display import plain
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.insight.interests import versions
from choreia.runtime.insight.matching import Listeners
from choreia.runtime.insight.naming import family
from choreia.runtime.insight.story import Delivery, Interest, State, Story
from choreia.runtime.stores.base import EventStore, Selection
from choreia.runtime.stores.unit import CaseRecord, KeptInterest, Letter, SetTimer

TOGETHER = 100
"""Cases that are read at once."""

About = TypeVar("About", Letter, SetTimer)


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
    (told,) = Reading(store, run_from=run_from).stories([correlation_id])
    return told


class Reading:
    """Many cases of a store, as it stood when this was made, or later; see the module.

    `run_from`: see `story`.
    """

    def __init__(self, store: EventStore, *, run_from: int | None = None) -> None:
        self._store = store
        self._run_from = run_from
        self._done = _Done(store)
        self._letters = _by_case(store.letters())
        self._timers = _by_case(store.timers())
        self._kept: list[KeptInterest] = []
        self._interests: tuple[Interest, ...] = ()
        self._listeners = Listeners(())

    def newest(self, together: int = TOGETHER) -> Iterator[Story]:
        """All cases, the newest first, by where they began; so many are read at once. Those of
        the runtime's own news are left out."""
        before = None
        while page := self._store.cases(before=before, limit=max(1, min(together, TOGETHER))):
            yield from self.stories([span.correlation_id for span in page])
            before = page[-1].first

    def stories(self, cases: Sequence[str]) -> Iterator[Story]:
        """What is known of these."""
        read = [(case, *self._of_itself(case)) for case in cases]
        self._look_who_listens()
        for case, records, events in read:
            letters = _Letters(self._letters.get(case, ()))
            found = _deliveries(events, self._listeners, self._done, letters, self._run_from)
            timers = tuple(self._timers.get(case, ()))
            yield Story(case, events, self._interests, tuple(found), timers, records)

    def _of_itself(self, case: str) -> tuple[tuple[CaseRecord, ...], tuple[Recorded, ...]]:
        records = tuple(self._store.records(case))  # before the log
        return records, tuple(self._store.read(correlation_id=case))

    def _look_who_listens(self) -> None:
        kept = self._store.interests()
        if kept != self._kept:  # it takes long to compile them, and they seldom change
            self._kept, self._interests = kept, versions(kept)
            self._listeners = Listeners(self._interests)


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

    def __init__(self, letters: Iterable[Letter]) -> None:
        self._left: dict[str, dict[str, Letter]] = {}
        for letter in letters:
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


def _by_case(kept: Iterable[About]) -> dict[str, list[About]]:
    found: dict[str, list[About]] = {}
    for one in kept:
        case = one.event.metadata.correlation_id or one.event.id
        found.setdefault(case, []).append(one)
    return found
