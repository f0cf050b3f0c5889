"""An agent's life: started, announced, paused, stopped, killed. Frames and controls of its turn."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from choreia.actors.ear import settle_left_over
from choreia.actors.options import ABILITIES, declared_abilities
from choreia.actors.reply import Reply
from choreia.actors.timers import cancel_all
from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.delivery.cell import PAUSED, Cell
from choreia.runtime.delivery.deadletter import name_error
from choreia.runtime.delivery.handling import called, wait_for
from choreia.runtime.delivery.mailbox import CLOSED
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.events.payload import Json

if TYPE_CHECKING:
    from choreia.actors.agent import Agent
    from choreia.actors.record import Record
    from choreia.actors.roster import Roster


class Lifecycle:
    """Takes the agents of one system through their lives."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    # -- starting -------------------------------------------------------------------------

    def begin(self, cell: Cell) -> None:
        """The agent is there: start it in its first turn, or now if it has nothing to start."""
        from choreia.actors.agent import Agent

        agent = cast("Agent", cell.turn.agent)
        if self._heard(cell, "initialized"):
            facts = {"agent": cell.name, "class": type(agent).__name__, **abilities(agent)}
            self._say(cell, "initialized", facts)
        if type(agent).on_start is Agent.on_start:
            self._started(cell, agent)
        else:
            cell.post(lambda: cell.turn.begin(self._start(cell.turn)))
        cell.open()

    def _start(self, turn: Turn) -> Frame:
        agent = cast("Agent", turn.agent)
        try:
            result = called(agent.on_start)
            if inspect.iscoroutine(result):
                yield from wait_for(turn, result)
        except GeneratorExit:
            raise
        except BaseException as error:
            turn.buffer.clear()
            turn.report(logging.ERROR, "on_start failed; the agent stops", exc_info=error)
            facts = {"agent": turn.cell.name, "error": name_error(error)}
            self._say(turn.cell, "failed", facts)
            self.close(turn.cell, "stopped")
            return
        turn.send_off()
        yield from turn.drain()
        self._started(turn.cell, agent)

    def _started(self, cell: Cell, agent: Agent) -> None:
        record = cast("Record", cell.owner)
        self._say(cell, "started", {"agent": cell.name})
        if self._heard(cell, "online"):
            payload = {
                **abilities(agent),
                "name": cell.name,
                "node": cell.engine.node,
                "incarnation": record.incarnation,
            }
            self._say(cell, "online", payload)

    # -- stopping -------------------------------------------------------------------------

    def stop(self, turn: Turn, reply: Reply | None) -> Frame:
        """The agent was asked to stop, and has handled what came before."""
        yield from self._last_words(turn)
        self.close(turn.cell, "stopped")
        if reply is not None:
            reply.set(None)

    def _last_words(self, turn: Turn) -> Frame:
        try:
            result = called(cast("Agent", turn.agent).on_stop)
            if inspect.iscoroutine(result):
                yield from wait_for(turn, result)
        except GeneratorExit:
            raise
        except BaseException as error:
            turn.buffer.clear()
            turn.report(logging.ERROR, "on_stop failed", exc_info=error)
            return
        turn.send_off()
        yield from turn.drain()

    def kill(self, cell: Cell) -> None:
        """In the agent's turn: stop at once; the event in hand and the rest are dead letters."""
        turn = cell.turn
        attempt, progress = turn.attempt, turn.progress
        try:
            event = turn.abort()
            if event is not None:
                cell.engine.bury(event, cell, None, attempt, "killed", progress)
        finally:
            self.close(cell, "killed")

    def undo(self, cell: Cell) -> None:
        """An agent that did not come about: whoever has its ref already is told so."""
        self._roster.remove(cell)
        self._roster.free(cell.name)
        settle_left_over(cell, cell.mailbox.close(), "stopped")
        cell.engine.dispatcher.release_lane(cell.schedule)

    def close(self, cell: Cell, reason: str) -> None:
        """The end, whatever led to it: out of routing, out of the lists, nothing left behind.

        For the thread that owns the cell's turn, or when there is none any more.
        """
        engine = cell.engine
        self._roster.remove(cell)
        cancel_all(cast("Record", cell.owner))
        if cell.mailbox.state == CLOSED:
            return
        self.leave_line(cell, reason)
        left = cell.mailbox.close()
        cell.interrupt = True
        left += engine.lot.abandon(cell.feed)
        settle_left_over(cell, left, reason)
        engine.held.pop(cell.number, None)
        engine.dispatcher.release_lane(cell.schedule)
        self._say(cell, "offline", {"agent": cell.name, "reason": reason})
        self._say(cell, "stopped", {"agent": cell.name, "reason": reason})
        engine.settled()

    def leave_line(self, cell: Cell, reason: str) -> None:
        """What a parked agent still had to deliver waits without it, or has nobody to go to."""
        engine = cell.engine
        for feed, event in engine.lot.leave_all(cell):
            engine.bury(event, feed.cell, None, 0, reason)

    # -- pausing --------------------------------------------------------------------------

    def pause(self, cell: Cell) -> None:
        """In the agent's turn: handle no more events until resumed."""
        if not cell.paused:
            cell.hold(PAUSED)
            self._say(cell, "paused", {"agent": cell.name})

    def resume(self, cell: Cell) -> None:
        if cell.paused:
            cell.release(PAUSED)
            self._say(cell, "resumed", {"agent": cell.name})

    def _heard(self, cell: Cell, what: str) -> bool:
        """Whether to say it: the runtime's own agents and subscriptions come and go in silence."""
        return cell.kind == "agent" and cell.engine.bus.wanted(f"agent.{what}")

    def _say(self, cell: Cell, what: str, payload: Mapping[str, object]) -> None:
        if self._heard(cell, what):
            cell.engine.announce(f"agent.{what}", payload, cell.id)


def abilities(agent: Agent) -> dict[str, Json]:
    """What an agent says it can do: its class does, or it set the attributes itself."""
    own = getattr(agent, "__dict__", {})
    if not ABILITIES.isdisjoint(own):
        return declared_abilities(agent)
    return type(agent)._choreia_abilities
