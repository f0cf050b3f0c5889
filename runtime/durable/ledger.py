"""The ledger: what one agent has done since the last commit, and the only way from it to the store.

A turn handles several events; what came of each (emissions, timers, its cursor's move, dead
letters) is entered here when that event is done with, and goes to the journal as one unit. While it
is on its way the agent is held; it goes on when it is on disk. So whatever an agent knows or has
said follows from what the log holds, and a crash at any instant takes back whole turns.

It belongs to the cell, not to the turn: where a handler hangs and its agent gets another instance,
what was done before is still entered.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

import orjson

from choreia.runtime.delivery.cell import COMMITTING, Cell
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.durable.alarms import Alarms
from choreia.runtime.durable.journal import Entry
from choreia.runtime.durable.memories import Memories
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.unit import (
    CancelTimer,
    Change,
    Committed,
    DropLetter,
    Forget,
    KeepLetter,
    Letter,
    Move,
    Outcome,
    Seat,
    SetTimer,
    Start,
    Unit,
)

if TYPE_CHECKING:
    from choreia.runtime.durable.bus import LogBus
    from choreia.runtime.durable.feed import LogFeed
    from choreia.runtime.durable.turn import DurableTurn
    from choreia.runtime.stores.base import EventStore

log = logging.getLogger("choreia.store")

FULL = 1_024
"""Emissions after which a turn is committed, though it has not come to its end."""


class Ledger:
    """See the module. For the thread that owns the cell, save where noted."""

    __slots__ = (
        *("_after", "_before", "_buried", "_bus", "_cell", "_changes", "_done"),
        *("_entering", "_events", "_in_hand", "_last", "_then", "_told"),
        *(
            "alarms",
            "durable",
            "epoch",
            "memories",
            "returning",
            "scheduled",
            "seat",
            "start",
            "suspects",
        ),
    )

    def __init__(self, cell: Cell, bus: LogBus, *, durable: bool, start: Start) -> None:
        self._cell = cell
        self._bus = bus
        self.durable = durable
        self.start: Start = start
        self.epoch = 0
        self.seat: Entry | None = None
        """Asks the store where to begin, until that is known."""
        self.alarms = Alarms(cell, bus)
        self.memories = Memories(cell.agent)
        self.suspects = 0
        """How many of the next events may have been in hand when the process died."""
        self._before = self._after = 0
        self.scheduled: list[SetTimer] = []
        """Timers that repeat, and that the last run has left."""
        self.returning: list[Letter] = []
        """Dead letters that were on their way back when the last run ended."""
        self._in_hand = 0
        """Events of the log that were taken, and are not done with."""
        self._done = 0
        """Events of the log that were done with since the last commit."""
        # A coroutine that says something at once does so on its loop's thread, while the worker
        # that began it may still be committing what came before. Cut and submitted in one step:
        # units must reach the journal in the order in which they were cut.
        self._entering = threading.RLock()
        self._buried: str | None = None
        """The id of the event in hand, when it has become a dead letter: what it did so far is kept
        with that."""
        self._events: list[Event] = []
        self._changes: list[Change] = []
        self._last: Entry | None = None
        self._then: list[Callable[[], None]] = []
        self._told: list[Event] = []
        """Of whose cases those who wait are to be told."""
        """To be done when what is entered now is on disk: answers, and the like."""

    # -- taking its place -------------------------------------------------------------------

    def ask_for_seat(self, changes: Sequence[Change] = ()) -> Entry:
        """In the order of publishes and spawns: what is published later is for the agent.
        `changes` happen with it."""
        unit = Unit(seat=Seat(self._cell.agent, self.start), changes=changes)
        self.seat = Entry(unit, self._take_seat, patient=True)
        return self._bus.journal.submit(self.seat)

    def _take_seat(self, outcome: Outcome) -> None:
        """On the journal's thread, before anything is routed that was published later: what a new
        agent is told then comes behind it, as in memory."""
        seated = outcome.seated if isinstance(outcome, Committed) else None
        if seated is None:
            return
        anew = self.epoch > 0  # another instance of an agent that goes on in place
        self.epoch = seated.epoch
        if not anew:
            self._before = self._after = seated.position
            cast("LogFeed", self._cell.feed).open_at(seated.position)

    def suspect(self, item: Recorded) -> bool:
        """Whether `item` may have been in hand when the process died."""
        if item.position > self._bus.before_run:
            self.suspects = 0
        return self.suspects > 0

    def cleared(self, item: Recorded) -> None:
        """Its attempt is about to be recorded."""
        self.suspects = max(0, self.suspects - 1)

    # -- entering ---------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._events or self._changes or self._then or self._after != self._before)

    @property
    def remembers(self) -> bool:
        """Whether something is kept about an event that may come back."""
        return self.memories.any()

    @property
    def full(self) -> bool:
        return len(self._events) >= FULL

    def emit(self, event: Event) -> None:
        with self._entering:
            self._events.append(event)

    def change(self, change: Change) -> None:
        with self._entering:
            self._changes.append(change)

    def then(self, call: Callable[[], None]) -> None:
        """Have `call` made when what is entered is on disk; now, if nothing is."""
        with self._entering:
            pending = self.pending
            if pending:
                self._then.append(call)
        if pending:
            return
        last = self._last
        if last is None:
            call()
        else:
            last.gate().then(call)

    def taken(self) -> None:
        """An event of the log is in hand."""
        self._in_hand += 1
        self._buried = None

    def returned(self) -> None:
        """A dead letter's event is in hand."""
        self._buried = None

    def handled(self, item: object) -> None:
        """It is done with, well or as a dead letter."""
        if not isinstance(item, Recorded):
            return
        self._in_hand = 0
        self._done += 1
        self._after = max(self._after, item.position)
        self.done_with(item.event.id)
        self.tell_of(item.event)

    def tell_of(self, event: Event) -> None:
        """When what is entered is on disk, tell those who wait for its case then."""
        if self._cell.engine.cases is not None:
            self._told.append(event)

    def _tell(self, events: Sequence[Event]) -> None:
        cases = self._cell.engine.cases
        if cases is not None and cases.watched:
            for event in events:
                cases.tell(event.metadata.correlation_id or event.id)

    def buried(self, letter: Letter) -> None:
        """It is a dead letter."""
        event_id = letter.event.id
        self._buried = event_id
        self._changes.append(KeepLetter(letter))
        forgotten = self.memories.start_over(event_id)
        if forgotten is not None:
            self._changes.append(forgotten)

    def buried_next(self, recorded: Recorded) -> None:
        """It is about to be buried by whoever broke it off: the cursor moves past it."""
        self._in_hand = 0
        self._done += 1
        self._after = max(self._after, recorded.position)
        self.tell_of(recorded.event)

    def unbury(self, event_id: str) -> None:
        """A dead letter was handled after all."""
        name = self._cell.agent
        self._changes.append(DropLetter(name, event_id))
        self._then.append(lambda: self._bus.letters.handled(name, event_id))

    def remember(self, store: EventStore) -> None:
        """What an earlier run has left. Raises `StoreUnavailable`."""
        name = self._cell.agent
        self.returning = [letter for letter in store.letters(name) if letter.waiting]
        self.memories.load(store, self._bus.was_in_hand)
        timers = store.timers(name)
        self.alarms.load(timer for timer in timers if not timer.schedule)
        self.scheduled = [timer for timer in timers if timer.schedule]

    def done_with(self, event_id: str) -> bool:
        """What was kept about that event is not needed any more: False if it was buried, and what
        it did so far is kept for a redelivery."""
        if event_id == self._buried:
            self._buried = None
            return False
        if self.memories.forget(event_id):
            self._changes.append(Forget(self._cell.agent, event_id))
        return True

    def set_timer(self, timer: SetTimer) -> None:
        self._changes.append(timer)
        self._then.append(lambda: self.alarms.set(timer))

    def cancel_timer(self, key: str) -> None:
        self._changes.append(CancelTimer(self._cell.agent, key))
        self.alarms.cancel(key)
        self._then.append(lambda: self.alarms.cancel(key))  # if it is only set by then

    # -- committing -------------------------------------------------------------------------

    def commit(self) -> None:
        """Send off what is entered, and hold the agent until it is on disk."""
        self._cell.hold(COMMITTING)
        self._send(lambda: self._cell.release(COMMITTING))

    def flush(self) -> Generator[Gate, bool, Committed]:
        """The same for a handler that waits for it: yields the gates to wait at."""
        entry = self._send(None)
        while entry.outcome is None:
            gate = entry.gate()
            gate.certain = True
            yield gate
        if isinstance(entry.outcome, ChoreiaError):
            raise entry.outcome
        return entry.outcome

    def send(self) -> Entry:
        """The same for a frame, which waits for its end."""
        return self._send(None)

    def _send(self, on_end: Callable[[], None] | None) -> Entry:
        with self._entering:
            done, self._done = self._done, 0
            unit, then = self._cut()

            def tell(outcome: Outcome) -> None:
                if self._last is entry:  # what it has written need not stay in memory
                    self._last = None
                self._settle(outcome, done, then)
                if on_end is not None:
                    on_end()

            entry = Entry(unit, tell, patient=True)
            self._last = entry
            return self._bus.journal.submit(entry)

    def _cut(self) -> tuple[Unit, list[Callable[[], None]]]:
        events, self._events = self._events, []
        changes, self._changes = self._changes, []
        then, self._then = self._then, []
        if self._told:
            then.append(partial(self._tell, self._told))
            self._told = []
        move = None
        if self._after != self._before:
            move = Move(self._cell.agent, self.epoch, self._before, self._after)
            # At once: the journal keeps the order, so the next unit finds it so, or is refused too.
            self._before = self._after
        bodies = [orjson.dumps(event.payload) for event in events]
        return Unit(events, bodies, move=move, changes=changes), then

    def _settle(self, outcome: Outcome, done: int, then: list[Callable[[], None]]) -> None:
        """On the journal's thread."""
        if isinstance(outcome, ChoreiaError):
            # Fenced by another process, or the system stopped: what was done has not happened.
            if not self._cell.engine.draining:
                log.critical("agent %s: its turn was not committed: %s", self._cell.name, outcome)
                self._bus.on_fenced(self._cell)
            return
        if (outcome.repeated or outcome.conflicts) and self._cell.turn.fold is not None:
            self._cell.post(cast("DurableTurn", self._cell.turn).mend_state, first=True)
        for event in outcome.conflicts:
            log.error(
                "agent %s emitted %s as %s with another body than stands in the log: a dead letter",
                self._cell.name, event.type, event.id,
            )  # fmt: skip
            self._cell.engine.bury(event, self._cell, None, 0, "duplicate")
        if done:
            cast("LogFeed", self._cell.feed).worked_off(done)
        for call in then:
            try:
                call()
            except Exception:
                log.exception("agent %s: an answer could not be given", self._cell.name)

    # -- between turns ----------------------------------------------------------------------

    def advance(self, routed: int) -> None:
        """The mailbox is empty, and was when `routed` was read: all up to there is handled, or not
        for this agent."""
        if self.durable and not self._in_hand and self.epoch:
            self._after = max(self._after, routed)

    def move_on(self) -> None:
        """From the journal, now and then: write the cursor of an agent that has nothing to do, so
        that it need not read so far when it begins again."""
        box, feed = self._cell.mailbox, cast("LogFeed", self._cell.feed)
        routed = self._bus.routed
        with box.lock:  # idle, and nobody can make it otherwise
            if box.state != 0 or len(box) or not feed.opened or feed.lagging():
                return
            self.advance(routed)
            if not self.pending:
                return
            unit, _ = self._cut()
            # Under the lock: an agent that wakes now must not be first with what comes behind it.
            self._bus.keep(unit)

    def forget(self) -> None:
        """Nobody will use it again: refer to nothing that refers back."""
        self._last = None

    def mark(self) -> int:
        """Up to where the log has been routed, for `farewell`; before the mailbox is closed."""
        return self._bus.routed

    def farewell(self, left: list[object], mark: int) -> None:
        """The agent ends, with `left` in its mailbox: commit what it has done, and let its timers
        rest."""
        self.alarms.rest()
        self._bus.unfinished.add(self._cell.agent)  # as far as one knows, should it come again
        waiting = any(isinstance(item, Recorded) for item in left)
        feed = cast("LogFeed", self._cell.feed)
        if feed.opened and not feed.lagging() and not waiting:
            self.advance(mark)
        if self.pending:
            self._send(None)
