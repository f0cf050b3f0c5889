"""`system.inspect()`: a frozen picture, read from counters, without asking any agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from choreia.actors.info import AgentView, SystemView
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
    box, step = cell.mailbox, cell.turn.step
    size, in_hand = len(box), int(cell.turn.event is not None)
    running = 0.0
    if step is not None:  # a coroutine's cell has turns meanwhile, to be asked whether it is there
        began = cell.since if cell.turn.frame is None else cell.turn.began
        running = cell.engine.clock.monotonic() - began
    record = cast("Record", cell.owner)
    suspicion = None if record.watch is None else record.watch.suspicion
    return AgentView(
        id=cell.id,
        name=cell.name,
        kind=cell.kind,
        state=cell.state,
        mailbox_size=size,
        mailbox_capacity=box.capacity,
        high_water=box.high_water,
        handled=cell.handled,
        failed=cell.failed,
        dropped=box.dropped,
        overflowed=box.overflowed,
        parked=len(box.waiting or ()),
        received=cell.handled + cell.failed + box.dropped + size + in_hand,
        emitted=cell.emitted,
        handler=None if step is None else getattr(step, "__name__", str(step)),
        handler_seconds=max(0.0, running),
        suspected=None if suspicion is None else suspicion.reason,
        incarnation=record.incarnation,
    )
