"""Where Choreia meets pykka: the only file that imports it.

An agent is a `pykka.Actor` with its own inbox, loop and ref, but many agents share few threads: the
inbox is the cell's mailbox, the loop is the cell's turn, and pykka's class-level `ActorRegistry`
(a list, so that stopping n actors takes n² steps) is not used. What pykka promises of `tell`,
`ask`, `stop` and proxies holds: one first-in-first-out order for all of them.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Generator
from typing import Any, TypeVar, cast

import pykka
from pykka import ActorDeadError, ThreadingFuture, Timeout
from pykka._envelope import Envelope
from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr, _ActorStop

from choreia.actors.blocking import forbid_on_loop
from choreia.runtime.delivery.admission import admit_one
from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.context import running_turn
from choreia.runtime.delivery.feed import FULL, GONE, REJECTED, TAKEN
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.handling import deliver, wait_for
from choreia.runtime.delivery.logfeed import Recorded
from choreia.runtime.delivery.mailbox import CLOSED
from choreia.runtime.delivery.steps import Plan
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.errors import Deadlock, InvalidAgent, MailboxFull, PayloadMismatch
from choreia.runtime.events.event import Event
from choreia.runtime.events.upcasting import upcast

A = TypeVar("A", bound=pykka.Actor)
_PROXIED = frozenset({ProxyCall, ProxyGetAttr, ProxySetAttr})
_SPECIAL = _PROXIED | {_ActorStop, Event}


class Reply(ThreadingFuture[Any]):
    """pykka's future, which under simulation runs the others while it waits, and which a coroutine
    can await without blocking its loop."""

    def __init__(self, asked: Cell | None = None) -> None:
        super().__init__()
        self._asked = asked
        self._gate: Gate | None = None
        self._sources: tuple[pykka.Future[Any], ...] = ()
        """The futures that this one is made from."""

    def get(self, *, timeout: float | None = None) -> Any:
        asked = self._asked
        if asked is None or self._result is not None:
            return super().get(timeout=timeout)
        forbid_on_loop("ask", "await ref.ask_async(…), or await the future")
        turn = running_turn()
        if turn is None and not asked.engine.dispatcher.simulated:
            return super().get(timeout=timeout)
        if turn is None:
            return self._wait(asked, timeout)
        lot = asked.engine.lot
        lot.begin_ask(turn.cell, asked)
        try:
            return self._wait(asked, timeout)
        except Deadlock:
            waiting = " → ".join(lot.chain(turn.cell))
            raise Deadlock(
                f"the ask can never be answered: {waiting}. A blocking ask waits inside a "
                "handler; emit an event and react to the answer instead"
            ) from None
        finally:
            lot.end_ask(turn.cell, asked)

    def _wait(self, asked: Cell, timeout: float | None) -> Any:
        # Through the dispatcher, which lets other threads, or turns, go on meanwhile.
        if not asked.engine.dispatcher.wait(self._opened(), timeout):
            raise Timeout(f"{timeout} seconds")
        return super().get(timeout=timeout)

    def set(self, value: Any | None = None) -> None:
        super().set(value)
        self._open()

    def set_exception(self, exc_info: Any = None) -> None:
        super().set_exception(exc_info)
        self._open()

    @property
    def answered(self) -> bool:
        return self._result is not None

    def _opened(self) -> Gate:
        with self._condition:
            if self._gate is None:
                self._gate = Gate()
            gate = self._gate
        if self._result is not None:
            gate.open()
        return gate

    def _open(self) -> None:
        with self._condition:
            gate = self._gate
        if gate is not None:
            gate.open()

    def __await__(self) -> Generator[Any, None, Any]:
        return self._value().__await__()

    async def _value(self) -> Any:
        if await self._settled(None):
            return self.get()
        return await asyncio.to_thread(self.get)

    async def within(self, timeout: float | None) -> Any:
        """Await the answer. Raises `TimeoutError` after `timeout` seconds."""
        if not await self._settled(timeout):
            raise TimeoutError(f"no answer within {timeout} s")
        return self.get()

    async def _settled(self, timeout: float | None) -> bool:
        """Await that `get` need not wait: whether it is so."""
        if self._asked is not None:
            return await self._asked.engine.dispatcher.wait_async(self._opened(), timeout)
        known = [source for source in self._sources if isinstance(source, Reply)]
        if not known or len(known) < len(self._sources):
            return False  # somebody else's future: only its own `get` knows how to wait for it
        return all([await source._settled(timeout) for source in known])

    # -- futures of this future: pykka's, which remember what they are made from -------------

    def made_from(self, *sources: pykka.Future[Any]) -> Reply:
        self._sources = sources
        return self

    def map(self, func: Callable[[Any], Any]) -> Any:
        return cast("Reply", super().map(func)).made_from(self)

    def filter(self, func: Callable[[Any], bool]) -> Any:
        return cast("Reply", super().filter(func)).made_from(self)

    def join(self, *futures: pykka.Future[Any]) -> Any:
        return cast("Reply", super().join(*futures)).made_from(self, *futures)

    def reduce(self, func: Callable[[Any, Any], Any], *args: Any) -> Any:
        return cast("Reply", super().reduce(func, *args)).made_from(self)


class Inbox:
    """The mailbox, as pykka sees an inbox."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def put(self, envelope: Envelope[Any], /) -> None:
        """Let `envelope` in: a `tell` counts, and blocks when the mailbox is full; an ask or stop
        is admitted beyond capacity, so that its timeout holds."""
        cell = self._cell
        feed = cell.feed
        if envelope.reply_to is not None or envelope.message.__class__ is _ActorStop:
            if feed.force(envelope) == GONE:
                _refuse(envelope, cell)
        elif verdict := feed.offer(envelope):
            _tell_slowly(cell, envelope, verdict)

    def get(self) -> Envelope[Any]:
        raise InvalidAgent("an agent's inbox is emptied by its turns, not by get()")

    def empty(self) -> bool:
        return not len(self._cell.mailbox)


def _dead(cell: Cell) -> ActorDeadError:
    return ActorDeadError(f"agent {cell.name!r} ({cell.id}) not found: it has stopped")


def _refuse(envelope: Envelope[Any], cell: Cell) -> None:
    if envelope.reply_to is None:
        raise _dead(cell)
    error = _dead(cell)
    envelope.reply_to.set_exception((ActorDeadError, error, None))


def _tell_slowly(cell: Cell, envelope: object, verdict: int) -> None:
    if verdict == FULL:
        forbid_on_loop("tell (into a full mailbox)", "await ref.tell_async(…)")
        turn = running_turn()
        sender = None if turn is None else turn.cell
        who = None if turn is not None else f"tell to {cell.name}"
        verdict = cell.engine.drive(admit_one(cell.feed, envelope, sender), None, who)
    if verdict == GONE:
        raise _dead(cell)
    if verdict == REJECTED:
        raise MailboxFull(
            f"the mailbox of agent {cell.name!r} is full and rejects what does not fit",
            agent=cell.name,
            capacity=cell.mailbox.capacity,
        )


class _Stopped:
    """As much of a `threading.Event` as pykka asks of `actor_stopped` (a real one: 1.2 KB)."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def is_set(self) -> bool:
        return self._cell.mailbox.state == CLOSED


class AgentRef(pykka.ActorRef[A]):
    """A `pykka.ActorRef` that stays the same when its agent is restarted.

    `tell`, `ask`, `proxy`, `stop` and `is_alive` are pykka's; `tell_async` and `ask_async` are for
    coroutines.
    """

    __slots__ = ("_cell",)

    # Properties where pykka has attributes: a million refs need not store them.
    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    @property
    def name(self) -> str:
        return self._cell.name

    @property
    def id(self) -> str:
        """The agent's DID: the `source` of its events."""
        return self._cell.id

    @property
    def actor_class(self) -> type[A]:  # type: ignore[override]
        return type(self._cell.turn.agent)  # type: ignore[return-value]

    @property
    def actor_urn(self) -> str:  # type: ignore[override]
        return f"urn:{self._cell.id.removeprefix('did:')}"

    @property
    def actor_inbox(self) -> Inbox:  # type: ignore[override]
        return Inbox(self._cell)

    @property
    def actor_stopped(self) -> _Stopped:  # type: ignore[override]
        return _Stopped(self._cell)

    @property
    def _actor_weakref(self) -> Callable[[], Any]:  # type: ignore[override]
        return lambda: self._cell.turn.agent

    def is_alive(self) -> bool:
        return self._cell.mailbox.state != CLOSED

    def tell(self, message: Any) -> None:
        """Send `message` without waiting for an answer.

        It takes its place behind what was sent before; while the mailbox is full, this blocks.
        Raises `pykka.ActorDeadError`, and `MailboxFull` when the agent's policy is `reject`.
        """
        cell = self._cell
        # A message is boxed in a tuple of one; what needs more than `on_receive` in an envelope.
        item = Envelope(message) if message.__class__ in _SPECIAL else (message,)
        if verdict := cell.feed.offer(item):
            _tell_slowly(cell, item, verdict)

    async def tell_async(self, message: Any) -> None:
        """`tell`, awaiting room instead of blocking for it."""
        cell = self._cell
        turn = running_turn()
        item = Envelope(message) if message.__class__ in _SPECIAL else (message,)
        admission = admit_one(cell.feed, item, turn.cell if turn else None)
        who = None if turn is not None else f"tell to {cell.name}"
        if await cell.engine.drive_async(admission, None, who) == GONE:
            raise _dead(cell)

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any:
        """Send `message` and wait `timeout` seconds for the answer (or return its future).

        Raises what the agent raised, `pykka.Timeout`, or `pykka.ActorDeadError`.
        """
        cell = self._cell
        reply = Reply(cell)
        envelope = Envelope(message, reply)
        if cell.feed.force(envelope) != TAKEN:
            _refuse(envelope, cell)
        return reply.get(timeout=timeout) if block else reply

    async def ask_async(self, message: Any, *, timeout: float | None = None) -> Any:
        """`ask`, awaiting the answer. Raises `TimeoutError` after `timeout` seconds."""
        reply: Reply = self.ask(message, block=False)
        return await reply.within(timeout)

    def stop(self, *, block: bool = True, timeout: float | None = None) -> Any:
        """Ask the agent to stop when it has handled what came before, and wait for it.

        True, or the future of it, if it was alive at the time of the call; else False.
        """
        asked: Reply = self.ask(_ActorStop(), block=False)

        def was_alive(timeout: float | None) -> bool:
            try:
                asked.get(timeout=timeout)
            except ActorDeadError:
                return False
            return True

        stopped = Reply().made_from(asked)
        stopped.set_get_hook(was_alive)
        return stopped.get(timeout=timeout) if block else stopped

    def __str__(self) -> str:
        return f"{self.actor_class.__name__} ({self._cell.id})"


class Actor(pykka.Actor):
    """What of `pykka.Actor` an agent uses. `Agent` derives from it and is what users see."""

    __slots__ = ("_choreia_cell",)

    _choreia_cell: Cell | None

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> Any:
        """Not for agents: `ActorSystem.spawn` starts them."""
        raise InvalidAgent(
            f"{cls.__name__}.start() is pykka's way; agents belong to a system: "
            f"system.spawn({cls.__name__}), or system.spawn(lambda: {cls.__name__}(…))"
        )

    @staticmethod
    def _create_actor_inbox() -> Any:
        raise InvalidAgent("an agent's inbox is its mailbox; ActorSystem.spawn makes it")

    @staticmethod
    def _create_future() -> Reply:
        return Reply()

    def _start_actor_loop(self) -> None:
        raise InvalidAgent("agents are started by ActorSystem.spawn")


class Ear:
    """How an agent's turn handles what pykka sends: `tell`, `ask`, proxy calls, stop."""

    __slots__ = ("_stop", "_turn")

    def __init__(self, turn: Turn, stop: Callable[[Turn, Reply | None], Frame]) -> None:
        self._turn = turn
        self._stop = stop

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
        if kind is _ActorStop:
            return _answering(self._stop(turn, reply), turn, item)
        if kind is Event:
            plan = turn.planner.plan(message.type)
            return _answering(_told(turn, message, plan, reply), turn, item)
        agent: Any = turn.agent
        try:
            if kind in _PROXIED:
                result = pykka.Actor._handle_receive(agent, message)
            else:
                result = agent.on_receive(message)
        except BaseException as error:
            _message_failed(turn, message, reply, error)
            return None
        if inspect.iscoroutine(result):
            return _answering(_awaited(turn, message, reply, result), turn, item)
        if turn.buffer:
            turn.leave()
        turn.cell.handled += 1
        if reply is not None:
            reply.set(result)
        return None


def _answering(frame: Frame, turn: Turn, item: Any) -> Frame:
    """`frame`; if the agent is killed over it, whoever asked is told so, and not left waiting."""
    try:
        yield from frame
    except GeneratorExit:
        if item.reply_to is not None:
            settle_left_over(turn.cell, [item], "killed")
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
            reason = "stopped" if turn.engine.refusing else "killed"
            turn.engine.bury(message, turn.cell, None, 1, reason)
        raise
    except BaseException as error:
        _message_failed(turn, message, reply, error)
        return
    turn.send_off()
    yield from turn.drain()
    turn.cell.handled += 1
    if reply is not None:
        reply.set(result)


def _message_failed(turn: Turn, message: object, reply: Any, error: BaseException) -> None:
    """An asker gets the error; a failed `tell` is a dead letter, and the agent goes on."""
    turn.buffer.clear()
    if reply is not None:
        turn.cell.failed += 1
        reply.set_exception((type(error), error, error.__traceback__))
        return
    turn.log.error("a told message failed", exc_info=error)
    turn.engine.bury(message, turn.cell, error, 1, "failed")
    agent: Any = turn.agent
    try:
        agent.on_failure(type(error), error, error.__traceback__)
    except BaseException:
        turn.buffer.clear()
        turn.log.exception("on_failure failed")
    turn.send_off()
    if turn.cell.outbox:
        turn.cell.interrupt = True


def settle_left_over(cell: Cell, items: list[object], reason: str) -> None:
    """An agent is gone: what its mailbox still held becomes dead letters and dead asks."""
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
        elif isinstance(item.message, _ActorStop):
            item.reply_to.set(None)
        else:
            item.reply_to.set_exception((ActorDeadError, _dead(cell), None))
