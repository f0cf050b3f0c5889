"""The supervisor: it says who is suspected and who is believed again, and listens for other nodes.

Local agents are watched over by `choreia.runtime.health.supervision`, for which this is the voice.
Those of other nodes are known by what they say: one that has been heard of, and is silent for too
long, is suspected as ``silent``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from choreia.actors.agent import Agent, cell_of
from choreia.actors.handlers import on
from choreia.actors.vital import vital_signs
from choreia.runtime.events.event import Event
from choreia.runtime.health.heartbeat import Heartbeat
from choreia.runtime.health.metrics import Memory
from choreia.runtime.health.remotes import Remotes, Silence, heartbeat_of
from choreia.runtime.health.supervision import Evidence, Supervision
from choreia.runtime.health.watch import Reason

if TYPE_CHECKING:
    from choreia.actors.record import Record
    from choreia.actors.replacing import Replacer
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.engine import Engine

MAILBOX = 100_000
"""Senders whose last heartbeat may wait to be taken note of, one place each."""


class Voice:
    """What comes of watching over the agents of one system: events, log records, replacements."""

    def __init__(self, engine: Engine, replacer: Replacer, id: str) -> None:
        self._engine = engine
        self._replacer = replacer
        self._id = id
        self._memory = Memory()

    def heartbeat(self, cell: Cell) -> None:
        if cell.kind == "agent":
            self._engine.announce("agent.heartbeat", vital_signs(cell, self._memory), cell.id)

    def suspected(self, cell: Cell, reason: Reason, last_seen: float, evidence: Evidence) -> None:
        facts = {**_who(cell), "last_seen": last_seen, "reason": reason, "evidence": evidence}
        # It belongs to the case that the agent has in hand, so that whoever takes over does, too.
        self._engine.announce("agent.suspected_failure", facts, self._id, cell.turn.event)
        cell.turn.report(logging.WARNING, "is suspected: %s (%s)", reason, _in_short(evidence))

    def recovered(self, cell: Cell, reason: Reason, seconds: float) -> None:
        facts = {**_who(cell), "reason": reason, "seconds": seconds}
        self._engine.announce("agent.recovered", facts, self._id)
        cell.turn.report(logging.INFO, "goes on, after %.3g s (%s)", seconds, reason)

    def replace(self, cell: Cell, reason: Reason) -> None:
        self._replacer.restart(cell, reason, at_once=True, automatic=True)


class Supervisor(Agent):
    """Listens to what is said of presence, and watches those whose turns it cannot see."""

    mailbox = MAILBOX
    overflow = "conflate"

    def __init__(
        self, supervision: Supervision, heartbeat: Heartbeat, is_local: Callable[[str], bool]
    ) -> None:
        super().__init__()
        self._supervision = supervision
        self._is_local = is_local
        cell = cell_of(self, "clock")
        self._remotes = Remotes(
            cell.engine.clock,
            supervision,
            heartbeat,
            waiting=lambda: bool(len(cell.mailbox)),
            silent=partial(cell.post, self._say_silent),
        )

    @on("agent.heartbeat")
    @on("agent.online")
    def heard(self, event: Event) -> None:
        if self._is_local(event.source):
            return
        silence = self._remotes.heard(event.source, heartbeat_of(event.payload))
        if silence is not None:
            facts = {"agent_id": event.source, "agent": _name(event.source), "reason": "silent"}
            self._announce("agent.recovered", {**facts, "seconds": silence})

    @on("agent.offline")
    @on("agent.stopped")
    def forget(self, event: Event) -> None:
        self._remotes.forget(event.source)

    @property
    def remotes(self) -> int:
        """How many senders of other nodes are watched."""
        return len(self._remotes)

    def _say_silent(self) -> None:
        for silence in self._remotes.take_silent():
            self._suspect(silence)

    def _suspect(self, silence: Silence) -> None:
        facts = {
            "agent_id": silence.source,
            "agent": _name(silence.source),
            "last_seen": silence.last_seen,
            "reason": "silent",
            "evidence": silence.evidence,
        }
        self._announce("agent.suspected_failure", facts)
        self.log.warning("%s is suspected: silent", _name(silence.source))

    def _announce(self, type: str, facts: dict[str, object]) -> None:
        cell_of(self, "emit").engine.announce(type, facts, self.id)


def _who(cell: Cell) -> dict[str, object]:
    incarnation = cast("Record", cell.owner).incarnation
    return {"agent_id": cell.id, "agent": cell.name, "incarnation": incarnation}


def _name(source: str) -> str:
    return source.rpartition(":")[2] or source


def _in_short(evidence: Evidence) -> str:
    """What fits into a line: no stacks."""
    short = {key: value for key, value in evidence.items() if key not in ("stack", "event_id")}
    return ", ".join(f"{key} {value}" for key, value in short.items())
