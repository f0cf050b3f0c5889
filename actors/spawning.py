"""Starting an agent: from a factory to a cell with subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from choreia.actors.agent import Agent
from choreia.actors.birth import deliver_one
from choreia.actors.ear import Ear
from choreia.actors.families import family_options
from choreia.actors.founding import found_family
from choreia.actors.handlers import HandlerPlanner
from choreia.actors.interests import keep_interest_now
from choreia.actors.lifecycle import Lifecycle, abilities
from choreia.actors.options import Options
from choreia.actors.presence import Presence
from choreia.actors.record import Record
from choreia.actors.ref import AgentRef
from choreia.actors.replacing import Replacer
from choreia.actors.roster import Roster
from choreia.actors.sagas.book import CaseBook
from choreia.actors.sagas.emitting import SagaEmitter
from choreia.actors.sagas.participant import SagaParticipant
from choreia.actors.sagas.turn import SagaTurn, participating
from choreia.actors.sagas.waking import wake_waiting
from choreia.actors.seating import ask_for_seat, seat
from choreia.actors.sourced import fold_for
from choreia.actors.subscriber import Subscriber
from choreia.runtime.delivery.behaviour import Planner
from choreia.runtime.delivery.bus import Target
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.emission import Emitter
from choreia.runtime.delivery.feed import MemoryFeed
from choreia.runtime.delivery.overflow import queue_for
from choreia.runtime.delivery.shared import Front
from choreia.runtime.delivery.subscription import Subscription
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.durable.ledger import Ledger
from choreia.runtime.durable.members.turn import MemberTurn
from choreia.runtime.durable.turn import DurableTurn
from choreia.runtime.errors import InvalidAgent
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.identity import agent_did, check_name, kebab


class Spawner:
    """Makes the agents of one system."""

    def __init__(self, roster: Roster, lifecycle: Lifecycle, presence: Presence) -> None:
        self.roster = roster
        self._engine = roster.engine
        self.lifecycle = lifecycle
        self._presence = presence
        self.replacer = Replacer(lifecycle, self.remake)
        bus = self._engine.bus
        records = bus.store.records if isinstance(bus, LogBus) else None
        self.book = CaseBook(records, left=tuple if records is None else records)
        """What participants of sagas know of their cases."""

    def spawn(
        self,
        factory: Callable[[], object],
        name: str | None,
        kind: str,
        keywords: dict[str, object],
        *,
        named: bool = True,
    ) -> AgentRef[Any]:
        """Make an agent, subscribe it, and start it. `named`: it was given its name by the user,
        who means the same agent the next time."""
        if not callable(factory):
            what = "an agent that exists already" if isinstance(factory, Agent) else repr(factory)
            raise InvalidAgent(
                f"spawn was given {what}: give it the class, or a function without arguments that "
                "makes one, such as lambda: Inventory(stock). It is called again for a restart"
            )
        taken: list[Cell] = []

        def place(agent: Agent) -> None:
            taken.append(self._place(agent, factory, name, kind, keywords, named))

        try:
            agent = deliver_one(factory, place)
            self._check(agent, factory, taken)
            cell = taken[0]
            self._engine.bus.end_with(type(cast("Agent", agent))._choreia_terminal)
            can = abilities(cast("Agent", agent))  # raises for what it set in its __init__
            if self._engine.cases is not None:
                cast("Record", cell.owner).since = self._engine.cases.last()
            self._subscribe(cell, cast("Agent", agent))
            family = cast("Record", cell.owner).family
            if family is not None:
                family.settle(cast("Agent", agent), can)
            if isinstance(agent, SagaParticipant):
                wake_waiting(self.book, self._engine)
            self.roster.add(cell)
        except BaseException:
            for cell in taken:
                self.lifecycle.undo(cell)
            raise
        ask_for_seat(cell)
        if family is None:
            self.lifecycle.begin(cell)
        else:
            family.begin()
        return cast("Record", cell.owner).ref

    def _check(self, agent: object, factory: object, taken: list[Cell]) -> None:
        if not isinstance(agent, Agent):
            raise InvalidAgent(
                f"the factory {factory!r} made a {type(agent).__name__}, which is no Agent"
            )
        if not taken and not hasattr(agent, "_choreia_cell"):
            raise InvalidAgent(
                f"{type(agent).__name__}.__init__ does not call super().__init__(): it must, first"
            )
        if not taken or taken[0].turn.agent is not agent:
            raise InvalidAgent(
                f"the factory {factory!r} did not make a new {type(agent).__name__}: it must make "
                "one each time it is called, and return the first it makes"
            )

    def _place(
        self,
        agent: Agent,
        factory: Callable[[], object],
        name: str | None,
        kind: str,
        keywords: dict[str, object],
        named: bool,
    ) -> Cell:
        """Called from `Agent.__init__`: from here on the agent knows who it is."""
        engine, cls = self._engine, type(agent)
        options = Options.of(cls, keywords) if keywords else _default_options(cls)
        shared = family_options(options, cls, name)
        name = options.group if name is None else name
        name = kebab(cls.__name__) if name is None else check_name(name)
        self.roster.reserve(name)
        cell = (Front if shared else Cell)(
            engine,
            self.roster.next_number(),
            name,
            agent_did(engine.node, name),
            kind,
            options.mailbox,
        )
        ref: AgentRef[Any] = AgentRef(cell)
        cell.holding = kind != "system" and not agent.passive
        cell.owner = Record(factory, options, self._presence, ref)
        if isinstance(cell, Front):
            found_family(self, cell)
        elif isinstance(engine.bus, LogBus):
            seat(cell, engine.bus, options, named=kind == "agent" or named)
        else:
            cell.feed = MemoryFeed(cell, options.overflow)
        box = cell.mailbox
        box.items = queue_for(options.overflow, options.conflate_key, box.lock)
        if options.threaded:
            cell.schedule = engine.dispatcher.dedicated(name)
        cell.turn = self.turn(cell, agent)
        agent._choreia_cell = cell
        return cell

    def turn(self, cell: Cell, agent: Agent) -> Turn:
        """A turn of `cell` for `agent`. Some planners can only be made when it is complete."""
        cls, engine = type(agent), self._engine
        options = cast("Record", cell.owner).options
        planner: Planner = cls._choreia_planner or HandlerPlanner(())
        if isinstance(agent, Subscriber):
            planner = agent.planner
        emitter = Emitter(cell.id, cls._choreia_declaration, engine.ids, engine.inherit)
        kind = Turn if cell.ledger is None else DurableTurn
        if cell.ledger is not None and cast("Record", cell.owner).family is not None:
            kind = MemberTurn
        if isinstance(agent, SagaParticipant):
            kind, emitter = participating(kind), SagaEmitter(emitter)
        turn = kind(cell, agent, planner, emitter, options.retry, options.max_outbox)
        if isinstance(turn, SagaTurn) and isinstance(agent, SagaParticipant):
            turn.book, turn.saga = self.book, agent._choreia_saga
        turn.ear = Ear(turn, self.replacer)
        turn.fold = fold_for(agent)
        if turn.fold is not None and cell.ledger is not None:
            cast("Ledger", cell.ledger).alarms.sourced = True
        return turn

    def remake(self, cell: Cell) -> Turn:
        """Another instance for `cell`. Raises what its factory raises, and `InvalidAgent`."""
        taken: list[Turn] = []

        def place(agent: Agent) -> None:
            taken.append(self.turn(cell, agent))
            agent._choreia_cell = cell

        factory = cast("Record", cell.owner).factory
        agent = deliver_one(factory, place)
        if not taken or taken[0].agent is not agent or not isinstance(agent, Agent):
            raise InvalidAgent(
                f"the factory {factory!r} did not make a new agent when it was called again: it "
                "must make one each time, and return the first it makes"
            )
        abilities(agent)
        self._resubscribe(cell, taken[0], agent)
        return taken[0]

    def _resubscribe(self, cell: Cell, turn: Turn, agent: Agent) -> None:
        """Topics that name attributes may be others for another instance, as may its class."""
        if cell.kind == "subscription":
            return
        if cell.kind == "member":  # the family's front has subscribed
            turn.planner = type(agent)._choreia_planner or HandlerPlanner.of(
                type(agent)._choreia_handlers, agent
            )
            return
        cls = type(agent)
        planner = cls._choreia_planner or HandlerPlanner.of(cls._choreia_handlers, agent)
        turn.planner = planner
        record, table = cast("Record", cell.owner), self._engine.bus.table
        wanted = _subscriptions(cell, planner)
        had = record.subscriptions
        if [entry.pattern for entry in had] == [entry.pattern for entry in wanted]:
            return
        record.subscriptions = wanted
        for entry in wanted:
            table.add(entry)
        for entry in had:
            table.remove(entry)
        keep_interest_now(cell, agent)

    def _subscribe(self, cell: Cell, agent: Agent) -> None:
        if isinstance(agent, Subscriber):
            topic = agent.planner.topic
            entry = Subscription(topic.pattern(None), topic.filter, cast("Target", cell))
            cast("Record", cell.owner).subscriptions = (entry,)
            self._engine.bus.table.add(entry)
            return
        cls = type(agent)
        planner = cls._choreia_planner
        if planner is None:  # topics that name attributes, which are set by now
            planner = HandlerPlanner.of(cls._choreia_handlers, agent)
            cell.turn.planner = planner
        cast("Record", cell.owner).subscriptions = entries = _subscriptions(cell, planner)
        for entry in entries:
            self._engine.bus.table.add(entry)


def _subscriptions(cell: Cell, planner: HandlerPlanner) -> tuple[Subscription[Target], ...]:
    return tuple(
        Subscription(pattern, _own(cell) if topic.own else topic.filter, cell)
        for binding in planner.bindings
        for pattern, topic in zip(binding.patterns, binding.spec.topics, strict=True)
    )


def _own(cell: Cell) -> Filter:
    """Lets through what is meant for this agent alone."""
    return Filter({"payload.for": cell.name})


_defaults: dict[type, Options] = {}


def _default_options(cls: type) -> Options:
    # By class: 10,000 agents of one class share their options. Classes checked them when defined.
    options = _defaults.get(cls)
    if options is None:
        options = _defaults[cls] = Options.of(cls, {})
    return options
