"""`system.inspect()`: a frozen picture, read from counters, without asking any agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from choreia.actors.info import AgentView, SystemView
from choreia.actors.inspecting.rows import handler_of, received_by, seconds_in_hand
from choreia.actors.roster import Roster
from choreia.runtime.delivery.cell import Cell

if TYPE_CHECKING:
    from choreia.actors.record import Record


def view_of(roster: Roster) -> SystemView:
    """The system as it is now. The agents go on meanwhile, so numbers may differ by a few."""
    engine = roster.engine
    return SystemView(
        node=engine.node,
        time=engine.clock.now(),
        agents=tuple(_view(cell) for cell in roster.all()),
        dead_letters=len(engine.letters.all()) + engine.letters.evicted,
    )


def _view(cell: Cell) -> AgentView:
    box = cell.mailbox
    record = cast("Record", cell.owner)
    suspicion = None if record.watch is None else record.watch.suspicion
    return AgentView(
        id=cell.id,
        name=cell.name,
        kind=cell.kind,
        state=cell.state,
        mailbox_size=len(box),
        mailbox_capacity=box.capacity,
        high_water=box.high_water,
        handled=cell.handled,
        failed=cell.failed,
        dropped=box.dropped,
        overflowed=box.overflowed,
        parked=len(box.waiting or ()),
        received=received_by(cell),
        emitted=cell.emitted,
        handler=handler_of(cell),
        handler_seconds=seconds_in_hand(cell),
        suspected=None if suspicion is None else suspicion.reason,
        incarnation=record.incarnation,
    )
