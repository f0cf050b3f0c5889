"""Families: keyed agents and groups. One agent to the world, many instances at work.

`spawn` makes the *front*: it has the name, the subscriptions and the presence, and handles nothing
itself. Its *members* do. How events come to them is the runtime's part (`delivery/family.py`,
`delivery/shared.py`, `durable/members/`); here they are made, woken and put to sleep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from choreia.actors.agent import Agent
from choreia.actors.every import schedules_of
from choreia.actors.options import Options
from choreia.actors.record import Record
from choreia.runtime.delivery.behaviour import Frame, Planner
from choreia.runtime.delivery.cell import PAUSED, Cell
from choreia.runtime.delivery.shared import Front
from choreia.runtime.delivery.steps import NOTHING, Kind, Plan, Step
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.alarms import Alarms
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.durable.members.ledger import FrontLedger, MemberLedger
from choreia.runtime.durable.members.place import Place
from choreia.runtime.errors import GiveUp, InvalidAgent

if TYPE_CHECKING:
    from choreia.actors.lifecycle import Lifecycle
    from choreia.actors.roster import Roster
    from choreia.actors.spawning import Spawner
    from choreia.runtime.events.event import Event


class Family(Protocol):
    """What others must know of a family."""

    front: Front

    front_works: bool
    """Whether the front has turns of its own."""

    def members(self) -> Sequence[Cell]:
        """Those that are there now."""
        ...

    def member(self, key: str) -> Cell | None:
        """Of a keyed agent, the member of that key, woken if need be."""
        ...

    def resting_state(self, key: str) -> object | None:
        """The state of a member that sleeps (by its key as it is spelled), where there is no store
        to tell it."""
        ...

    def wind_up(self, turn: Turn) -> Frame:
        """The front, or a member, has been asked to stop: see to the others."""
        ...

    def settle(self, example: Agent, abilities: dict[str, Any]) -> None:
        """The front has its subscriptions. `example`: the first instance that was made."""
        ...

    def begin(self) -> None:
        """The front has its name: take the family's place in the log, and begin."""
        ...

    def ending(self, cell: Cell) -> None:
        """The mailbox of the front, or of a member, is about to be closed."""
        ...

    def ended(self, cell: Cell, reason: str) -> None:
        """The front, or a member, is gone."""
        ...

    def pause(self, paused: bool) -> None:
        """Whether who is woken from now on is paused."""
        ...

    def close(self) -> None:
        """The system stops: no more members."""
        ...


class FrontAgent(Agent):
    """Stands where a front's instance would. It knows what the members can do."""

    def __init__(self, cell: Cell, example: Agent, abilities: dict[str, Any]) -> None:
        self._choreia_cell = cell
        self.stands_for = type(example)
        self.can = abilities

    def on_receive(self, message: object) -> None:
        name = self.stands_for.__name__
        raise InvalidAgent(
            f"{name} is a keyed agent: publish an event that has the key, or speak to one of its "
            f"instances, system.ref({self.name!r}, key=…)"
        )


class NoKey:
    """The front's planner: whatever comes to it has no key."""

    known: dict[str, Plan] = {}  # noqa: RUF012  # never filled

    def __init__(self, path: str) -> None:
        step = Step("key", partial(_no_key, path), Kind.PLAIN)
        self._plan = Plan((step,))

    def plan(self, type: str) -> Plan:
        return self._plan


def _no_key(path: str, agent: object, event: Event) -> None:
    raise GiveUp(
        f"{event.type!r} has no key at {path}: nobody knows whose it is. A key is a text of 1 to "
        "512 characters, or a whole number"
    )


class NoPlans:
    """The planner of who handles nothing."""

    known: dict[str, Plan] = {}  # noqa: RUF012  # never filled

    def plan(self, type: str) -> Plan:
        return NOTHING


NO_PLANS: Final = NoPlans()


def family_options(options: Options, agent_class: type, name: str | None) -> bool:
    """Whether there is to be a family. Raises `InvalidAgent` for what makes no sense together."""
    from choreia.actors.sagas.declaring import check_key
    from choreia.actors.sagas.participant import SagaParticipant
    from choreia.actors.sourced import EventSourcedAgent

    if options.group is None and options.count != 1:
        raise InvalidAgent(f"count={options.count}: of what? Name the group: spawn(…, group=…)")
    if options.key is None and options.group is None:
        return False
    what = agent_class.__name__
    if issubclass(agent_class, SagaParticipant):
        check_key(agent_class, options.key)
    if options.group is not None:
        if issubclass(agent_class, SagaParticipant):
            raise InvalidAgent(
                f"{what} takes part in sagas, and cannot be in a group: two members would work on "
                "one case at once. Give it a key"
            )
        if options.key is not None:
            raise InvalidAgent(f"{what} has a key, and cannot be in a group: keys share the work")
        if issubclass(agent_class, EventSourcedAgent):
            raise InvalidAgent(
                f"{what} is event-sourced, and cannot be in a group: its members would each have a "
                "part of the state. Give it a key"
            )
        if name not in (None, options.group):
            raise InvalidAgent(f"name={name!r}, group={options.group!r}: a group's name is its own")
    if options.threaded:
        raise InvalidAgent(f"{what}: a keyed agent or a group has no threads of its own (threaded)")
    if schedules_of(agent_class):
        raise InvalidAgent(
            f"{what} has @every: each of its instances would tick. Let another agent tick, and "
            "publish"
        )
    return True


class Nursery:
    """Makes members, wherever they belong."""

    def __init__(self, spawner: Spawner, front: Front) -> None:
        self._spawner = spawner
        self.front = front
        self.engine = front.engine
        record = cast("Record", front.owner)
        self.options, self._factory = record.options, record.factory
        self._presence = record.presence
        self.paused = False
        """Whether who is woken is to wait until it is resumed."""
        self.place: Place | None = None
        self.alarms: Alarms | None = None
        bus = self.engine.bus
        if isinstance(bus, LogBus):
            durable = self.options.durable is not False
            self.place = Place(front, bus, durable=durable, start=self.options.start)
            ledger = FrontLedger(front, bus, self.place, Alarms(front, bus))
            front.ledger = ledger
            self.alarms = ledger.alarms

    def cell(self, family: Family, name: str, id: str, key: str | None) -> Cell:
        """A member's cell, with all but feed and turn."""
        number = self._spawner.roster.next_number()
        cell = Cell(self.engine, number, name, id, "member", self.options.mailbox)
        if self.place is not None and self.alarms is not None:
            bus = cast("LogBus", self.engine.bus)
            cell.ledger = MemberLedger(cell, bus, self.place, self.alarms)
        from choreia.actors.ref import AgentRef, MemberRef

        ref = AgentRef[Any](cell) if key is None else MemberRef[Any](family, key)
        record = cell.owner = Record(self._factory, self.options, self._presence, ref)
        record.family, record.key = family, key
        if self.paused:
            cell.holds |= PAUSED
        return cell

    def dormant(self, cell: Cell) -> Turn:
        """A turn that only wakes the member."""
        front = self.front.turn
        turn = Turn(cell, front.agent, NO_PLANS, front.emitter, front.retry, 0)
        turn.interim, turn.ear = True, front.ear
        return turn

    def instance(self, cell: Cell) -> Turn:
        """Another instance, and a turn for it. Raises what the factory raises."""
        return self._spawner.remake(cell)

    def turn_for(self, cell: Cell, agent: Agent) -> Turn:
        """A turn for an instance that is there already."""
        turn = self._spawner.turn(cell, agent)
        agent._choreia_cell = cell
        return turn

    @property
    def lifecycle(self) -> Lifecycle:
        return self._spawner.lifecycle

    @property
    def roster(self) -> Roster:
        return self._spawner.roster

    def stand_in(self, example: Agent, can: dict[str, Any], planner: Planner | None) -> None:
        """Give the front something that stands where its instance would."""
        front = self.front
        front.turn.agent = FrontAgent(front, example, can)
        front.turn.fold = None
        if planner is not None:
            front.turn.planner = planner


def load_timers(nursery: Nursery, mine: Callable[[str], bool]) -> None:
    """What an earlier run has left: they fire whether their members are awake or not."""
    bus, alarms = nursery.engine.bus, nursery.alarms
    if isinstance(bus, LogBus) and alarms is not None and bus.before_run:
        alarms.load(timer for timer in bus.store.timers() if mine(timer.agent))
