"""The ref of an agent: a `pykka.ActorRef`, and the mailbox as pykka sees an inbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from choreia.actors.base import PROXIED, A, ActorDeadError, ActorStop, Envelope, PykkaRef
from choreia.actors.blocking import forbid_on_loop, refuse_fenced
from choreia.actors.reply import Reply
from choreia.runtime.delivery.admission import admit_one
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.context import running, running_turn
from choreia.runtime.delivery.feed import FULL, GONE, REJECTED, TAKEN
from choreia.runtime.delivery.mailbox import CLOSED
from choreia.runtime.delivery.shared import Front
from choreia.runtime.errors import InvalidAgent, MailboxFull
from choreia.runtime.events.event import Event
from choreia.runtime.events.keypath import spelled

_SPECIAL = PROXIED | {ActorStop, Event}


class Inbox:
    """The mailbox, as pykka sees an inbox."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def put(self, envelope: Envelope[Any], /) -> None:
        """Let `envelope` in: a `tell` counts, and blocks when the mailbox is full; an ask or stop
        is admitted beyond capacity, so that its timeout holds."""
        refuse_fenced("put")
        cell = self._cell
        feed = cell.feed
        if envelope.reply_to is not None or envelope.message.__class__ is ActorStop:
            if feed.force(envelope) == GONE:
                _refuse(envelope, cell)
        elif verdict := feed.offer(envelope):
            _tell_slowly(cell, envelope, verdict)

    def get(self) -> Envelope[Any]:
        raise InvalidAgent("an agent's inbox is emptied by its turns, not by get()")

    def empty(self) -> bool:
        return not len(self._cell.mailbox)


def dead_error(cell: Cell) -> ActorDeadError:
    return ActorDeadError(f"agent {cell.name!r} ({cell.id}) not found: it has stopped")


def _refuse(envelope: Envelope[Any], cell: Cell) -> None:
    if envelope.reply_to is None:
        raise dead_error(cell)
    error = dead_error(cell)
    envelope.reply_to.set_exception((ActorDeadError, error, None))


def _tell_slowly(cell: Cell, envelope: object, verdict: int) -> None:
    if verdict == FULL:
        forbid_on_loop("tell (into a full mailbox)", "await ref.tell_async(…)")
        turn = running_turn()
        sender = None if turn is None else turn.cell
        who = None if turn is not None else f"tell to {cell.name}"
        verdict = cell.engine.drive(admit_one(cell.feed, envelope, sender), None, who)
        if turn is not None:
            turn.check("tell")  # it may have been replaced while it waited
            turn.live()
    if verdict == GONE:
        raise dead_error(cell)
    if verdict == REJECTED:
        raise MailboxFull(
            f"the mailbox of agent {cell.name!r} is full and rejects what does not fit",
            agent=cell.name,
            capacity=cell.mailbox.capacity,
        )


class Woken(Protocol):
    """A keyed agent, as far as refs to its instances must know."""

    front: Front

    def member(self, key: str) -> Cell | None: ...


class _Stopped:
    """As much of a `threading.Event` as pykka asks of `actor_stopped` (a real one: 1.2 KB)."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def is_set(self) -> bool:
        return self._cell.mailbox.state == CLOSED


class AgentRef(PykkaRef[A]):
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
        place = running.get()
        if place is not None and place.fenced:
            refuse_fenced("tell")
        cell = self._cell
        # A message is boxed in a tuple of one; what needs more than `on_receive` in an envelope.
        item = Envelope(message) if message.__class__ in _SPECIAL else (message,)
        if message.__class__ is Event:
            with cell.engine.counted(cell, message):
                self.actor_inbox.put(Envelope(message))
        elif verdict := cell.feed.offer(item):
            _tell_slowly(cell, item, verdict)

    async def tell_async(self, message: Any) -> None:
        """`tell`, awaiting room instead of blocking for it."""
        cell = self._cell
        turn = running_turn()
        if turn is not None:
            turn.check("tell_async")
        item = Envelope(message) if message.__class__ in _SPECIAL else (message,)
        admission = admit_one(cell.feed, item, turn.cell if turn else None)
        who = None if turn is not None else f"tell to {cell.name}"
        with cell.engine.counted(cell, item):
            if await cell.engine.drive_async(admission, None, who) == GONE:
                raise dead_error(cell)

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any:
        """Send `message` and wait `timeout` seconds for the answer (or return its future).

        Raises what the agent raised, `pykka.Timeout`, or `pykka.ActorDeadError`.
        """
        if block:  # before it is sent: the caller would do it again, the other way
            forbid_on_loop("ask", "await ref.ask_async(…), or ask(…, block=False)")
        refuse_fenced("ask")
        cell = self._cell
        reply = Reply(cell)
        envelope = Envelope(message, reply)
        with cell.engine.counted(cell, envelope):
            gone = cell.feed.force(envelope) != TAKEN
        if gone:
            cell.engine.over(cell, envelope)
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
        if block:
            forbid_on_loop("stop", "await ref.stop(block=False)")
        asked: Reply = self.ask(ActorStop(), block=False)

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


class MemberRef(AgentRef[A]):
    """The ref of one instance of a keyed agent, which is woken when something is sent to it."""

    __slots__ = ("_family", "_key")

    def __init__(self, family: Woken, key: str) -> None:
        self._family = family
        self._key = key

    @property
    def _cell(self) -> Cell:  # type: ignore[override]
        return self._family.member(self._key) or self._family.front

    @property
    def name(self) -> str:
        return f"{self._family.front.name}:{spelled(self._key)}"

    @property
    def id(self) -> str:
        return f"{self._family.front.id}:{spelled(self._key)}"

    def is_alive(self) -> bool:
        """Whether it can be spoken to; it may be asleep."""
        return self._family.front.mailbox.state != CLOSED
