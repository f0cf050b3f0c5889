"""A turn whose outcome is committed before the agent goes on.

It handles up to 64 events of the log, or for some milliseconds, as a turn in memory does. But
what they ask for is entered in the agent's ledger, and goes to the store in one commit, together
with the cursor's move; within it each event is still its own unit: one that fails leaves nothing
behind, and takes nothing of the others with it.
"""

from __future__ import annotations

from collections.abc import Generator
from inspect import iscoroutine
from threading import get_ident
from typing import TYPE_CHECKING, cast

from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.delivery.cell import COMMITTING
from choreia.runtime.delivery.context import running
from choreia.runtime.delivery.deadletter import Redelivery
from choreia.runtime.delivery.handling import deliver, recover
from choreia.runtime.delivery.mailbox import CLOSED
from choreia.runtime.delivery.steps import Plan
from choreia.runtime.delivery.turn import SLICE
from choreia.runtime.durable.outgoing import EVENTS, Entering
from choreia.runtime.durable.suspects import PATIENCE
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.upcasting import UPCAST, outdated

if TYPE_CHECKING:
    from choreia.runtime.durable.bus import LogBus

SIMULATED = 3
"""The same under simulation, where the seed decides how many: few, so that others come between."""


class DurableTurn(Entering):
    """See the module."""

    __slots__ = ()

    # -- the loop ---------------------------------------------------------------------------

    def run(self) -> None:
        before = running.get() if self.nested else None
        running.set(self)
        self.thread = get_ident()
        cell = self.cell
        cell.since = self.monotonic()
        self.over_at = cell.since + SLICE
        left = 1 + self.engine.random.randrange(SIMULATED) if self.nested else EVENTS
        timed = self.engine.timed
        while self._go_on(left <= 0 or self.ledger.full or self._over()):
            item = self._next_item()
            if item is not None:
                began = self.monotonic() if timed else 0.0
                self._hand_on(item)
                left -= 1
                if timed and self.frame is None:
                    self.took(self.monotonic() - began, 1)
        if self.nested:
            running.set(before)
            self.thread = 0

    def _go_on(self, spent: bool) -> bool:
        """Whether to take an item: else the turn has ended, and the cell been seen to."""
        cell, box = self.cell, self.cell.mailbox
        while not self.fenced and cell.turn is self:
            if cell.interrupt and not self._attend():
                if self._ended():
                    return False
            elif box.items and not spent:
                return True
            else:
                self.step = self.event = None
                if self._commit():
                    continue  # held now: the turn rests
                if box.items:
                    cell.schedule(cell)
                    return False
                if cell.feed.lagging():
                    cell.feed.relieve()
                elif cell.rest():
                    return False
        return False

    def _ended(self) -> bool:
        """It must wait for something: whether its turn ends with that."""
        cell = self.cell
        if cell.turn is not self:
            return True
        if self.ledger.pending and cell.mailbox.state != CLOSED and not cell.holds & COMMITTING:
            self.ledger.commit()
        if cell.rest():
            return True
        if self._over():
            cell.schedule(cell)
            return True
        return False

    def _commit(self) -> bool:
        """Whether there was anything to commit."""
        ledger, box = self.ledger, self.cell.mailbox
        if not ledger.pending:
            return False
        self.note_state()
        routed = ledger.mark()
        if not box.items and not self.cell.feed.lagging():
            ledger.advance(routed)
        ledger.commit()
        return True

    def _next_item(self) -> object:
        box = self.cell.mailbox
        try:
            item = box.items.popleft() if box.items else None
        except IndexError:  # `drop_oldest` was faster
            return None
        if box.attention:
            self.cell.feed.relieve()
        return item

    def _hand_on(self, item: object) -> None:
        kind = item.__class__
        if kind is Recorded:
            self.ledger.taken()
            self._hear(item, item.event)  # type: ignore[attr-defined]
        elif kind is Event:
            self._hear(item, item)  # type: ignore[arg-type]
        elif kind is tuple:
            self._told(item)  # type: ignore[arg-type]
        else:
            self.event = None
            self._take(item)

    def _hear(self, item: object, event: Event) -> None:
        """The quick path, as in `Turn.run`; what it does not cover is a frame."""
        plan = self.planner.known.get(event.type) or self.planner.plan(event.type)
        if plan.quick is None or self._known(item, event):
            self.begin(self._deliver(item, event, plan), item)
            return
        self.event, self.step, self.lent = event, plan.quick, item
        try:
            returned = plan.quick(self.agent, event)
        except BaseException as error:
            if self._regained():
                self.begin(self._recover(item, event, plan, error), item)
            return
        self.lent = None
        if self.claimed and not self._regained():
            return
        if returned is not None and not (plan.may_return and not iscoroutine(returned)):
            self.begin(self._recover(item, event, plan, None, returned), item)
            return
        if self.buffer:
            self.send_off()
        self.progress = None
        self.cell.handled += 1
        self.ledger.handled(item)
        if item.__class__ is Event:
            self.over(item)

    def over(self, item: object) -> None:
        # What stands in the log is not counted there, but followed by its cursor.
        if not isinstance(item, Recorded) and self.engine.cases is not None:
            self.ledger.then(lambda: self.engine.over(self.cell, item))

    def _told(self, item: tuple[object]) -> None:
        hear = self.agent.on_receive
        self.event, self.step, self.lent = None, hear, item
        try:
            returned = hear(item[0])
        except BaseException as error:
            if self._regained():
                self.ear.failed(item[0], error)
            return
        self.lent = None
        if self.claimed and not self._regained():
            return
        if returned is not None:
            self.ear.returned(item[0], returned)
        else:
            if self.buffer:
                self.send_off()
            self.cell.handled += 1

    def _take(self, item: object) -> None:
        if isinstance(item, Redelivery):
            plan = self.planner.plan(item.event.type)
            self.begin(self._redeliver(item, plan), item)
        else:
            super()._take(item)

    # -- one event, in a frame --------------------------------------------------------------

    def _known(self, item: object, event: Event) -> bool:
        """Whether something is known of earlier attempts, or has to be written before this one."""
        if self.engine.budget is not None or (event.type in UPCAST and outdated(event)):
            return True  # its upcaster fails: that is told in a frame
        if not isinstance(item, Recorded):
            return False
        return self.ledger.suspect(item) or self.ledger.memories.known(event.id)

    def _deliver(self, item: object, event: Event, plan: Plan) -> Frame:
        self.event = event
        if not isinstance(item, Recorded):
            yield from deliver(self, event, plan)
            return
        memories = self.ledger.memories
        try:
            suspect = yield from self._confess(item)
            if suspect is None:
                return
            progress, attempt = memories.progress(event.id), 1 + memories.failed(event.id)
            if suspect:
                self._bus.suspects.hand_over(self.cell.agent, event.id)
            yield from deliver(self, event, plan, progress=progress, attempt=attempt)
            self._bus.suspects.take_back(self.cell.agent, event.id)
            self.ledger.handled(item)
            if suspect:
                yield from self._committed()
        finally:
            self._bus.suspects.take_back(self.cell.agent, event.id)
            self._bus.suspects.leave(item)

    def _recover(
        self,
        item: object,
        event: Event,
        plan: Plan,
        error: BaseException | None,
        value: object = None,
    ) -> Frame:
        yield from recover(self, event, plan, error, value)
        self.ledger.handled(item)

    def _redeliver(self, item: Redelivery, plan: Plan) -> Frame:
        event, ledger = item.event, self.ledger
        self.event = event
        ledger.returned()
        progress = item.progress or ledger.memories.progress(event.id)
        yield from deliver(self, event, plan, routed=False, progress=progress)
        if ledger.done_with(event.id):
            ledger.unbury(event.id)

    def _confess(self, item: Recorded) -> Generator[None, None, bool | None]:
        """Before a suspect is tried: have the attempt on disk. Whether it is one; None when it has
        been tried often enough."""
        event, ledger, bus = item.event, self.ledger, self._bus
        if not ledger.suspect(item) and ledger.memories.crashes(event.id) == 0:
            return False
        ledger.cleared(item)
        yield from self._alone(item)
        crashes, failed = ledger.memories.crashes(event.id), ledger.memories.failed(event.id)
        if crashes >= bus.max_crashes:
            self.report_crashes(event, crashes)
            self.bury(event, None, failed, "crashed")
            ledger.handled(item)
            yield from self._committed()
            return None
        ledger.change(ledger.memories.tried(event.id, failed, crashes + 1))
        yield from self._committed()
        return True

    def _alone(self, item: Recorded) -> Frame:
        """Wait until no other suspect is in hand."""
        gate = self._bus.suspects.enter(item)
        if gate.is_open:
            return
        self.cell.hold(COMMITTING)
        gate.then(lambda: self.cell.release(COMMITTING))
        timer = self.engine.clock.call_later(PATIENCE, gate.open)
        try:
            yield
            while not gate.is_open:
                yield
        finally:
            timer.cancel()

    @property
    def _bus(self) -> LogBus:
        return cast("LogBus", self.engine.bus)

    def report_crashes(self, event: Event, crashes: int) -> None:
        self.log.error(
            "%s %s is a dead letter: %d times the process died while it was in hand",
            event.type, event.id, crashes,
        )  # fmt: skip

    def tried(self, event: Event) -> None:
        """It raised, and will be tried again, perhaps by another process."""
        if not self._durable_in_hand():
            return
        memories = self.ledger.memories
        # It raised, so it did not crash the process: that is taken back.
        crashes = max(0, memories.crashes(event.id) - 1)
        self.ledger.change(memories.tried(event.id, self.attempt, crashes))

    def retrying(self, event: Event) -> Frame:
        memories, held = self.ledger.memories, self.held
        suspect = isinstance(held, Recorded) and self.ledger.suspect(held)
        if self._durable_in_hand() and (suspect or memories.crashes(event.id)):
            crashes = memories.crashes(event.id) + 1
            self.ledger.change(memories.tried(event.id, memories.failed(event.id), crashes))
            yield from self._committed()

    def _durable_in_hand(self) -> bool:
        return self.ledger.durable and isinstance(self.held, (Recorded, Redelivery))
