"""`ActorSystem`: the front of everything. It owns the parts and delegates to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Literal, cast

from choreia.actors.agent import Agent
from choreia.actors.blocking import check_timeout, forbid_on_loop, refuse_fenced
from choreia.actors.cases import Board
from choreia.actors.ending import Ending
from choreia.actors.guard import SUPERVISOR, Guard
from choreia.actors.handlers import topic_of
from choreia.actors.inspecting.options import InspectionGiven, inspection_of
from choreia.actors.inspecting.serving import serve
from choreia.actors.keeping import Durability, Keeping, StoreGiven, shown_store
from choreia.actors.lifecycle import Lifecycle
from choreia.actors.looking import Looking
from choreia.actors.options import USUAL
from choreia.actors.outside import Outside
from choreia.actors.presence import Presence
from choreia.actors.publishing import Publisher
from choreia.actors.record import Record
from choreia.actors.redelivering import Redeliverer
from choreia.actors.ref import AgentRef
from choreia.actors.registry import Registry
from choreia.actors.requests import refuse_in_turn
from choreia.actors.roster import Roster
from choreia.actors.spawning import Spawner
from choreia.actors.subscriber import FunctionPlanner, Subscriber, Subscription
from choreia.runtime.delivery.cases import KEPT, Cases
from choreia.runtime.delivery.clock import Clock, SystemClock
from choreia.runtime.delivery.deadletter import DeadLetter
from choreia.runtime.delivery.engine import Engine, stopped_error
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.shared import Front
from choreia.runtime.delivery.workers import ThreadDispatcher
from choreia.runtime.errors import ChoreiaError, Deadlock, InvalidAgent
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.keypath import spelled
from choreia.runtime.events.limits import CaseLimits
from choreia.runtime.health.heartbeat import Heartbeat
from choreia.runtime.inspection.frames import Fields
from choreia.runtime.inspection.server import Server
from choreia.runtime.simulation.clock import SimulatedClock
from choreia.runtime.simulation.dispatcher import SimulatedDispatcher
from choreia.runtime.stores.unit import Start

Factory = Callable[[], object]
Mode = Literal["threads", "simulated"]


class ActorSystem(Outside, Looking, Ending):
    """Agents, and the machinery that carries events between them.

    Use it in a ``with`` (coroutine handlers then run on a loop of the system's own) or an
    ``async with`` (they run on the caller's loop). Leaving it drains and stops; leaving it by an
    exception stops at once.

    `node` names this process among others. `workers` is the number of threads that handle events at
    once; more only help handlers that release the interpreter's lock, and blocking ones are
    covered by themselves. `limits` bounds each case, `inherit` names the metadata extensions that
    pass from cause to effect. ``mode="simulated"`` runs one thing at a time, while you wait for it,
    in virtual time, in an order drawn from `seed`: the same seed, the same run. `heartbeat` says
    how agents are watched that do not say it themselves; None: not at all.

    `store` makes the log the truth: the path of a SQLite file, which is made when there is none,
    the URL of a PostgreSQL database, or an `EventStore`. Every event is on disk before anybody sees
    it, and every agent with a name goes on where it stopped, whatever ended the process.
    ``durability="relaxed"`` survives a killed process, but not a power cut. `store_wait`: seconds
    to wait for another process that has the store. `max_lag`: with more unhandled events than that
    before an agent, publishers wait. `max_crashes`: a process may die so often over one event
    before that is a dead letter. `remember`: so many of the last events, deliveries, and cases at
    rest are remembered, to look back at; 0 switches that off, and `case` and `trace` with it.
    `inspect`: serve `choreia top` and the like; True, the path of a socket, or an `Inspection`.
    """

    def __init__(
        self,
        *,
        node: str = "local",
        workers: int = 1,
        limits: CaseLimits | None = None,
        inherit: Sequence[str] = (),
        mode: Mode = "threads",
        seed: int | None = None,
        store: StoreGiven | None = None,
        durability: Durability = "full",
        store_wait: float = 0,
        max_lag: int | None = None,
        max_crashes: int = 5,
        heartbeat: Heartbeat | None = USUAL,
        remember: int = KEPT,
        inspect: InspectionGiven = False,
    ) -> None:
        if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
            raise InvalidAgent(f"workers={workers!r}: give a whole number of threads, 1 or more")
        if limits is not None and not isinstance(limits, CaseLimits):
            raise InvalidAgent(f"limits={limits!r}: give a CaseLimits(hops=…)")
        if not _are_words(inherit):
            raise InvalidAgent(
                f"inherit={inherit!r}: give a tuple of names of extensions, such as ('tenant',)"
            )
        if type(remember) is not int or remember < 0:
            raise InvalidAgent(f"remember={remember!r}: give a whole number of events, 0 or more")
        inspection = inspection_of(inspect)
        random = Random(0 if seed is None and mode == "simulated" else seed)
        self._dispatcher: ThreadDispatcher | SimulatedDispatcher
        clock, self._dispatcher = _pair(mode, workers, random)
        self._engine = Engine(
            clock,
            self._dispatcher,
            node=node,
            limits=limits,
            inherit=inherit,
            random=random,
            cases=Cases(remember) if remember else None,
        )
        self._keeping: Keeping | None = None
        if store is not None:
            self._keeping = Keeping(
                self._engine, store, durability, store_wait, max_lag, max_crashes
            )
        self._roster = Roster(self._engine)
        self._presence = Presence(self._roster.by_id)
        self._lifecycle = Lifecycle(self._roster)
        self._spawner = Spawner(self._roster, self._lifecycle, self._presence)
        self._replacer = self._spawner.replacer
        self._book = self._spawner.book
        self._guard = Guard(self._roster, self._replacer, heartbeat)
        self._lifecycle.on_begin = self._guard.begin
        self._lifecycle.on_end = self._guard.end
        self._lifecycle.on_renewal = self._guard.renew
        if self._keeping is not None:
            self._keeping.serve(self._roster, self._lifecycle)
        if isinstance(self._dispatcher, SimulatedDispatcher):
            self._dispatcher.watchful = self._guard.watchful
            self._dispatcher.hopeful = self._guard.hopeful
        board = Board(self._roster, self._book.records)
        super().__init__(self._engine, Publisher(self._roster), board)
        self._redeliverer = Redeliverer(self._roster)
        self._stopping = Gate()
        self._stopped = Gate()
        self._spawner.spawn(lambda: Registry(self._presence), "registry", "system", {})
        self._spawner.spawn(self._guard.supervisor, SUPERVISOR, "system", {})
        self._server: Server | None = None
        if inspection is not None:
            facts: Fields = {"mode": mode, "workers": workers, "store": shown_store(store)}
            self._server = serve(
                self, inspection, self._roster, self._presence, self._guard, board, facts
            )

    # -- agents ---------------------------------------------------------------------------

    def spawn(self, factory: Factory, *, name: str | None = None, **options: Any) -> AgentRef[Any]:
        """Start an agent: `factory` is its class, or a function without arguments that makes it.

        `name` is one topic segment; by default the class's name in kebab-case. Options:
        `mailbox` (capacity, items), `overflow`, `threaded`, `retry`, `conflate_key`, `max_outbox`,
        `heartbeat`, `restart`, and with a store `durable`, `start`, `max_lag`; class attributes
        give their defaults. `key` (a path into the event), `sleep_after` and `awake` make a keyed
        agent, an instance for each value; `group` (its name) and `count` so many instances, each
        event for one of them. Raises `InvalidAgent`, `DuplicateName`, `SystemStopped`, and whatever
        the factory raises.
        """
        refuse_fenced("system.spawn")
        if self._engine.refusing:
            raise stopped_error()
        return self._spawner.spawn(factory, name, "agent", options)

    def ref(self, name: str, *, key: str | int | None = None) -> AgentRef[Any]:
        """The ref of the agent of that name, or, with `key`, of one instance of a keyed agent.

        Raises `UnknownAgent`."""
        full = name if key is None else f"{name}:{spelled(str(key))}"
        return _record(self._roster.cell(full)).ref

    def kill(self, name: str) -> None:
        """Stop an agent without waiting; what it has not handled becomes dead letters."""
        refuse_fenced("system.kill")
        for cell in self._roster.parts(name):
            kill = partial(self._lifecycle.kill, cell)
            cell.post(kill, first=True)
            self._replacer.insist(cell, kill)

    def restart(self, name: str) -> None:
        """Have another instance of an agent take its place, without waiting for it.

        Its name, ref, mailbox, subscriptions and timers stay; its factory is called again. A
        handler that has the thread gets a second to end, unless the agent is suspected; one that
        awaits, or waits for a retry or for room, is broken off at once. The event in hand is then a
        dead letter (``reason="stuck"``), and whatever the old instance still asks for raises
        `Fenced`. Raises `UnknownAgent`.
        """
        refuse_fenced("system.restart")
        for cell in self._roster.parts(name):
            if not isinstance(cell, Front):
                suspected = self._guard.suspects(cell)
                self._replacer.restart(cell, "requested", at_once=suspected, automatic=False)

    def pause(self, name: str) -> None:
        """Have an agent handle no more events until it is resumed; they wait in its mailbox."""
        refuse_fenced("system.pause")
        for cell in self._roster.parts(name, paused=True):
            cell.post(partial(self._lifecycle.pause, cell))

    def resume(self, name: str) -> None:
        refuse_fenced("system.resume")
        for cell in self._roster.parts(name, paused=False):
            cell.post(partial(self._lifecycle.resume, cell))

    def subscribe(
        self,
        topic: str | type,
        handler: Callable[..., object],
        filter: Mapping[str, object] | Filter | None = None,
        *,
        name: str | None = None,
        mailbox: int = 1_000,
        overflow: str = "park",
        passive: bool = False,
        durable: bool | None = None,
        start: Start = "now",
    ) -> Subscription:
        """Call `handler` (plain or async) with each event that `topic` and `filter` let through.

        It runs in the turns of a small agent with its own mailbox. `passive` marks an observer.
        With a store, one that has a `name` goes on where it stopped, as an agent does.
        """
        refuse_fenced("system.subscribe")
        if self._engine.refusing:
            raise stopped_error()
        if isinstance(handler, type) and issubclass(handler, Agent):
            what = handler.__name__
            raise InvalidAgent(f"{what} is an agent, not a function: system.spawn({what})")
        if not callable(handler):
            raise InvalidAgent(f"subscribe needs a function of an event, not {handler!r}")
        declared = topic_of(topic, filter)
        if declared.templated:
            raise InvalidAgent(f"topic {topic!r}: only an agent's @on can name attributes")
        planner = FunctionPlanner(handler, declared)
        ref = self._spawner.spawn(
            lambda: Subscriber(planner, passive=passive),
            name or f"subscription-{self._roster.next_number()}",
            "subscription",
            {"mailbox": mailbox, "overflow": overflow, "durable": durable, "start": start},
            named=name is not None and overflow == "park",
        )
        table = self._engine.bus.table
        (entry,) = _record(self._roster.cell(ref.name)).subscriptions
        return Subscription(ref, lambda: table.remove(entry))

    # -- dead letters ---------------------------------------------------------------------

    def redeliver(self, letter: DeadLetter, *, timeout: float | None = None) -> None:
        """Give a dead letter's event to its agent again, and to nobody else.

        What its handler already did (`once`, early emissions) is not done twice. Blocks while the
        agent's mailbox is full, for `timeout` seconds at most. Raises `UnknownAgent` when the agent
        is gone, `MailboxFull` when it rejects or has no room in time, `ChoreiaError` when this is
        no longer a dead letter; then it stays one.
        """
        check_timeout(timeout)
        self._redeliverer.redeliver(letter, timeout)

    async def redeliver_async(self, letter: DeadLetter) -> None:
        """`redeliver`, awaiting room instead of blocking for it."""
        await self._redeliverer.redeliver_async(letter)

    # -- time -----------------------------------------------------------------------------

    def wait_idle(self, timeout: float | None = None) -> None:
        """Block until nothing is in flight: queued, running, awaiting, parked, backing off.

        Future timers do not count. Raises `IdleTimeout` (a `TimeoutError`), which names what is
        in flight, after `timeout` seconds; under simulation without one, `Deadlock` when it can
        never be.
        """
        refuse_in_turn("wait_idle")
        check_timeout(timeout)
        forbid_on_loop("wait_idle", "await system.wait_idle_async(…)")
        try:
            idle = self._dispatcher.wait(self._engine.when_idle(), timeout)
        except Deadlock as error:
            raise self._engine.never_idle(self._roster.all()) from error
        if not idle:
            raise self._engine.idle_timeout(timeout, self._roster.all())

    async def wait_idle_async(self, timeout: float | None = None) -> None:
        """`wait_idle`, awaiting."""
        refuse_in_turn("wait_idle_async")
        check_timeout(timeout)
        try:
            idle = await self._dispatcher.wait_async(self._engine.when_idle(), timeout)
        except Deadlock as error:
            raise self._engine.never_idle(self._roster.all()) from error
        if not idle:
            raise self._engine.idle_timeout(timeout, self._roster.all())

    def advance(self, seconds: float) -> None:
        """Under simulation: let `seconds` pass, and all that is due meanwhile happen."""
        if not isinstance(self._dispatcher, SimulatedDispatcher):
            raise ChoreiaError('advance() needs virtual time: ActorSystem(mode="simulated")')
        self._dispatcher.advance(seconds)


def _pair(
    mode: str, workers: int, random: Random
) -> tuple[Clock, ThreadDispatcher | SimulatedDispatcher]:
    if mode == "threads":
        return SystemClock(), ThreadDispatcher(workers)
    if mode == "simulated":
        clock = SimulatedClock()
        return clock, SimulatedDispatcher(clock, random)
    raise InvalidAgent(f'mode={mode!r}: choose "threads" or "simulated"')


def _are_words(names: object) -> bool:
    if not isinstance(names, (tuple, list, set, frozenset)):
        return False
    return all(isinstance(name, str) for name in cast("Sequence[object]", names))


def _record(cell: Any) -> Record:
    record: Record = cell.owner
    return record
