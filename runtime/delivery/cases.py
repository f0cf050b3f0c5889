"""What is in flight of each case, so that its end is known at once, and with no time-out.

A case is everything with one correlation id. Each event that is routed adds the deliveries it makes
to the count of its case, before anybody has it; each delivery that is done with, whatever came of
it, is taken off, after what it has led to has been added. So the count is zero only when nothing of
the case is in flight, and then nothing more can come of it but by a timer or from outside.
(Termination detection by counting messages, as in Mattern 1987, "Algorithms for distributed
termination detection", section 3; in one process one counter under a lock will do.)

Observers (`Cell.holding` is False) do not count: who only looks on holds no case open.

The last events are kept too, for whoever looks back, and which deliveries got lost on their way.
How the others ended need not be: what has come, and is not in flight, was handled, or is a dead
letter.
What a delivery costs for all of this is measured (`choreia bench insight`); turns report their ends
by the batch, and nobody is told but those who wait for a case.

With a store the log is the truth about what is durable; see `actors/cases.py` for who asks it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from choreia.runtime.events.event import Event

if TYPE_CHECKING:
    from choreia.runtime.delivery.budget import Used

KEPT = 10_000
"""Events, deliveries, and cases at rest that are remembered."""
TYPES = 1_000
"""Types of which it is counted how often nobody reacted."""

T = TypeVar("T")
_count_at = Event.tally.__set__  # the value's own `__setattr__` refuses, as it must
Told = Callable[[], None]


class Tally:
    """What is counted of one case. Change it with the lock of its `Cases` held."""

    __slots__ = (
        *("count", "events", "home", "id", "outcome", "over"),
        *("notes", "spent", "timers", "used", "watchers"),
    )

    def __init__(self, id: str, home: Cases) -> None:
        self.id = id
        self.home = home
        self.count = 0
        """Deliveries in flight."""
        self.timers = 0
        """Events that will be said later."""
        self.events = 0
        """Events so far."""
        self.notes: dict[tuple[str, str], bytes] = {}
        """What agents note about it, by agent and name: what it waits for."""
        self.spent = 0.0
        self.used: Used | None = None
        """What was used before this run, if anybody asked; then it is in the counts."""
        self.over = False
        """Whether it was said that it has used more than `CaseLimits` grants."""
        self.outcome: Event | None = None
        """The last of its events whose type ends a case."""
        self.watchers: tuple[Told, ...] = ()
        """Told each time nothing of it is in flight any more, and no timer set."""


Loss = tuple[str, Event, str]
"""An agent's name, an event that it will never have in hand, and why: ``dropped`` by its mailbox's
policy, or ``lost`` by a fault that a simulation was told to make."""


class Cases:
    """All cases of one system. Thread-safe; takes no other lock while it has its own."""

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self._lock = Lock()
        self._live: dict[str, Tally] = {}
        """With something in flight, a timer, or somebody who waits for it."""
        self._resting: OrderedDict[str, Tally] = OrderedDict()
        """The last of the others, the oldest first."""
        self.forgotten = 0
        """Cases at rest that are not remembered any more."""
        self._trail: deque[Event] = deque(maxlen=kept)
        self.said = 0
        """Events so far."""
        self._losses: deque[Loss] = deque(maxlen=kept)
        self._came: OrderedDict[str, float] = OrderedDict()
        self.watched = 0
        """How many wait for a case: then each end is told of at once, and not by the batch."""
        self.unheard: Counter[str] = Counter()
        """Events that nobody was subscribed to, by type."""

    # -- on the way ---------------------------------------------------------------------------

    def sent(self, event: Event, count: int, ending: bool = False, heard: bool = True) -> None:
        """`event` is about to be offered to `count` agents that hold a case open. `ending`: its
        type ends a case. `heard`: anybody at all gets it."""
        id = event.metadata.correlation_id or event.id
        with self._lock:
            self._trail.append(event)
            self.said += 1
            case = self._live.get(id)
            if case is None:
                case = self._case(id)
            _count_at(event, case)
            case.count = in_flight = case.count + count
            case.events += 1
            if ending:
                case.outcome = event
            if heard and in_flight:
                return  # the common case ends here
            if not heard:
                self._unheard(event.type)
            told = () if in_flight else self._settled(case)
        for tell in told:
            tell()

    def came(self, event: Event, at: float) -> None:
        """It comes whole from outside: its timestamp is anybody's, and this is when it came."""
        with self._lock:
            self._came[event.id] = at
            if len(self._came) > self.kept:
                self._came.popitem(last=False)

    def time_of(self, event: Event) -> float:
        """When it was published."""
        return self._came.get(event.id, event.timestamp)

    def retracted(self, event: Event, count: int) -> None:
        """It was not: nobody has got it. Say so before anything else is said of it."""
        id = event.metadata.correlation_id or event.id
        with self._lock:
            case = self._live.get(id)
            if case is not None:
                case.count -= count
                case.events -= 1
            self.said -= 1
            later: list[Event] = []
            while self._trail and (last := self._trail.pop()) is not event:
                later.append(last)
            self._trail.extend(reversed(later))
            told = () if case is None else self._settled(case)
            if case is not None and not case.events and not case.spent:
                self._resting.pop(id, None)  # there is no such case
        for tell in told:
            tell()

    def more(self, event: Event, count: int = 1) -> None:
        """`event` is given to so many agents once more: told to one, or redelivered."""
        id = event.metadata.correlation_id or event.id
        with self._lock:
            case = self._live.get(id) or self._case(id)
            _count_at(event, case)
            case.count += count

    def ended(self, events: Sequence[Event]) -> None:
        """One delivery of each of `events` is done with, well or not."""
        told: tuple[Told, ...] = ()
        with self._lock:
            for event in events:
                # Plain, and with the common case in place: every delivery passes here. What is in
                # flight was counted, so it has a tally, and that is live.
                try:
                    case = event.tally
                except AttributeError:
                    case = None  # read from a log, or put into the mailbox past everything
                if case is None or case.home is not self:
                    # Or the same object is on its way in another system of this process, too.
                    case = self._live.get(event.metadata.correlation_id or event.id)
                    if case is None:
                        continue
                case.count = left = case.count - 1
                if left <= 0:
                    told += self._settled(case)
        for tell in told:
            tell()

    def lost(self, agent: str, event: Event, why: str, later: Callable[[Told], object]) -> None:
        """`agent` will never have `event`; see `Loss`. Its mailbox's lock may be held: who is to be
        told of the case's end is given to `later`."""
        case_id = event.metadata.correlation_id or event.id
        with self._lock:
            self._losses.append((agent, event, why))
            case = self._live.get(case_id)
            if case is None:
                return
            case.count -= 1
            told = self._settled(case)
        for tell in told:
            later(tell)

    def less(self, event: Event, count: int = 1) -> None:
        """It was not, after all."""
        id = event.metadata.correlation_id or event.id
        with self._lock:
            case = self._live.get(id)
            if case is None:
                return
            case.count -= count
            told = self._settled(case)
        for tell in told:
            tell()

    def keep(self, event: Event) -> Tally:
        """The tally of its case. It stands while something of the case is in flight."""
        id = event.metadata.correlation_id or event.id
        with self._lock:
            found = self._live.get(id) or self._resting.get(id)
            if found is None:
                found = self._case(id)
                self._settled(found)
            return found

    def spent(self, event: Event, amount: float) -> None:
        """Handling it has cost so much."""
        tally = self.keep(event)
        with self._lock:
            tally.spent += amount

    def nobody(self, event: Event) -> None:
        """It was recorded, and nobody was subscribed to it."""
        with self._lock:
            self._unheard(event.type)

    def _unheard(self, type: str) -> None:
        if type in self.unheard or len(self.unheard) < TYPES:
            self.unheard[type] += 1

    def note(self, event: Event, agent: str, name: str, value: bytes) -> None:
        """Keep what `agent` notes about the case of `event`."""
        tally = self.keep(event)
        with self._lock:
            tally.notes[agent, name] = value

    def note_loss(self, agent: str, event: Event) -> None:
        """A fault has it that `agent` never gets `event`, which is not counted for it."""
        if (agent, event, "lost") not in self._losses:
            self._losses.append((agent, event, "lost"))

    # -- timers -------------------------------------------------------------------------------

    def timer_set(self, event: Event) -> None:
        """`event` will be said later."""
        id = event.metadata.correlation_id or event.id
        with self._lock:
            (self._live.get(id) or self._case(id)).timers += 1

    def timer_over(self, event: Event) -> None:
        """It has been said, or will not be."""
        id = event.metadata.correlation_id or event.id
        with self._lock:
            case = self._live.get(id)
            if case is None:
                return
            case.timers -= 1
            told = self._settled(case)
        for tell in told:
            tell()

    # -- for whoever waits for a case, or looks -------------------------------------------------

    def watch(self, id: str, tell: Told) -> Told:
        """Have `tell` called whenever nothing of the case is in flight any more, and no timer is
        set, until the returned function is called. It must not block."""
        with self._lock:
            case = self._live.get(id) or self._case(id)
            case.watchers = (*case.watchers, tell)
            self.watched += 1

        def stop() -> None:
            with self._lock:
                case.watchers = tuple(one for one in case.watchers if one is not tell)
                self.watched -= 1
                self._settled(case)

        return stop

    def tell(self, id: str) -> None:
        """Something may have come to its end there of which nothing is counted."""
        case = self._live.get(id)
        for tell in () if case is None else case.watchers:
            tell()

    def find(self, id: str) -> Tally | None:
        """What is counted of that case, if it is remembered."""
        with self._lock:
            return self._live.get(id) or self._resting.get(id)

    def known(self) -> list[Tally]:
        """All that are remembered: those at rest, the oldest first, then the others."""
        with self._lock:
            return [*self._resting.values(), *self._live.values()]

    def in_flight(self, id: str) -> bool:
        """Whether something of it is on its way, or in somebody's hands."""
        case = self._live.get(id)
        return case is not None and case.count > 0

    def trail(self) -> list[Event]:
        """The last events, in the order in which they were published."""
        return _copied(self._trail)

    def since(self, said: int, most: int) -> tuple[list[Event], int]:
        """The last events since so many had been said, as far as they are remembered, at most so
        many, in order; and how many have been said now."""
        with self._lock:
            new = min(most, max(0, self.said - said))
            return list(islice(reversed(self._trail), new))[::-1], self.said

    def last(self) -> Event | None:
        """The last of them."""
        try:
            return self._trail[-1]
        except IndexError:
            return None

    def losses(self) -> list[Loss]:
        """The last of them, in order."""
        return _copied(self._losses)

    # -- inside ---------------------------------------------------------------------------------

    def _case(self, id: str) -> Tally:
        case = self._resting.pop(id, None) or Tally(id, self)
        self._live[id] = case
        return case

    def _settled(self, case: Tally) -> tuple[Told, ...]:
        """Put it to rest, if nothing is left to do: who is to be told."""
        if case.count > 0 or case.timers > 0:
            return ()
        if not case.watchers and self._live.pop(case.id, None) is not None:
            self._resting[case.id] = case
            if len(self._resting) > self.kept:
                self._resting.popitem(last=False)  # of a plain dict the first is found ever later
                self.forgotten += 1
        return case.watchers


def _copied(kept: deque[T]) -> list[T]:
    while True:
        try:
            return list(kept)
        except RuntimeError:  # somebody appended meanwhile
            continue


def event_of(item: Any) -> Event | None:
    """The event that an item of a mailbox is about: itself, or what is redelivered or told."""
    if item.__class__ is Event:
        return item
    inner: Any = getattr(item, "event", None)
    if inner is None:
        inner = getattr(item, "message", None)
    return inner if inner.__class__ is Event else None


def events_of(items: Iterable[object]) -> list[Event]:
    """The same of several; what is about no event is left out."""
    return [event for item in items if (event := event_of(item)) is not None]
