"""What goes out of a turn: buffered until the handler returns, or, early, at once.

The half of a `Turn` that handlers see. What they ask for (emissions, timers, saga records) waits in
the buffer and happens when they return, all or nothing; what leaves early is remembered, so that
another attempt does not send it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, NoReturn

from choreia.runtime.delivery.behaviour import Fold, Frame, Reply, Waiting
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.context import running, running_turn
from choreia.runtime.delivery.emission import Emitter
from choreia.runtime.delivery.feed import FULL, MOVED, PARKED, TAKEN
from choreia.runtime.delivery.progress import Progress
from choreia.runtime.errors import Fenced, HopLimit, OutboxFull, OutsideTurn
from choreia.runtime.events.event import Event

if TYPE_CHECKING:
    from choreia.runtime.delivery.engine import Engine

Effect = Callable[[], None]


class Outgoing:
    """See the module."""

    __slots__ = (
        "buffer",
        "cell",
        "claimed",
        "doubted",
        "emitter",
        "engine",
        "event",
        "fenced",
        "fold",
        "lent",
        "max_outbox",
        "progress",
        "sign",
        "thread",
    )

    def __init__(self, cell: Cell, emitter: Emitter, max_outbox: int) -> None:
        self.cell = cell
        self.engine: Engine = cell.engine
        self.emitter = emitter
        self.max_outbox = max_outbox
        self.event: Event | None = None
        """The event in hand."""
        self.buffer: list[Event | Effect] = []
        self.fold: Fold | None = None
        """The state of an agent that is a fold of what it emits."""
        self.progress: Progress | None = None
        self.thread = 0
        """The thread that ran the turn last."""
        self.lent: object = None
        """What is in hand while the user's code has the thread; see `fencing.py`."""
        self.claimed = False
        """Whether somebody is about to take it away."""
        self.fenced = False
        """Whether another turn has taken this one's place in the cell."""
        self.sign = 0.0
        """When the handler last gave a sign of life of its own accord (monotonic seconds)."""
        self.doubted: Effect | None = None
        """Called at the next sign of life: somebody took the agent for dead."""

    # -- leaving: what a handler asked for happens ----------------------------------------

    def send_off(self) -> None:
        buffer, self.buffer = self.buffer, []
        if self.fold is not None:
            self.fold.keep()
        cell, route = self.cell, self.engine.bus.route
        for item in buffer:
            if isinstance(item, Event):
                cell.emitted += 1
                route(item, cell)
            else:
                item()

    def drop(self) -> None:
        """Nothing of what is buffered happens: the handler raised, or was broken off."""
        self.buffer.clear()
        if self.fold is not None:
            self.fold.undo()

    def bury(
        self,
        item: object,
        error: BaseException | None,
        attempts: int,
        reason: str,
        progress: Progress | None = None,
        where: str = "",
    ) -> None:
        """Make a dead letter of `item`, which the agent had in hand."""
        self.engine.bury(item, self.cell, error, attempts, reason, progress, where)

    def answer(self, reply: Reply, value: object = None) -> None:
        """Whoever asked gets `value`."""
        reply.set(value)

    def send_now(self, event: Event) -> Waiting:
        """Deliver what leaves before its handler has returned: whether nobody had it before."""
        self.engine.bus.route(event, self.cell)
        yield from self.drain()
        return True

    def drain(self) -> Frame:
        """Deliver the outbox, parking wherever there is no room."""
        cell = self.cell
        lot = cell.engine.lot
        outbox = cell.outbox or deque()
        while outbox:
            feed, event = outbox[0]
            verdict = feed.offer(event)
            if verdict == FULL:
                verdict = lot.park(cell, feed, event)
                if verdict == PARKED:
                    yield
                    continue  # whoever made room took the delivery from the outbox
                if verdict == MOVED:
                    outbox[0] = (feed.latest(), event)
                    continue
            outbox.popleft()
            if verdict != TAKEN:
                self.engine.undeliverable(event, feed.cell, verdict)

    # -- what agents ask for --------------------------------------------------------------

    def check(self, what: str) -> None:
        """That the caller is code of this turn; else `OutsideTurn`, or `Fenced`."""
        place = running.get()
        if self.fenced or (place is not None and place.fenced):
            raise self.fenced_error(what)
        if running_turn() is not self:
            raise OutsideTurn(
                f"{what} of agent {self.cell.name!r} was called outside its turn: call it in a "
                "handler, on_start, on_stop or on_receive; from elsewhere, use system.publish"
            )

    def emit(self, type: object, payload: object = None) -> Event:
        """Buffer an emission; it leaves when the handler returns."""
        if running.get() is not self or self.thread != get_ident():
            self.check("emit")
        buffer = self.buffer
        if len(buffer) >= self.max_outbox:
            self.ask_for_more()
        event = self.emitter.buffered(
            self.event, type, payload, len(buffer), self.engine.clock.now()
        )
        if event.metadata.hops > self.engine.limits.hops:
            buffer.append(partial(self.too_far, event))
        else:
            buffer.append(event)
            if self.fold is not None:
                try:
                    self.fold.emitted(event)
                except BaseException:
                    buffer.pop()  # its state cannot take it: it is not said
                    raise
        return event

    def later(self, what: str, effect: Effect) -> None:
        """Buffer something else than an emission: it happens when the handler returns."""
        self.check(what)
        if len(self.buffer) >= self.max_outbox:
            self.ask_for_more()
        self.buffer.append(effect)

    def ask_for_more(self) -> NoReturn:
        if self.fenced:
            raise self.fenced_error("emit")
        raise OutboxFull(
            f"agent {self.cell.name!r} asked for more than {self.max_outbox} things in one "
            "handler: write it as a generator and `yield` them, or raise max_outbox",
            limit=self.max_outbox,
        )

    def early(self, type: object, payload: object = None) -> tuple[Event, bool]:
        """Make an emission that leaves at once: it, and whether it still has to be sent.

        The second is False when an earlier attempt has sent it, or when it went too far.
        """
        self.check("emit_now")
        self.live()
        cause, now = self.event, self.engine.clock.now()
        if cause is None:
            return self.emitter.buffered(None, type, payload, 0, now), True
        progress = self.kept()
        event = self.emitter.early(cause, type, payload, progress.occurrence, now)
        if event.id in progress.sent:
            return event, False
        if event.metadata.hops > self.engine.limits.hops:
            progress.sent.add(event.id)
            self.too_far(event)
            return event, False
        return event, True

    def too_far(self, event: Event) -> None:
        limit = self.engine.limits.hops
        error = HopLimit(
            f"{event.type!r} would be hop {event.metadata.hops} of its case and the limit is "
            f"{limit}: agents that feed each other? (CaseLimits(hops=…))"
        )
        self.engine.log.error("agent %s: %s", self.cell.name, error)
        self.bury(event, error, 0, "hops")

    # -- being alive, and being replaced --------------------------------------------------

    def live(self) -> None:
        """The handler has given a sign of life."""
        self.sign = self.engine.clock.monotonic()
        doubted, self.doubted = self.doubted, None
        if doubted is not None:
            doubted()

    def retire(self) -> None:
        """Another turn has taken this one's place: nothing that it still asks for happens."""
        self.fenced = True
        self.max_outbox = -1  # so that `emit`, which looks at that, needs no further test
        self.doubted = None

    def fenced_error(self, what: str) -> Fenced:
        name = self.cell.name
        return Fenced(
            f"{what}: this handler of agent {name!r} was broken off (it had taken too long, or the "
            "agent was restarted or killed), and can do nothing more: let it end",
            agent=name,
        )

    def kept(self) -> Progress:
        """What the attempts at the event in hand have done."""
        if self.progress is None:
            self.progress = Progress()
        return self.progress
