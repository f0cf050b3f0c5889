"""Agents as rows of a snapshot: plain counters, read without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from choreia.actors.families import FrontAgent
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.durable.feed import LogFeed
from choreia.runtime.inspection.frames import Fields

if TYPE_CHECKING:
    from choreia.actors.record import Record

SLOWEST = 0.95
"""The share of handlers that took no longer than what is shown."""


def row_of(cell: Cell, own: float) -> Fields:
    """One agent. `own`: now, as the supervisor counts."""
    box = cell.mailbox
    size = len(box)
    record = cast("Record", cell.owner)
    watch, times = record.watch, cell.times
    suspicion = None if watch is None else watch.suspicion
    return {
        "name": cell.name,
        "id": cell.id,
        "kind": cell.kind,
        "class": class_of(cell).__name__,
        "state": cell.state,
        "size": size,
        "capacity": max(0, box.capacity),
        "high_water": box.high_water,
        "handled": cell.handled,
        "failed": cell.failed,
        "dropped": box.dropped,
        "overflowed": box.overflowed,
        "parked": len(box.waiting or ()),
        "parked_on": [other.name for other in cell.parked_on],
        "received": received_by(cell),
        "emitted": cell.emitted,
        "handler": handler_of(cell),
        "handler_seconds": seconds_in_hand(cell),
        "p95": None if times is None else times.quantile(SLOWEST),
        "suspected": None if suspicion is None else suspicion.reason,
        "incarnation": record.incarnation,
        "heartbeat_age": None if watch is None else max(0.0, own - watch.detector.last),
        "lag": lag_of(cell),
    }


def received_by(cell: Cell) -> int:
    """Events so far: those it has done with, and those that it still has."""
    return cell.handled + cell.failed + cell.mailbox.dropped + cell.busy


def handler_of(cell: Cell) -> str | None:
    """The name of the handler that runs now."""
    step = cell.turn.step
    return None if step is None else getattr(step, "__name__", str(step))


def seconds_in_hand(cell: Cell) -> float:
    """For how long the handler that runs now has been running; 0 when none does."""
    turn = cell.turn
    if turn.step is None:
        return 0.0
    # A coroutine's cell has turns meanwhile, to be asked whether it is there.
    began = cell.since if turn.frame is None else turn.began
    return max(0.0, cell.engine.clock.monotonic() - began)


def class_of(cell: Cell) -> type:
    """The agent's class; of a family that of its members."""
    agent = cell.turn.agent
    return agent.stands_for if isinstance(agent, FrontAgent) else type(agent)


def lag_of(cell: Cell) -> int | None:
    """Events of the log that it has not looked at yet; None for an agent that reads no log."""
    feed, bus = cell.feed, cell.engine.bus
    if not isinstance(feed, LogFeed) or not isinstance(bus, LogBus):
        return None
    return max(0, bus.routed - feed.fetched) if feed.lagging() else 0


def urgency(cell: Cell) -> tuple[int, float]:
    """By which to choose, when there are more than are shown: the greatest are those to see."""
    watch = cast("Record", cell.owner).watch
    wrong = (watch is not None and watch.suspicion is not None) or cell in cell.engine.orphans
    box = cell.mailbox
    pressure = len(box) / box.capacity if box.capacity > 0 else 0.0
    return (2 if wrong else int(bool(cell.holds) or cell.turn.step is not None), pressure)
