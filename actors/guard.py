"""Brings the agents of one system and their supervision together."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from choreia.actors.options import USUAL, check_heartbeat
from choreia.actors.replacing import Replacer
from choreia.actors.roster import Roster
from choreia.actors.supervisor import Supervisor, Voice
from choreia.runtime.delivery.cell import AWAITING, Cell
from choreia.runtime.events.identity import agent_did
from choreia.runtime.health.heartbeat import Heartbeat
from choreia.runtime.health.supervision import HEARTBEAT, Supervision

if TYPE_CHECKING:
    from choreia.actors.record import Record

SUPERVISOR = "supervisor"
"""Its name."""


class Guard:
    """Has every agent watched as it wants to be, from its beginning to its end."""

    def __init__(self, roster: Roster, replacer: Replacer, heartbeat: Heartbeat | None) -> None:
        self._roster = roster
        self._engine = roster.engine
        self._usual = check_heartbeat(heartbeat)
        voice = Voice(self._engine, replacer, agent_did(self._engine.node, SUPERVISOR))
        self._supervision = Supervision(self._engine, voice)
        self._supervisor: Supervisor | None = None

    def supervisor(self) -> Supervisor:
        """The agent that listens for other nodes."""
        self._supervisor = Supervisor(self._supervision, self._usual or USUAL, self._is_local)
        return self._supervisor

    def begin(self, cell: Cell) -> None:
        record = _record(cell)
        heartbeat = record.options.heartbeat
        if heartbeat is USUAL:
            heartbeat = self._usual
        if heartbeat is not None and cell.kind != "system":
            record.watch = self._supervision.watch(cell, heartbeat)

    def end(self, cell: Cell) -> None:
        record = _record(cell)
        watch, record.watch = record.watch, None
        if watch is not None:
            self._supervision.forget(watch)

    def renew(self, cell: Cell) -> None:
        watch = _record(cell).watch
        if watch is not None:
            self._supervision.renew(watch)

    def own_time(self) -> float:
        """Now, as the supervisor counts."""
        return self._supervision.own_time()

    def suspects(self, cell: Cell) -> bool:
        """Whether it is suspected now."""
        watch = _record(cell).watch
        return watch is not None and watch.suspicion is not None

    def _is_local(self, source: str) -> bool:
        return source.startswith(self._engine.id.removesuffix("system"))

    # -- for the simulated dispatcher ---------------------------------------------------------

    def watchful(self) -> bool:
        """Whether there is anything to see: somebody who is not at rest, or listens."""
        engine = self._engine
        if engine.orphans or engine.dispatcher.serving() or not engine.dispatcher.quiet():
            return True
        if self._supervisor is not None and self._supervisor.remotes:
            return True
        # Who is paused, parked or backing off is not suspected, however long it takes.
        awaiting = any(cell.holds & AWAITING for cell in engine.held.values())
        return awaiting or engine.bus.heard(HEARTBEAT)

    def hopeful(self) -> bool:
        """Whether somebody may be replaced, and others wait for that."""
        engine = self._engine
        cells = {*engine.held.values(), *engine.orphans}
        cells |= {cell for cell, _ in engine.dispatcher.serving() if isinstance(cell, Cell)}
        watches = (_record(cell).watch for cell in cells)
        return any(w is not None and w.heartbeat.replace_after is not None for w in watches)


def _record(cell: Cell) -> Record:
    return cast("Record", cell.owner)
