"""A member's ledger: what it has done goes to the store with the family's mark."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from choreia.runtime.durable.ledger import Ledger
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.unit import CancelTimer, SetTimer, Unit

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.durable.alarms import Alarms
    from choreia.runtime.durable.bus import LogBus
    from choreia.runtime.durable.members.place import Place
    from choreia.runtime.stores.base import EventStore


class MemberLedger(Ledger):
    """See the module, and `Ledger`. Also the front's own: it buries what has no key."""

    __slots__ = ("_positions", "place")

    def __init__(self, cell: Cell, bus: LogBus, place: Place, alarms: Alarms) -> None:
        super().__init__(cell, bus, durable=place.durable, start="now")
        self.place = place
        self._positions: list[int] = []
        self.alarms = alarms
        if place.memories is not None:
            self.memories = place.memories

    @property
    def pending(self) -> bool:
        return bool(self._positions or self._events or self._changes or self._then)

    def remember(self, store: EventStore) -> None:
        """Timers are the family's: they fire whether the member is awake or not."""
        place = self.place
        with place.remembering:
            if place.remembered:
                return
            self.returning = [one for one in store.letters(self._cell.agent) if one.waiting]
            self.memories.load(store, self._bus.was_in_hand)
            place.remembered = place.memories is not None  # of a group one remembers for all

    def suspect(self, item: Recorded) -> bool:
        return item.position in self.place.suspects

    def cleared(self, item: Recorded) -> None:
        self.place.suspects.discard(item.position)

    def handled(self, item: object) -> None:
        if isinstance(item, Recorded):
            self._in_hand = 0
            self._positions.append(item.position)
            self.done_with(item.event.id)
            self.tell_of(item.event)

    def buried_next(self, recorded: Recorded) -> None:
        self._in_hand = 0
        self._positions.append(recorded.position)
        self.tell_of(recorded.event)

    def set_timer(self, timer: SetTimer) -> None:
        self._changes.append(timer)
        self._then.append(lambda: self.alarms.set(timer))

    def cancel_timer(self, key: str) -> None:
        agent = self._cell.agent
        self._changes.append(CancelTimer(agent, key))
        self.alarms.cancel(key, agent)
        self._then.append(lambda: self.alarms.cancel(key, agent))  # if it is only set by then

    def _cut(self) -> tuple[Unit, list[Callable[[], None]]]:
        positions, self._positions = self._positions, []
        unit, then = super()._cut()
        if positions and self.durable:
            unit.complete = self.place.completions.completing(positions)
        if positions:
            then.insert(0, lambda: self.place.completed(positions))
        return unit, then

    def advance(self, routed: int) -> None:
        """The mark is the family's affair."""

    def move_on(self) -> None:
        """The same."""

    def farewell(self, left: list[object], mark: int) -> None:
        """The member is gone for good. While the system goes on, what it has left is buried: later
        events of its key must not come before it."""
        if not self._cell.engine.draining:
            for item in left:
                if isinstance(item, Recorded):
                    self._cell.turn.bury(item.event, None, 0, "stopped")
                    self.handled(item)
        if self.pending:
            self._send(None)


class FrontLedger(MemberLedger):
    """The front's own: it buries what has no key, and moves the mark on when all is quiet."""

    __slots__ = ()

    def move_on(self) -> None:
        self.place.move_on()

    def farewell(self, left: list[object], mark: int) -> None:
        self.alarms.rest()
        super().farewell(left, mark)
        self.place.move_on()
