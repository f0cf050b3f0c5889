"""What an agent's turn does with what pykka sends: `tell`, `ask`, proxy calls, stop."""

from __future__ import annotations

import inspect
import logging
from typing import Any, Protocol

from choreia.actors.base import PROXIED, ActorDeadError, ActorStop, Envelope, answer_proxy
from choreia.actors.ref import dead_error
from choreia.actors.reply import Reply
from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.coroutines import wait_for
from choreia.runtime.delivery.handling import deliver
from choreia.runtime.delivery.steps import Plan
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.errors import PayloadMismatch
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.upcasting import upcast


class Fate(Protocol):
    """What becomes of an agent (`lifecycle.py`, `replacing.py`)."""

    def stop(self, turn: Turn, reply: Reply | None) -> Frame: ...
    def gave_up(self, cell: Cell) -> None: ...
    def overran(self, turn: Turn, expected: object, error: BaseException) -> None: ...


class Ear:
    """How an agent's turn handles what pykka sends: `tell`, `ask`, proxy calls, stop."""

    __slots__ = ("_fate", "_turn")

    def __init__(self, turn: Turn, fate: Fate) -> None:
        self._turn = turn
        self._fate = fate

    def gave_up(self) -> None:
        self._fate.gave_up(self._turn.cell)

    def overran(self, expected: object, error: BaseException) -> None:
        self._fate.overran(self._turn, expected, error)

    def failed(self, message: object, error: BaseException) -> None:
        _message_failed(self._turn, message, None, error)

    def returned(self, message: object, value: object) -> None:
        turn = self._turn
        if inspect.iscoroutine(value):
            turn.begin(_awaited(turn, message, None, value))
            return
        if turn.buffer:
            turn.leave()
        turn.cell.handled += 1

    def receive(self, item: Any) -> Frame | None:
        """Everything else: a frame when it takes longer."""
        turn, message, reply = self._turn, item.message, item.reply_to
        kind = message.__class__
        if kind is ActorStop:
            return _answering(self._fate.stop(turn, reply), turn, item)
        if kind is Event:
            plan = turn.planner.plan(message.type)
            return _answering(_told(turn, message, plan, reply), turn, item)
        agent: Any = turn.agent
        turn.step = agent.on_receive
        try:
            if kind in PROXIED:
                result = turn.lend(answer_proxy, agent, message)
            else:
                result = turn.lend(agent.on_receive, message)
        except BaseException as error:
            if not turn.fenced:
                _message_failed(turn, message, reply, error)
            return None
        if inspect.iscoroutine(result):
            return _answering(_awaited(turn, message, reply, result), turn, item)
        if turn.buffer:
            turn.leave()
        turn.cell.handled += 1
        if reply is not None:
            turn.answer(reply, result)
        return None


def _answering(frame: Frame, turn: Turn, item: Any) -> Frame:
    """`frame`; if the agent is killed over it, whoever asked is told so, and not left waiting."""
    try:
        yield from frame
    except GeneratorExit:
        if item.reply_to is not None:
            settle_left_over(turn.cell, [item], turn.ending)
        raise


def _told(turn: Turn, event: Event, plan: Plan, reply: Any) -> Frame:
    """An event that was told or asked: it has not come by the bus, which lifts old versions."""
    try:
        event = upcast(event)
    except PayloadMismatch as error:
        _message_failed(turn, event, reply, error)
        return
    yield from deliver(turn, event, plan, routed=False, reply=reply)


def _awaited(turn: Turn, message: object, reply: Any, coroutine: Any) -> Frame:
    try:
        result = yield from wait_for(turn, coroutine)
    except GeneratorExit:
        if reply is None:
            reason = "stopped" if turn.engine.refusing else turn.ending
            turn.bury(message, None, 1, reason)
        raise
    except BaseException as error:
        _message_failed(turn, message, reply, error)
        return
    turn.send_off()
    yield from turn.drain()
    turn.cell.handled += 1
    if reply is not None:
        turn.answer(reply, result)


def _message_failed(turn: Turn, message: object, reply: Any, error: BaseException) -> None:
    """An asker gets the error; a failed `tell` is a dead letter, and the agent goes on."""
    turn.drop()
    turn.failed(error, "on_receive")
    if reply is not None:
        turn.cell.failed += 1
        reply.set_exception((type(error), error, error.__traceback__))
        return
    turn.report(logging.ERROR, "a told message failed", exc_info=error)
    turn.bury(message, error, 1, "failed")
    turn.ear.gave_up()
    agent: Any = turn.agent
    try:
        turn.lend(agent.on_failure, type(error), error, error.__traceback__)
    except BaseException:
        if turn.fenced:
            return
        turn.drop()
        turn.report(logging.ERROR, "on_failure failed", exc_info=True)
    turn.send_off()
    if turn.cell.outbox:
        turn.cell.interrupt = True


def settle_left_over(cell: Cell, items: list[object], reason: str) -> None:
    """What an agent that is gone, or replaced, will not handle: dead letters and dead asks."""
    for item in items:
        if isinstance(item, Recorded):
            continue  # it stays in the log
        if isinstance(item, tuple):
            cell.engine.bury(item[0], cell, None, 0, reason)
        elif not isinstance(item, Envelope):
            cell.engine.bury(getattr(item, "event", item), cell, None, 0, reason)
        elif item.reply_to is None:
            cell.engine.bury(item.message, cell, None, 0, reason)
        elif isinstance(item.reply_to, Reply) and item.reply_to.answered:
            continue
        elif isinstance(item.message, ActorStop):
            item.reply_to.set(None)
        else:
            error = dead_error(cell) if reason != "stuck" else _replaced_error(cell)
            item.reply_to.set_exception((ActorDeadError, error, None))


def _replaced_error(cell: Cell) -> ActorDeadError:
    return ActorDeadError(
        f"agent {cell.name!r} ({cell.id}) was replaced by another instance over this message"
    )
