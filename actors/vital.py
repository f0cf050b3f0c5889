"""What an agent's heartbeat says."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from choreia.runtime.health.metrics import Memory

if TYPE_CHECKING:
    from choreia.actors.agent import Agent
    from choreia.actors.record import Record
    from choreia.runtime.delivery.cell import Cell

UNWELL = frozenset({"paused", "parked", "backoff"})
"""States of a cell that a heartbeat tells; in all others it is healthy."""


def vital_signs(cell: Cell, memory: Memory) -> dict[str, object]:
    """The payload of ``agent.heartbeat``: status, load, memory of the process in bytes, and what
    another node needs in order to find the agent and to watch over it."""
    agent, record = cast("Agent", cell.turn.agent), cast("Record", cell.owner)
    engine = cell.engine
    capacity, busy = agent.capacity, cell.busy
    state = cell.state
    signs: dict[str, object] = {
        "status": state if state in UNWELL else "healthy",
        "load": busy / capacity,
        # A simulated run must not depend on the machine it runs on.
        "memory_usage": 0 if engine.dispatcher.simulated else memory.bytes(cell.since),
        "name": cell.name,
        "capacity": capacity,
        "available_capacity": max(0, capacity - busy),
        "incarnation": record.incarnation,
    }
    if record.watch is not None:
        heartbeat = record.watch.heartbeat
        signs |= {"interval": heartbeat.interval, "timeout": heartbeat.timeout}
    return signs
