"""`Agent`: the class that users derive from.

An agent reacts to events and emits events; nobody directs it. See `on` for handlers,
`ActorSystem.spawn` for starting one, and the README for the whole in fifteen lines.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from choreia.actors.awaiting import await_outside
from choreia.actors.base import Actor
from choreia.actors.birth import attend
from choreia.actors.blocking import forbid_on_loop
from choreia.actors.handlers import HandlerPlanner, HandlerSpec, handlers_of, refuse_steps, topic_of
from choreia.actors.once import call_once
from choreia.actors.options import Options, check_exclusive, check_words, declared_abilities
from choreia.actors.sending import send_early, send_early_async
from choreia.actors.spending import spend
from choreia.actors.timers import cancel_timer, set_alarm, set_timer
from choreia.runtime.delivery.emission import Declaration
from choreia.runtime.delivery.steps import Kind
from choreia.runtime.errors import InvalidAgent, OutsideTurn
from choreia.runtime.events.event import Event
from choreia.runtime.events.payload import EMPTY, FrozenDict
from choreia.runtime.events.topic import TopicPattern

if TYPE_CHECKING:
    from choreia.actors.info import AgentInfo
    from choreia.actors.record import Record
    from choreia.actors.ref import AgentRef
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.clock import Clock
    from choreia.runtime.delivery.turn import Turn

T = TypeVar("T")

HOOKS = frozenset({"on_start", "on_stop", "on_receive", "on_failure"})
_GENERATORS = (Kind.GENERATOR, Kind.ASYNC_GENERATOR)
SETTINGS = frozenset(
    {"capabilities", "exclusive", "specializations", "capacity"}
    | {"emits", "terminal", "external", "passive"}
    | {"mailbox", "overflow", "threaded", "retry", "conflate_key", "max_outbox"}
    | {"heartbeat", "restart", "durable", "max_lag", "key", "sleep_after", "awake"}
)


class Agent(Actor):
    """Derive from it, mark methods with `@on`, and give the class to `ActorSystem.spawn`.

    Class attributes describe the agent: `capabilities` and `specializations` (words that `find`
    goes by), `capacity` (events at once it is good for), `emits` (the types it may emit, or
    patterns; enforced when declared), `terminal` (types that end a case), `external` (types that
    come from outside, or are for somebody outside), `passive` (it only looks on: what is on its way
    to it holds no case open); and give defaults for `spawn`: `mailbox`,
    `overflow`, `threaded`, `retry`, `conflate_key`, `max_outbox`, `heartbeat`, `restart`, and, with
    a store, `durable`, `max_lag`. `key` makes it a keyed agent: an instance for each value that
    stands at that path of an event, awake while it has something to do (`sleep_after`, `awake`).
    `exclusive` names those of its `capabilities` that no other agent is to have (`choreia check`).
    """

    __slots__ = ()

    capabilities: ClassVar[tuple[str, ...]] = ()
    exclusive: ClassVar[tuple[str, ...]] = ()
    specializations: ClassVar[tuple[str, ...]] = ()
    capacity: ClassVar[int] = 1
    emits: ClassVar[tuple[str | type, ...] | None] = None
    terminal: ClassVar[tuple[str | type, ...]] = ()
    external: ClassVar[tuple[str | type, ...]] = ()
    passive: ClassVar[bool] = False
    key: ClassVar[str | None] = None

    _choreia_abilities: ClassVar[FrozenDict] = EMPTY
    _choreia_handlers: ClassVar[tuple[HandlerSpec, ...]] = ()
    _choreia_declaration: ClassVar[Declaration] = Declaration("Agent")
    _choreia_terminal: ClassVar[tuple[TopicPattern, ...]] = ()
    _choreia_external: ClassVar[tuple[TopicPattern, ...]] = ()
    _choreia_planner: ClassVar[HandlerPlanner | None] = HandlerPlanner(())
    """The handlers by type; None when topics name attributes, so each agent has its own."""

    def __init__(self) -> None:
        attend(self)

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        _refuse_own_names(cls)
        _check_hooks(cls)
        cls._choreia_abilities = declared_abilities(cls)
        check_exclusive(cls.__name__, cls.exclusive, cls.capabilities)
        Options.of(cls, {})
        specs = cls._choreia_handlers = cls._choreia_specs()
        cls._choreia_declaration = _declaration(cls)
        cls._choreia_terminal = _patterns(cls, "terminal")
        cls._choreia_external = _patterns(cls, "external")
        templated = any(topic.templated for spec in specs for topic in spec.topics)
        cls._choreia_planner = None if templated else HandlerPlanner.of(specs, cls)

    @classmethod
    def _choreia_specs(cls) -> tuple[HandlerSpec, ...]:
        """The handlers of the class."""
        specs = handlers_of(cls)
        if not hasattr(cls, "_choreia_saga"):
            refuse_steps(cls, specs)
        return specs

    @classmethod
    def _choreia_more(cls) -> tuple[str, ...]:
        """What it may emit besides what it declares."""
        return ()

    # -- hooks: override them -------------------------------------------------------------

    def on_start(self) -> Any:
        """Called in the agent's first turn, before any event. May be `async def`; may emit."""

    def on_stop(self) -> Any:
        """Called in its last turn, when it is stopped in order. May be `async def`; may emit."""

    # -- who am I, and what have I in hand --------------------------------------------------

    @property
    def name(self) -> str:
        """The agent's name, one segment of a topic."""
        return cell_of(self, "name").name

    @property
    def id(self) -> str:
        """Its DID, which is the `source` of what it emits."""
        return cell_of(self, "id").id

    @property
    def my_key(self) -> str:
        """The key that this instance of a keyed agent is there for."""
        key = record_of(self, "my_key").key
        if key is None:
            raise InvalidAgent(f"{type(self).__name__}.my_key: it is no keyed agent")
        return key

    @property
    def event(self) -> Event | None:
        """The event in hand; None outside handlers."""
        return turn_of(self, "event").event

    @property
    def log(self) -> logging.Logger:
        """The logger ``choreia.agent.<name>``; members of a family share one."""
        return logging.getLogger(f"choreia.agent.{self.name.partition(':')[0]}")

    @property
    def clock(self) -> Clock:
        """The system's clock: `now()` (Unix seconds) and `monotonic()`."""
        return cell_of(self, "clock").engine.clock

    @property
    def actor_ref(self) -> AgentRef[Any]:
        """The ref, to give to others, or to ask for oneself later."""
        try:
            ref: AgentRef[Any] = self._choreia_cell.owner.ref  # type: ignore[union-attr]
        except AttributeError:
            return record_of(self, "actor_ref").ref  # raises, and says why
        return ref

    @property
    def actor_urn(self) -> str:  # type: ignore[override]
        return self.actor_ref.actor_urn

    @property
    def actor_inbox(self) -> Any:  # type: ignore[override]
        return self.actor_ref.actor_inbox

    @property
    def actor_stopped(self) -> Any:  # type: ignore[override]
        return self.actor_ref.actor_stopped

    # -- what an agent can do -------------------------------------------------------------

    def emit(self, type: object, payload: object = None) -> Event:
        """Say that something happened. It leaves when the handler returns, or not at all.

        Give a type and a payload (a mapping), or an instance of an ``@event_type`` class. Cause
        and correlation are set by the runtime. Raises `UndeclaredEvent`, `InvalidType`,
        `InvalidPayload`, `OutboxFull`.
        """
        try:
            turn = self._choreia_cell.turn  # type: ignore[union-attr]
        except AttributeError:
            turn = turn_of(self, "emit")  # raises, and says why
        return turn.emit(type, payload)

    def emit_now(self, type: object, payload: object = None) -> Event:
        """Say it at once, whatever becomes of the handler: acknowledgements, progress.

        A retry that says the same again is not heard twice. Blocks while a receiver's mailbox is
        full; in coroutines use `emit_now_async`.
        """
        forbid_on_loop("emit_now", "await self.emit_now_async(…)")
        return send_early(turn_of(self, "emit_now"), type, payload)

    async def emit_now_async(self, type: object, payload: object = None) -> Event:
        """`emit_now` for coroutines."""
        return await send_early_async(turn_of(self, "emit_now_async"), type, payload)

    def after(
        self, seconds: float, type: object, payload: object = None, *, key: str | None = None
    ) -> str:
        """Emit an event `seconds` from now, once the handler has returned.

        Returns the key to `cancel` it by. A timer with the same `key` replaces the earlier one.
        """
        return set_timer(
            turn_of(self, "after"), record_of(self, "after"), seconds, type, payload, key
        )

    def at(
        self,
        when: datetime | float,
        type: object,
        payload: object = None,
        *,
        key: str | None = None,
    ) -> str:
        """Emit an event at a time: a datetime with a time zone, or Unix seconds. As `after`."""
        return set_alarm(turn_of(self, "at"), record_of(self, "at"), when, type, payload, key)

    def cancel(self, key: str) -> None:
        """Cancel the timer of that key, once the handler has returned. Unknown keys do nothing."""
        cancel_timer(turn_of(self, "cancel"), record_of(self, "cancel"), key)

    def alive(self) -> None:
        """Give a sign of life, in a handler that takes long: it is not stuck.

        `emit_now` and `yield` are signs of life too. Raises `Fenced` when it comes too late, and
        another instance has taken this one's place.
        """
        turn = turn_of(self, "alive")
        turn.check("alive")
        turn.live()

    def find(self, capability: str, *, busy: bool = False) -> list[AgentInfo]:
        """The agents that are online with that capability and room for more, least loaded first.

        With `busy` also those that have no room now.
        """
        return record_of(self, "find").presence.find(capability, busy=busy)

    def once(self, name: str, fn: Callable[..., T], *args: object) -> T:
        """The result of ``fn(*args)``, called once for this event however often it is tried.

        `name` tells several calls in one handler apart. A coroutine function gives an awaitable.
        With a store the result is on disk before this returns, so that a restart does not call
        again; it must be JSON then, or `InvalidPayload` is raised.
        """
        return cast("T", call_once(turn_of(self, "once"), name, fn, args))

    def awaits(self, *topics: str | type) -> None:
        """Say that the case goes on when somebody outside says one of these: an approval, a veto.

        It holds the case open until one such event comes, for as long as that takes; set a timer
        beside it for when none does. Raises `InvalidAgent`, `InvalidPattern`.
        """
        await_outside(turn_of(self, "awaits"), topics)

    def spend(self, *, usd: float) -> None:
        """Say that handling this event has cost so much: it counts for the case's `CaseLimits`.

        At once, whatever becomes of the handler, and once for each event and call: the second call
        of another attempt is the second call of the first. Raises `InvalidLimit`.
        """
        spend(turn_of(self, "spend"), usd)

    def stop(self) -> None:
        """Stop when what is already in the mailbox has been handled."""
        turn = cell_of(self, "stop").turn
        if turn.fenced:
            raise turn.fenced_error("stop")
        self.actor_ref.stop(block=False)


def cell_of(agent: Actor, what: str) -> Cell:
    # Functions, not methods: an agent's attributes are the user's, `_turn` and `_cell` too.
    try:
        cell = agent._choreia_cell
    except AttributeError:
        raise InvalidAgent(
            f"{type(agent).__name__}.{what}: call super().__init__() first in __init__"
        ) from None
    if cell is None:
        raise OutsideTurn(
            f"{type(agent).__name__}.{what}: this agent is in no system; start it with system.spawn"
        )
    return cell


def turn_of(agent: Actor, what: str) -> Turn:
    turn: Turn = cell_of(agent, what).turn
    if turn.agent is not agent:  # it is being made, and takes another's place when it is complete
        raise OutsideTurn(f"{type(agent).__name__}.{what} was called outside its turn")
    return turn


def record_of(agent: Actor, what: str) -> Record:
    record: Record = cell_of(agent, what).owner
    return record


def _refuse_own_names(cls: type) -> None:
    own = {
        name
        for base in Agent.__mro__
        if base is not object
        for name in vars(base)
        if not name.startswith("_") and name not in HOOKS | SETTINGS
    }
    # A mixin before Agent hides Agent's names just as the class itself does.
    for base in cls.__mro__[: cls.__mro__.index(Agent)]:
        for name in vars(base):
            if name in own:
                raise InvalidAgent(
                    f"{base.__name__}.{name}: this name is Agent's own, and redefining it would "
                    "break the agent; call yours something else"
                )


def _check_hooks(cls: type) -> None:
    for name, value in vars(cls).items():
        if name not in HOOKS:
            continue
        if not callable(value):
            raise InvalidAgent(f"{cls.__name__}.{name} must be a method")
        if name in ("on_start", "on_stop") and Kind.of(value) in _GENERATORS:
            raise InvalidAgent(
                f"{cls.__name__}.{name} is a generator, which nobody would run: write self.emit(…) "
                "where it yields"
            )


def _declaration(cls: type[Agent]) -> Declaration:
    if cls.emits is None:
        return Declaration(cls.__name__)
    more = tuple(TopicPattern(type) for type in cls._choreia_more())
    return Declaration(cls.__name__, (*_patterns(cls, "emits"), *more))


def _patterns(cls: type[Agent], attribute: str) -> tuple[TopicPattern, ...]:
    """The patterns that a class declares there."""
    declared: object = getattr(cls, attribute)
    if isinstance(declared, str) or not isinstance(declared, Iterable):
        check_words(attribute, declared)
        return ()
    return tuple(
        topic_of(topic, None).pattern(cls) if isinstance(topic, type) else TopicPattern(topic)
        for topic in cast("Iterable[str | type]", declared)
    )


class _Own(property):
    """A property that says why it cannot be set. (For type checkers it stays a property.)"""

    def __set__(self, agent: object, value: object) -> None:
        name = self.fget.__name__ if self.fget else "this"
        raise InvalidAgent(
            f"{type(agent).__name__}.{name} is Agent's own and cannot be set: call yours something "
            "else (an agent's name is given to system.spawn(…, name=…))"
        )


for _name in ("name", "id", "event", "log", "clock"):
    setattr(Agent, _name, _Own(vars(Agent)[_name].fget))
