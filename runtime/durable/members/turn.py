"""A member's turn: it takes no seat of its own, and begins with its state."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.durable.members.ledger import MemberLedger
from choreia.runtime.durable.turn import DurableTurn

if TYPE_CHECKING:
    from choreia.runtime.durable.bus import LogBus


class MemberTurn(DurableTurn):
    """See the module. The front's, too."""

    __slots__ = ()

    def awaken(self) -> Frame:
        ledger, bus = cast("MemberLedger", self.ledger), cast("LogBus", self.engine.bus)
        if ledger.pending:  # what another instance has done: the state is to be made of that, too
            yield from self._committed()
        seat = ledger.place.seat
        if seat is not None:
            yield from self._until(seat)
        if self.fold is not None:
            yield from self._read(partial(self._remember_state, self.fold))
        if self.cell.agent in bus.unfinished and ledger.durable:
            yield from self._read(lambda: ledger.remember(bus.store))
