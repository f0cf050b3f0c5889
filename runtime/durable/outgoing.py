"""What goes out of a durable turn: into the agent's ledger, not to anybody's mailbox.

The half of a `DurableTurn` that handlers see, and how it begins. See `turn.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, cast

from choreia.runtime.delivery.behaviour import Fold, Frame, Reply, Waiting
from choreia.runtime.delivery.cell import COMMITTING
from choreia.runtime.delivery.deadletter import Redelivery
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.progress import Progress
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.feed import AGAIN
from choreia.runtime.durable.journal import Entry
from choreia.runtime.durable.letters import kept
from choreia.runtime.durable.memories import value_of
from choreia.runtime.errors import ChoreiaError, StoreUnavailable
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.unit import KeepSnapshot

if TYPE_CHECKING:
    from choreia.runtime.durable.bus import LogBus
    from choreia.runtime.durable.ledger import Ledger
    from choreia.runtime.stores.unit import Committed

EVENTS = 64
"""The most of one commit."""


class Entering(Turn):
    """See the module."""

    __slots__ = ()

    @property
    def ledger(self) -> Ledger:
        """It is the cell's: another instance of the agent goes on with it."""
        return cast("Ledger", self.cell.ledger)

    # -- what goes out ----------------------------------------------------------------------

    def send_off(self) -> None:
        buffer, self.buffer = self.buffer, []
        if self.fold is not None:
            self.fold.keep()
        for item in buffer:
            if isinstance(item, Event):
                self.cell.emitted += 1
                self.ledger.emit(item)
            else:
                item()

    def leave(self) -> None:
        self.send_off()

    def settle(self) -> Frame:
        if self.ledger.pending:
            yield from self._committed()

    def send_now(self, event: Event) -> Waiting:
        self.ledger.emit(event)
        return not (yield from self._committed()).repeated

    def record_now(self, event: Event) -> Generator[Gate, bool, bool]:
        """Have `event` on disk before the handler goes on: whether it was not there before."""
        self.ledger.emit(event)
        with self.waiting_for_the_store():
            committed = yield from self.ledger.flush()
        return not committed.repeated

    def keep_result(self, name: str, value: object) -> tuple[object, Entry | None]:
        """What a call made with `once` returned, as it will be read again, and what to wait for
        until it is on disk. Raises `InvalidPayload`."""
        event = self.event
        if event is None or not self._kept_event():
            return value, None
        change = self.ledger.memories.result(event.id, name, value)
        self.ledger.change(change)
        return value_of(change.value), self.ledger.send()

    @contextmanager
    def waiting_for_the_store(self) -> Generator[None, None, None]:
        """A process that is killed meanwhile was not killed by the handler."""
        suspects, event = cast("LogBus", self.engine.bus).suspects, self.event
        in_hand = event is not None and suspects.take_back(self.cell.agent, event.id)
        yield
        if in_hand and event is not None:
            suspects.hand_over(self.cell.agent, event.id)

    def _kept_event(self) -> bool:
        if not self.ledger.durable:
            return False
        item = self.held if self.held is not None else self.lent
        item = getattr(item, "item", item)  # of a loan
        return isinstance(item, (Recorded, Redelivery))

    def bury(
        self,
        item: object,
        error: BaseException | None,
        attempts: int,
        reason: str,
        progress: Progress | None = None,
        where: str = "",
    ) -> None:
        if not isinstance(item, Event):
            super().bury(item, error, attempts, reason, progress, where)
            return
        engine, cell, ledger = self.engine, self.cell, self.ledger
        letter = engine.letter(item, cell, error, attempts, reason, progress, where)
        cell.failed += 1
        ledger.buried(kept(letter))
        notice = engine.notice(letter, cell)
        if notice is not None:
            ledger.emit(notice)
        letters = cast("LogBus", engine.bus).letters
        ledger.then(lambda: letters.remember(letter))

    def answer(self, reply: Reply, value: object = None) -> None:
        # What has been answered must not be taken back by a crash.
        self.ledger.then(lambda: reply.set(value))

    def abort(self, reason: str) -> Event | None:
        """When the system stops, what is in hand stays in the log, for the next run. Of an agent
        that hangs over it, or was killed over it, it is a dead letter, and the cursor moves on."""
        item = self.held
        event = super().abort(reason)
        if not isinstance(item, Recorded) or event is None:
            return event
        if reason == "stopped":
            return None
        self.ledger.buried_next(item)
        return event

    # -- beginning --------------------------------------------------------------------------

    def awaken(self) -> Frame:
        ledger = self.ledger
        if not ledger.durable:
            return
        if ledger.pending:  # what another instance has done: the state is to be made of that, too
            yield from self._committed()
        first = ledger.seat is not None
        seat = ledger.seat or ledger.ask_for_seat()
        ledger.seat = None
        seated = (yield from self._until(seat)).seated
        bus = cast("LogBus", self.engine.bus)
        if self.fold is not None:
            yield from self._read(partial(self._remember_state, self.fold))
        if first and seated is not None and not seated.created:
            if self.cell.agent in bus.unfinished:
                yield from self._read(lambda: ledger.remember(bus.store))
            ledger.suspects = 0 if bus.clean else EVENTS

    def ready(self) -> None:
        returning, self.ledger.returning = self.ledger.returning, []
        for letter in returning:
            self.cell.feed.force(Redelivery(letter.event, None))
        if self.cell.feed.lagging():
            self.cell.feed.relieve()

    def _remember_state(self, fold: Fold) -> None:
        store, source = cast("LogBus", self.engine.bus).store, self.cell.id
        after = fold.restore(store.snapshot(source))
        fold.begin(one.event for one in store.read(after, source=source) if one.said)

    def mend_state(self) -> None:
        """A control: something of what was entered stands in the log otherwise, or twice, so the
        state is to be made of the log anew."""
        if self.fold is None or self.fenced:
            return
        if self.frame is not None or self.starting:
            self.engine.clock.call_later(AGAIN, self._mend_later)
        else:
            self.begin(self._read(partial(self._remember_state, self.fold)))

    def _mend_later(self) -> None:
        self.cell.post(self.mend_state)

    def note_state(self) -> None:
        """Between two events, with all that was said entered: keep a snapshot with it, if it is
        time for one."""
        kept = None if self.fold is None else self.fold.snapshot()
        if kept is not None:
            self.ledger.change(KeepSnapshot(self.cell.id, *kept))

    def _read(self, reading: Callable[[], None]) -> Frame:
        """Read from the store, again and again until it can be read."""
        while True:
            try:
                reading()
                return
            except StoreUnavailable as error:
                self.report(logging.ERROR, "cannot begin yet: %s", error)
                self.cell.hold(COMMITTING)
                self.engine.clock.call_later(AGAIN, lambda: self.cell.release(COMMITTING))
                yield

    def _committed(self) -> Generator[None, None, Committed]:
        """In a frame: until what is entered is on disk."""
        return (yield from self._until(self.ledger.send()))

    def _until(self, entry: Entry) -> Generator[None, None, Committed]:
        if entry.outcome is None:
            self.cell.hold(COMMITTING)
            entry.gate().then(lambda: self.cell.release(COMMITTING))
            yield
            while entry.outcome is None:
                yield
        outcome = entry.outcome
        if isinstance(outcome, ChoreiaError):
            raise outcome
        return outcome
