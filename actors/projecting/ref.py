"""How a projection is asked, rebuilt and looked at."""

from __future__ import annotations

from itertools import islice
from typing import Any

from choreia.actors.base import Envelope
from choreia.actors.blocking import forbid_on_loop, refuse_fenced
from choreia.actors.projecting.projection import Projection
from choreia.actors.projecting.reach import Asked, Patient, Rebuild
from choreia.actors.projecting.status import MOST, ProjectionStatus
from choreia.actors.projecting.work import Work
from choreia.actors.ref import AgentRef
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.errors import InvalidAgent, InvalidEvent
from choreia.runtime.events.event import Event
from choreia.runtime.stores.base import EventStore


class ProjectionRef(AgentRef[Projection]):
    """The ref of a projection, with what only projections do; `projection(ref)` makes one."""

    __slots__ = ()

    def ask(
        self,
        message: Any,
        *,
        block: bool = True,
        timeout: float | None = None,
        after: Event | int | None = None,
    ) -> Any:
        """What `answer` says to a question, from the serving tables.

        `after`, an event that is in the log or its position, waits until the tables have got that
        far: ``ref.ask(question, after=system.publish(…))`` reads what was just written. Meanwhile
        others are answered. Raises as `AgentRef.ask`, and `InvalidEvent` when the log has no such
        event.
        """
        if after is None:
            return super().ask(message, block=block, timeout=timeout)
        if block:
            forbid_on_loop("ask", "await ref.ask_async(…), or ask(…, block=False)")
        refuse_fenced("ask")
        reply = Patient(self._cell)
        asked = Asked(message, self._position(after), reply)
        self.actor_inbox.put(Envelope(asked, reply))
        return reply.get(timeout=timeout) if block else reply

    async def ask_async(
        self, message: Any, *, timeout: float | None = None, after: Event | int | None = None
    ) -> Any:
        """`ask`, awaiting the answer. Raises `TimeoutError` after `timeout` seconds."""
        reply = self.ask(message, block=False, after=after)
        return await reply.within(timeout)

    def rebuild(self, *, timeout: float | None = None) -> None:
        """Have the tables made anew, from the beginning of the log; the old ones serve until then.

        Returns when it has begun; while one is going on, it does nothing. A process that ends in
        the middle goes on with it the next time.
        """
        super().ask(Rebuild(), timeout=timeout)

    def status(self) -> ProjectionStatus:
        """How far it is. Counting the lag reads in the log, in your thread."""
        work, store = self._work, self._store
        head, track, shadow = store.head, work.serving, work.shadow
        standing = work.served if track is None else track.standing
        at = standing.position if track is None else track.at
        progress = None if shadow is None else min(1.0, shadow.at / head) if head else 1.0
        return ProjectionStatus(
            self.name, standing.position, head, self._lag(at), standing.skipped, progress
        )

    def _lag(self, at: int) -> int:
        methods = self._agent._choreia_methods
        coming = (
            one
            for one in self._store.read(at, pattern=methods.patterns)
            if not one.erased and not one.live and methods.of(one.event)
        )
        return sum(1 for _ in islice(coming, MOST))

    def _position(self, after: Event | int) -> int:
        if isinstance(after, Event):
            found = self._store.find(after.id)
            if found is not None:
                return found.position
        elif 0 <= after <= self._store.head:
            return after
        raise InvalidEvent(
            f"ask(…, after={after!r}): the log has no such event; give one that was published, or "
            "a position up to store.head"
        )

    @property
    def _agent(self) -> Projection:
        agent = self._cell.turn.agent
        assert isinstance(agent, Projection)
        return agent

    @property
    def _work(self) -> Work:
        return self._agent._choreia_work

    @property
    def _store(self) -> EventStore:
        bus = self._cell.engine.bus
        assert isinstance(bus, LogBus)
        return bus.store


def projection(ref: AgentRef[Any]) -> ProjectionRef:
    """The ref of a projection, with `status`, `rebuild`, and ``ask(…, after=…)``.

    ``projection(system.spawn(OrdersByStatus.into("orders.db")))``, or of ``system.ref(name)``.
    Raises `InvalidAgent` for other agents.
    """
    if not isinstance(ref, AgentRef) or not isinstance(ref._cell.turn.agent, Projection):
        raise InvalidAgent(f"projection({ref!r}): give the ref of a Projection")
    return ProjectionRef(ref._cell)
