"""The book of cases: all records of all participants in this process, by correlation.

It decides what one participant alone cannot know. Whether a case goes forward (its pivot is in hand
or done) or back (something of it is being undone): whoever claims first has it. And in which order
it goes back: a step is undone only when the done steps that stand on it are, if they are to be
undone by the same failure. Who has to wait is noted, and woken by whoever was waited for.

Nobody directs anything here: participants look things up, and each does its own work.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from enum import Enum
from itertools import islice

import attrs

from choreia.actors.sagas.records import Place, StepRecord, StepState
from choreia.runtime.events.event import Event
from choreia.runtime.stores.unit import CaseRecord

CASES = 10_000
"""Cases that are remembered after they have come to rest."""
OPEN_CASES = 100_000
"""Cases of which something is done that may still have to be undone. Without a store they are what
is known of them; beyond so many, the oldest are let go of all the same."""
_TELLING = ("saga.compensated", "saga.resumed")
_TRIED = 32
_OWED = b'"owed":true'
"""In the value of a record."""


class Way(Enum):
    """Whether a step may be undone."""

    GO = "go"
    WAIT = "wait"
    """Whoever is waited for will wake the agent."""
    PASSED = "passed"
    """The pivot is done: never."""


@attrs.frozen
class Wake:
    """An agent that waited, and can go on."""

    agent: str
    key: str | None
    """Where its key stands in an event."""
    failure: tuple[str, str]


@attrs.define(eq=False)
class _Case:
    records: dict[Place, StepRecord] = attrs.field(factory=dict[Place, StepRecord])
    ahead: dict[Place, StepRecord] = attrs.field(factory=dict[Place, StepRecord])
    """What will be in the store in a moment, and only its own agent knows yet."""
    claims: set[Place] = attrs.field(factory=set[Place])
    """Pivots in hand."""
    back: bool = False
    """Whether something of it was, or is being, undone."""
    waiting: dict[Place, Wake] = attrs.field(factory=dict[Place, Wake])
    failures: dict[str, Event] = attrs.field(factory=dict[str, Event])
    """What somebody who waits will want to see, where no store could tell it."""
    volatile: bool = False
    """Whether something of it is known nowhere else."""
    uncommitted: int = 0
    """Changes on their way to the store."""

    @property
    def passed(self) -> bool:
        return any(
            one.kind == "pivot" and one.state is StepState.DONE for one in self.records.values()
        )

    def stands_on(self, upper: StepRecord, lower: Place) -> bool:
        """Whether `upper` came about, directly or not, because of `lower`."""
        seen, left = {upper.place}, list(upper.after)
        while left:
            place = left.pop()
            if place == lower:
                return upper.place != lower
            if place in seen:
                continue
            seen.add(place)
            record = self.records.get(place)
            if record is not None:
                left += record.after
        return False

    def blocked(
        self, place: Place, failure: tuple[str, str], undone: Collection[Place] = ()
    ) -> bool:
        """Whether a step has to wait until it may be undone."""
        own = self.records.get(place)
        known = {*undone, *(() if own is None else own.heard)}
        return bool(self.claims) or any(
            one.place not in known and self._over(one, place, failure)
            for one in self.records.values()
        )

    def _over(self, upper: StepRecord, place: Place, failure: tuple[str, str]) -> bool:
        """Whether `upper` has to be undone before the step at `place`."""
        if upper.place == place or not upper.undone_by(failure):
            return False
        if upper.state is StepState.DONE:
            return self.stands_on(upper, place)
        # It is undone, and will say so, if it has not yet. What an agent does with a store follows
        # from what it hears, in the order of the log, and not from what others know by then.
        return upper.tells and any(one.place == place for one in self.beneath(upper, failure))

    def beneath(self, upper: StepRecord, failure: tuple[str, str]) -> list[StepRecord]:
        """The nearest steps that `upper` stands on, and that are undone by the same failure."""
        found: list[StepRecord] = []
        seen, left = {upper.place}, list(upper.after)
        while left:
            place = left.pop()
            record = self.records.get(place)
            if place in seen or record is None:
                continue
            seen.add(place)
            if record.undone_by(failure):
                found.append(record)
            else:
                left += record.after
        return found

    def free(self, place: Place) -> bool:
        """Whether a step that waits to be undone waits for nothing any more."""
        return self.passed or not self.blocked(place, self.waiting[place].failure)

    def resting(self) -> bool:
        """Whether all that there is to know of it is in the records, and nobody waits."""
        return not (self.claims or self.waiting or self.uncommitted)

    def open(self) -> bool:
        """Whether something of it may still happen."""
        if any(one.owed or one.state is StepState.DOING for one in self.records.values()):
            return True
        done = any(one.compensates and one.state is StepState.DONE for one in self.records.values())
        return done and not self.passed


class CaseBook:
    """See the module. Thread-safe."""

    def __init__(
        self,
        load: Callable[[str], Iterable[CaseRecord]] | None = None,
        *,
        cases: int = CASES,
        open_cases: int = OPEN_CASES,
        left: Callable[[], Iterable[CaseRecord]] = tuple,
    ) -> None:
        """`left`: reads all records, if the run before this one was killed."""
        self._left: Callable[[], Iterable[CaseRecord]] | None = left
        self._load = load
        """Reads a case's records from the store."""
        self._most = cases
        self._most_open = open_cases
        self._lock = threading.Lock()
        self._cases: OrderedDict[str, _Case] = OrderedDict()
        self._opened: OrderedDict[str, _Case] = OrderedDict()
        """Those that must not be forgotten."""

    # -- looking up -------------------------------------------------------------------------

    def records(self, correlation_id: str) -> tuple[CaseRecord, ...]:
        """What is known of a case, by agent and name."""
        with self._lock:
            records = self._case(correlation_id).records
            return tuple(records[place].case_record(correlation_id) for place in sorted(records))

    def record(self, case: str, place: Place) -> StepRecord | None:
        """How a step stands, for its own agent."""
        with self._lock:
            known = self._case(case)
            return known.ahead.get(place) or known.records.get(place)

    def passed(self, case: str) -> bool:
        """Whether a pivot of the case is done."""
        with self._lock:
            return self._case(case).passed

    def failure(self, case: str, id: str) -> Event | None:
        """The event of that id, if somebody waited to undo something because of it."""
        with self._lock:
            return self._case(case).failures.get(id)

    # -- deciding ---------------------------------------------------------------------------

    def go_forward(self, case: str, pivot: Place) -> bool:
        """A pivot is about to begin: whether it may. Claimed until it is done, or has failed."""
        with self._lock:
            known = self._case(case)
            if known.back:
                return False
            known.claims.add(pivot)
            return True

    def go_back(
        self,
        case: str,
        place: Place,
        failure: tuple[str, str],
        key: str | None,
        undone: Collection[Place] = (),
    ) -> Way:
        """A step is to be undone: whether it may. `undone`: others that are, in the same turn."""
        with self._lock:
            known = self._case(case)
            if known.passed:
                return Way.PASSED
            if known.blocked(place, failure, undone):
                known.waiting[place] = Wake(place[0], key, failure)
                return Way.WAIT
            known.back = True
            return Way.GO

    def let_go(self, case: str, pivot: Place) -> tuple[Wake, ...]:
        """A pivot has failed: who waited for it."""
        with self._lock:
            known = self._case(case)
            known.claims.discard(pivot)
            return _woken(known)

    def beneath(self, case: str, record: StepRecord, failure: tuple[str, str]) -> tuple[Wake, ...]:
        """A step is being undone: who may have to wait for that, now or in a moment."""
        with self._lock:
            below = self._case(case).beneath(record, failure)
            return tuple(dict.fromkeys(Wake(one.agent, one.key, failure) for one in below))

    def left_waiting(self) -> tuple[tuple[str, Wake], ...]:
        """Who waited to undo something when the last run was killed, and waits for nothing any
        more; by case. Told once."""
        with self._lock:
            if self._left is None:
                return ()
            cases = dict.fromkeys(
                kept.correlation_id for kept in self._left() if _OWED in kept.value
            )
            self._left = None
            return tuple((case, wake) for case in cases for wake in _woken(self._case(case)))

    # -- keeping ----------------------------------------------------------------------------

    def put(
        self,
        case: str,
        record: StepRecord,
        *,
        failure: Event | None = None,
        committing: bool = False,
    ) -> tuple[Wake, ...]:
        """So a step stands now: who waited for that. `failure`: what it is to be undone for.
        `committing`: until `committed`."""
        with self._lock:
            known = self._case(case)
            if self._load is None and failure is not None and failure.type not in _TELLING:
                known.failures[failure.id] = failure
            known.uncommitted += committing
            known.volatile |= not committing and not record.tells
            _enter(known, record)
            self._sort(case, known)
            self._forget()
            return _woken(known)

    def committing(self, case: str, record: StepRecord) -> None:
        """So a step will stand when that is in the store; for its own agent it does so now."""
        with self._lock:
            known = self._case(case)
            known.uncommitted += 1
            known.ahead[record.place] = record

    def committed(self, case: str) -> None:
        """A change is in the store."""
        with self._lock:
            known = self._cases.get(case) or self._opened.get(case)
            if known is not None:
                known.uncommitted -= 1

    # -- remembering ------------------------------------------------------------------------

    def _case(self, case: str) -> _Case:
        known = self._cases.get(case) or self._opened.get(case)
        if known is None:
            known = _Case()
            for kept in () if self._load is None else self._load(case):
                record = StepRecord.read(kept)
                if record is not None:
                    _enter(known, record)
            self._cases[case] = known
            self._sort(case, known)
            self._forget()
        elif case in self._cases:
            self._cases.move_to_end(case)
        return known

    def _sort(self, case: str, known: _Case) -> None:
        """What is open, and stands in no store, must be remembered."""
        if known.volatile and known.open():
            self._cases.pop(case, None)
            self._opened[case] = known
        elif self._opened.pop(case, None) is not None:
            self._cases[case] = known

    def _forget(self) -> None:
        for kept, most in ((self._cases, self._most), (self._opened, self._most_open)):
            if len(kept) <= most:
                continue
            # The newest is the one that is just being looked at.
            for case in list(islice(kept, min(_TRIED, len(kept) - 1))):
                if kept[case].resting():
                    del kept[case]
                    if len(kept) <= most:
                        break


def _enter(known: _Case, record: StepRecord) -> None:
    place = record.place
    known.records[place] = record
    known.ahead.pop(place, None)
    if record.kind == "pivot":
        if record.state is StepState.DOING:
            known.claims.add(place)
        else:
            known.claims.discard(place)
    if record.state is StepState.COMPENSATED:
        known.back = True
    if record.state is StepState.DONE and record.owed and record.failure is not None:
        known.waiting[place] = Wake(record.agent, record.key, record.failure)
    else:
        known.waiting.pop(place, None)


def _woken(known: _Case) -> tuple[Wake, ...]:
    free = [place for place in known.waiting if known.free(place)]
    return tuple(dict.fromkeys(known.waiting.pop(place) for place in free))
