"""An agent's life: started, announced, paused, stopped, killed. Frames and controls of its turn."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from choreia.actors.ear import settle_left_over
from choreia.actors.every import start_schedules
from choreia.actors.families import FrontAgent
from choreia.actors.interests import end_interest
from choreia.actors.options import ABILITIES, declared_abilities
from choreia.actors.reply import Reply
from choreia.actors.timers import cancel_all
from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.delivery.cell import PAUSED, Cell
from choreia.runtime.delivery.coroutines import wait_for
from choreia.runtime.delivery.deadletter import name_error
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
        self.once_more: Callable[[Cell, str], bool] = lambda cell, why: False
        """Try with another instance: whether the agent's `Restart` lets it (`replacing.py`)."""
        self.on_begin: Callable[[Cell], None] = lambda cell: None
        self.on_end: Callable[[Cell], None] = lambda cell: None
        self.on_renewal: Callable[[Cell], None] = lambda cell: None
        """Told of each agent that begins, ends, and begins anew: somebody watches over them."""

    # -- starting -------------------------------------------------------------------------

    def begin(self, cell: Cell) -> None:
        """The agent is there: start it in its first turn, or now if it has nothing to start."""
        from choreia.actors.agent import Agent

        agent = cast("Agent", cell.turn.agent)
        self._say_initialized(cell, agent)
        durable = cell.ledger is not None and cell.ledger.durable
        if type(agent).on_start is Agent.on_start and not durable:
            self._started(cell, agent)
        else:
            cell.post(lambda: cell.turn.begin(self._start(cell.turn)))
        self.on_begin(cell)
        cell.open()

    def introduce(self, front: Cell) -> None:
        """A group is there, whose front has no turns: let it be known."""
        agent = cast("Agent", front.turn.agent)
        self._say_initialized(front, agent)
        self._started(front, agent)

    def _say_initialized(self, cell: Cell, agent: Agent) -> None:
        if self._heard(cell, "initialized"):
            made = getattr(agent, "stands_for", type(agent))
            facts = {"agent": cell.name, "class": made.__name__, **abilities(agent)}
            self._say(cell, "initialized", facts)

    def begin_again(self, cell: Cell) -> None:
        """In a restarted agent's first turn."""
        cell.turn.begin(self._start(cell.turn))

    def _start(self, turn: Turn) -> Frame:
        agent = cast("Agent", turn.agent)
        turn.starting = True
        try:
            yield from turn.awaken()
            result = turn.lend(agent.on_start)
            if inspect.iscoroutine(result):
                yield from wait_for(turn, result)
        except GeneratorExit:
            raise
        except BaseException as error:
            if turn.fenced:
                raise
            turn.drop()
            turn.failed(error, "on_start")
            if self.once_more(turn.cell, "on_start failed"):
                turn.report(logging.ERROR, "on_start failed; once more", exc_info=error)
                return
            turn.report(logging.ERROR, "on_start failed; the agent stops", exc_info=error)
            self.say_failed(turn.cell, name_error(error))
            self.close(turn.cell, "stopped")
            return
        turn.send_off()
        yield from turn.drain()
        turn.starting = False
        self._started(turn.cell, agent)
        turn.ready()
        if turn.pause_next:
            self.pause(turn.cell)

    def _started(self, cell: Cell, agent: Agent) -> None:
        record = cast("Record", cell.owner)
        start_schedules(cell, agent)
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

    def stop(self, turn: Turn, reply: Reply | None, reason: str = "stopped") -> Frame:
        """The agent was asked to stop, and has handled what came before."""
        record = cast("Record", turn.cell.owner)
        record.stopping = True
        if record.family is not None:
            yield from record.family.wind_up(turn)
        yield from self.last_words(turn)
        self.close(turn.cell, reason)
        if reply is not None:
            turn.answer(reply)

    def last_words(self, turn: Turn) -> Frame:
        """Let the agent say what it has to say at its end."""
        if turn.interim:  # whose place it keeps hangs somewhere, or is not there yet
            return
        try:
            result = turn.lend(cast("Agent", turn.agent).on_stop)
            if inspect.iscoroutine(result):
                yield from wait_for(turn, result)
        except GeneratorExit:
            raise
        except BaseException as error:
            if turn.fenced:
                raise
            turn.drop()
            turn.failed(error, "on_stop")
            turn.report(logging.ERROR, "on_stop failed", exc_info=error)
            return
        turn.send_off()
        yield from turn.drain()

    def kill(self, cell: Cell) -> None:
        """In the agent's turn: stop at once; the event in hand and the rest are dead letters."""
        turn = cell.turn
        attempt, progress = turn.attempt, turn.progress
        event = turn.abort("killed")  # raises `Fenced`, if somebody else has it killed
        try:
            if event is not None:
                turn.bury(event, None, attempt, "killed", progress)
        finally:
            self.close(cell, "killed")

    def undo(self, cell: Cell) -> None:
        """An agent that did not come about: whoever has its ref already is told so."""
        self._roster.remove(cell)
        self._roster.free(cell.name)
        left = cell.mailbox.close()
        settle_left_over(cell, left, "stopped")
        cell.engine.over(cell, *left)
        cell.engine.dispatcher.release_lane(cell.schedule)

    def close(self, cell: Cell, reason: str) -> None:
        """The end, whatever led to it: out of routing, out of the lists, nothing left behind.

        For the thread that owns the cell's turn, or when there is none any more.
        """
        engine = cell.engine
        if cell.mailbox.state != CLOSED:
            self._roster.remember(cell)
        self._roster.remove(cell)
        self.on_end(cell)
        cancel_all(engine, cast("Record", cell.owner))
        if cell.mailbox.state == CLOSED:
            return
        cell.found()
        self.leave_line(cell, reason)
        family = cast("Record", cell.owner).family
        if family is not None:
            family.ending(cell)
        mark = 0 if cell.ledger is None else cell.ledger.mark()
        left = cell.mailbox.close()
        cell.interrupt = True
        if cell.ledger is not None:
            cell.ledger.farewell(left, mark)
            end_interest(cell)
        if cell.feed.cell is cell:  # the members of a group share one
            left += engine.lot.abandon(cell.feed)
        if cell.kind != "system":  # what the runtime says to itself is nobody's loss
            settle_left_over(cell, left, "killed" if reason == "killed" else "stopped")
            engine.over(cell, *left)
        engine.held.pop(cell.number, None)
        engine.dispatcher.release_lane(cell.schedule)
        self._say(cell, "offline", {"agent": cell.name, "reason": reason})
        self._say(cell, "stopped", {"agent": cell.name, "reason": reason})
        if family is not None:
            family.ended(cell, reason)
        engine.settled()

    def leave_line(self, cell: Cell, reason: str) -> None:
        """What a parked agent still had to deliver waits without it, or has nobody to go to."""
        engine = cell.engine
        for feed, event in engine.lot.leave_all(cell):
            engine.bury(event, feed.cell, None, 0, reason)
            engine.over(feed.cell, event)

    # -- pausing --------------------------------------------------------------------------

    def pause(self, cell: Cell) -> None:
        """In the agent's turn: handle no more events until resumed."""
        if cell.turn.starting:  # it could not go on with that
            cell.turn.pause_next = True
        elif not cell.paused:
            cell.hold(PAUSED)
            self._say(cell, "paused", {"agent": cell.name})

    def resume(self, cell: Cell) -> None:
        cell.turn.pause_next = False
        if cell.paused:
            cell.release(PAUSED)
            self._say(cell, "resumed", {"agent": cell.name})

    def say_failed(self, cell: Cell, error: str) -> None:
        """It could not be started."""
        self._say(cell, "failed", {"agent": cell.name, "error": error})

    def announce_restart(self, cell: Cell, reason: str) -> None:
        """Another instance has taken the place of the last one."""
        incarnation = cast("Record", cell.owner).incarnation
        facts = {"agent": cell.name, "agent_id": cell.id, "incarnation": incarnation}
        self._say(cell, "restarted", {**facts, "reason": reason})

    def _heard(self, cell: Cell, what: str) -> bool:
        """Whether to say it: the runtime's own agents and subscriptions come and go in silence."""
        return cell.kind == "agent" and cell.engine.bus.wanted(f"agent.{what}")

    def _say(self, cell: Cell, what: str, payload: Mapping[str, object]) -> None:
        if self._heard(cell, what):
            cell.engine.announce(f"agent.{what}", payload, cell.id)


def abilities(agent: Agent) -> dict[str, Json]:
    """What an agent says it can do: its class does, or it set the attributes itself."""
    if isinstance(agent, FrontAgent):
        return agent.can
    own = getattr(agent, "__dict__", {})
    if not ABILITIES.isdisjoint(own):
        return declared_abilities(agent)
    return type(agent)._choreia_abilities
