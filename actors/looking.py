"""What can be known of a system from outside, without asking its agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from choreia.actors.families import FrontAgent
from choreia.actors.folding import StateFold
from choreia.actors.info import AgentInfo, SystemView
from choreia.actors.inspection import view_of
from choreia.actors.reconstructing import reconstruct
from choreia.actors.sourced import EventSourcedAgent
from choreia.runtime.delivery.deadletter import DeadLetter
from choreia.runtime.errors import InvalidAgent, InvalidStore, UnknownAgent
from choreia.runtime.events.keypath import spelled
from choreia.runtime.stores.base import EventStore, When

if TYPE_CHECKING:
    from choreia.actors.keeping import Keeping
    from choreia.actors.presence import Presence
    from choreia.actors.record import Record
    from choreia.actors.roster import Roster
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.engine import Engine


class Looking:
    """The half of a system that answers questions."""

    _engine: Engine
    _keeping: Keeping | None
    _presence: Presence
    _roster: Roster

    @property
    def store(self) -> EventStore:
        """The event store, to read in. Raises `InvalidStore` when the system has none."""
        if self._keeping is None:
            raise InvalidStore('this system has no store: ActorSystem(store="events.db")')
        return self._keeping.store

    @property
    def node(self) -> str:
        return self._engine.node

    def find(self, capability: str, *, busy: bool = False) -> list[AgentInfo]:
        """The agents that are online with that capability and room for more, least loaded first.

        With `busy` also those that have no room now.
        """
        return self._presence.find(capability, busy=busy)

    def inspect(self) -> SystemView:
        """A frozen picture of the system and its agents, taken without asking them."""
        return view_of(self._roster)

    def dead_letters(self) -> list[DeadLetter]:
        """What could not be delivered or handled, oldest first."""
        return self._engine.letters.all()

    def state(self, name: str, at: When | None = None, *, key: str | int | None = None) -> object:
        """The state of an event-sourced agent, or, with `key`, of one instance of a keyed one.

        Now, without what a handler that is running has said so far; or, with a store, as it was at
        a moment: a `datetime` with a zone, Unix seconds as a float, a position in the log (an int),
        or an event's id, all inclusive. Nobody is woken for it. Raises `UnknownAgent`,
        `InvalidAgent` for an agent that has no such state, and `InvalidStore`.
        """
        full = name if key is None else f"{name}:{spelled(str(key))}"
        cell = self._roster.there(full) or self._roster.there(full.partition(":")[0])
        if cell is None:
            raise UnknownAgent(f"no agent named {name!r} is alive", name=name)
        agent_class = _sourced(cell, full)
        fold = cell.turn.fold
        if (
            at is None
            and cell.name == full
            and isinstance(fold, StateFold)
            and (fold.begun or self._keeping is None)
        ):
            return fold.kept
        did = cell.id if cell.name == full else cell.id + full[len(cell.name) :]
        if at is not None or self._keeping is not None:
            try:
                return reconstruct(agent_class, did, store=self.store, up_to=at)
            except UnknownAgent:  # it has said nothing yet
                return agent_class.initial_state()
        family = cast("Record", cell.owner).family
        resting = None
        if family is not None:
            resting = family.resting_state(full.partition(":")[2])
        if resting is None and isinstance(cell.turn.fold, StateFold) and cell.name == full:
            return cell.turn.fold.kept  # it has been woken meanwhile
        return agent_class.initial_state() if resting is None else resting


def _sourced(cell: Cell, name: str) -> type[EventSourcedAgent[object]]:
    agent = cell.turn.agent
    agent_class = agent.stands_for if isinstance(agent, FrontAgent) else type(agent)
    if not issubclass(agent_class, EventSourcedAgent):
        raise InvalidAgent(f"agent {name!r} is no EventSourcedAgent: it has no state to be read")
    family = cast("Record", cell.owner).family
    if isinstance(agent, FrontAgent) and family is not None and ":" not in name:
        raise InvalidAgent(f"{name!r} is a keyed agent: say whose state, state({name!r}, key=…)")
    return agent_class
