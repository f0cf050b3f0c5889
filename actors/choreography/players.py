"""Who takes part: a system's agents, and functions that listen, as plain data."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import FunctionType
from typing import TYPE_CHECKING, Protocol, cast

from choreia.actors.agent import HOOKS, Agent
from choreia.actors.choreography.sayings import open_pattern, refused, sayings
from choreia.actors.choreography.source import Function, Sources, place_of
from choreia.actors.choreography.speech import Speaker, Speech, payload_of
from choreia.actors.every import schedules_of
from choreia.actors.families import FrontAgent
from choreia.actors.groups import Group
from choreia.actors.handlers import Topic
from choreia.actors.sourced import EventSourcedAgent
from choreia.actors.system import ActorSystem
from choreia.actors.testing.own import RUNTIME_EVENTS
from choreia.runtime.delivery.shared import Front
from choreia.runtime.errors import InvalidAgent
from choreia.runtime.events.payload import Json
from choreia.runtime.events.schema import class_of, type_of
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.events.upcasting import upcast_version
from choreia.runtime.insight.choreography import (
    UNDOING,
    Ask,
    Choreography,
    Mark,
    Payload,
    Player,
    Reaction,
    Saying,
)

if TYPE_CHECKING:
    from choreia.actors.record import Record
    from choreia.actors.subscriber import Subscriber
    from choreia.runtime.delivery.cell import Cell


class _Step(Protocol):
    """What marks a step of a saga, or a join (`__choreia_saga__`)."""

    @property
    def kind(self) -> str: ...
    @property
    def emits(self) -> tuple[str, ...]: ...
    @property
    def fails(self) -> str | None: ...
    @property
    def compensate(self) -> str | None: ...
    @property
    def deadline(self) -> float | None: ...
    @property
    def within(self) -> float | None: ...
    @property
    def expired(self) -> str | None: ...
    @property
    def awaits(self) -> tuple[str, ...]: ...


def choreography_of(system: ActorSystem, name: str = "") -> Choreography:
    """What the agents of a system declare, and what their source says. Asks and starts nobody."""
    casting = _Casting()
    cells = [cell for cell in system._roster.all() if cell.kind in ("agent", "subscription")]
    players = tuple(casting.player(cell) for cell in sorted(cells, key=lambda cell: cell.name))
    payloads, lifts = _versions(players)
    return Choreography(name, players, payloads, lifts, tuple(sorted(RUNTIME_EVENTS)))


class _Casting:
    """Agents of one class share what is read off it."""

    def __init__(self) -> None:
        self._sources = Sources()
        self._roles: dict[type[Agent], _Role] = {}

    def player(self, cell: Cell) -> Player:
        agent = cast("Agent", cell.turn.agent)
        if cell.kind != "agent":
            return _listener(cell)
        cls = agent.stands_for if isinstance(agent, FrontAgent) else type(agent)
        role = self._roles.get(cls)
        if role is None:
            role = self._roles[cls] = _Role(cls, self._sources)
        return role.player(cell, None if isinstance(cell, Front) else agent)


class _Role:
    """What a class of agents does, whoever plays it."""

    def __init__(self, cls: type[Agent], sources: Sources) -> None:
        self.cls = cls
        self.place = sources.place(cls)
        speaker = Speaker(cls, sources)
        self._undoing = list(_undoing(cls, speaker))
        undoing = {name for name, _ in self._undoing}
        self._handlers = [
            (spec, Speech() if _of_the_saga(spec.function) else speaker.whole(spec.function))
            for spec in cls._choreia_handlers
            if spec.name not in undoing
        ]
        named = {spec.name for spec in cls._choreia_handlers} | undoing
        methods = _methods(cls)
        hooks = {name: one for name, one in methods.items() if name in HOOKS}
        begun = [*self._handlers, *self._undoing]
        heard = {function for _, speech in begun for function in _called(speech)}
        rest = {
            name: (one, speaker.whole(one)) for name, one in methods.items() if name not in named
        }
        called = heard | {function for _, speech in rest.values() for function in _called(speech)}
        self._entries = [
            (name, *rest[name])
            for name in rest
            if name in hooks or (not name.startswith("_") and methods[name] not in called)
        ]
        reached = heard | {each for _, _, speech in self._entries for each in _called(speech)}
        reached |= {function for _, function, _ in self._entries}
        self._unheard = [
            said for one, speech in rest.values() if one not in reached for said in speech.says
        ]
        self._terminal = tuple(map(str, cls._choreia_terminal))
        self._external = tuple(map(str, cls._choreia_external))
        self._plain: tuple[Reaction, ...] | None = None
        templated = cls._choreia_planner is None
        self._said = [said for _, speech in begun for said in speech.says] + self._unheard
        self._said += [said for _, _, speech in self._entries for said in speech.says]
        self._alike = not templated and all(isinstance(said.type, str) for said in self._said)
        """Whether what it hears and says is the same whoever plays it."""

    def player(self, cell: Cell, agent: Agent | None) -> Player:
        cls = self.cls
        declared = cls._choreia_declaration.patterns
        family = cast("Record", cell.owner).family
        return Player(
            name=cell.name,
            cls=cls.__name__,
            place=self.place,
            reactions=self._reactions(cell.name, agent),
            emits=None if declared is None else _without_own(declared),
            unheard=sayings(self._unheard, cell.name, agent),
            refused=refused(self._said, cell.name, agent),
            passive=cls.passive,
            terminal=self._terminal,
            external=self._external,
            keeps=_kept(cls),
            key=cls.key,
            group=isinstance(family, Group),
            capabilities=tuple(cls.capabilities),
            exclusive=tuple(cls.exclusive),
        )

    def _reactions(self, name: str, agent: Agent | None) -> tuple[Reaction, ...]:
        if self._plain is not None:
            return self._plain
        scheduled = schedules_of(self.cls)
        reactions = [
            Reaction(
                spec.name,
                tuple(_ask(topic, agent) for topic in spec.topics),
                sayings(speech.says, name, agent) + _of_mark(_mark(spec.function)),
                place_of(spec.function),
                speech.open,
                mark=_declared_mark(self.cls, spec.function),
                begins=spec.name in scheduled,
                awaits=_awaited(speech, spec.function),
            )
            for spec, speech in self._handlers
        ]
        undone: tuple[TopicPattern, ...] = getattr(self.cls, "_choreia_compensate_on", ())
        reactions += [
            Reaction(
                method,
                tuple(Ask(str(pattern)) for pattern in undone),
                sayings(speech.says, name, agent),
                place_of(getattr(self.cls, method)),
                speech.open,
                mark=Mark(UNDOING),
            )
            for method, speech in self._undoing
        ]
        reactions += [
            Reaction(
                method,
                (),
                sayings(speech.says, name, agent),
                place_of(function),
                speech.open,
                begins=True,
            )
            for method, function, speech in self._entries
            if speech.says or speech.open
        ]
        whole = tuple(reactions)
        if self._alike:
            self._plain = whole
        return whole


# -- asks -----------------------------------------------------------------------------------------


def _ask(topic: Topic, agent: Agent | None) -> Ask:
    pattern = open_pattern(topic.text)
    if agent is not None and topic.templated:
        with suppress(InvalidAgent):
            pattern = str(topic.pattern(agent))
    cls = topic.payload_class
    declared = None if cls is None else type_of(cls)
    payload = None if cls is None or declared is None else payload_of(cls, declared[1])
    return Ask(pattern, _mapping(topic), payload, topic.limits.max_hops)


def _mapping(topic: Topic) -> dict[str, Json] | None:
    return None if topic.filter is None else topic.filter.mapping


def _listener(cell: Cell) -> Player:
    agent = cast("Subscriber", cell.turn.agent)
    function = agent.planner.function
    place = place_of(function)
    name: str = getattr(function, "__qualname__", "a function")
    reaction = Reaction(name, (_ask(agent.planner.topic, None),), place=place)
    return Player(cell.name, name, place, "subscription", agent.passive, (reaction,), emits=())


# -- classes ---------------------------------------------------------------------------------------


def _called(speech: Speech) -> set[Function]:
    return {call.function for call in speech.calls}


def _methods(cls: type[Agent]) -> dict[str, Function]:
    """The methods that its user wrote, by name."""
    found: dict[str, Function] = {}
    for base in reversed(cls.__mro__):
        if base in Agent.__mro__ or base.__module__.startswith("choreia.actors."):
            continue
        for name, value in vars(base).items():
            if isinstance(value, FunctionType) and not name.startswith("__"):
                found[name] = inspect.unwrap(value)
    return {
        name: one
        for name, one in found.items()
        if inspect.isfunction(inspect.getattr_static(cls, name, None))
    }


def _without_own(declared: Iterable[TopicPattern]) -> tuple[str, ...]:
    """What its user declares; what the runtime says through it is the runtime's."""
    return tuple(text for text in map(str, declared) if text not in RUNTIME_EVENTS)


def _kept(cls: type[Agent]) -> tuple[str, ...]:
    applier = cls._choreia_applier if issubclass(cls, EventSourcedAgent) else None
    return () if applier is None else tuple(map(str, applier.patterns))


# -- sagas -----------------------------------------------------------------------------------------


def _mark(function: object) -> _Step | None:
    mark: _Step | None = getattr(function, "__choreia_saga__", None)
    return mark


def _of_mark(mark: _Step | None) -> tuple[Saying, ...]:
    if mark is None:
        return ()
    types = (*mark.emits, *filter(None, (mark.fails, mark.expired)))
    return tuple(Saying(type) for type in types)


def _awaited(speech: Speech, function: object) -> tuple[str, ...]:
    """What the case waits for from outside when the method has returned."""
    mark = _mark(function)
    declared = () if mark is None or mark.kind == "join" else tuple(mark.awaits)
    return tuple(dict.fromkeys((*speech.awaits, *declared)))


def _declared_mark(cls: type[Agent], function: object) -> Mark | None:
    mark = _mark(function)
    if mark is None:
        return Mark(UNDOING) if _of_the_saga(function) else None
    undo = mark.compensate
    return Mark(
        kind=mark.kind,
        fails=mark.fails,
        compensate=undo,
        compensated=undo is not None and inspect.isfunction(getattr(cls, undo, None)),
        waits=mark.kind == "join" or bool(mark.awaits),
        awaits=tuple(mark.awaits),
        bounded=mark.within is not None or mark.deadline is not None,
    )


def _of_the_saga(function: object) -> bool:
    """Whether the runtime itself turns a case back there, or looks after its time."""
    return getattr(function, "__module__", "").startswith("choreia.actors.sagas.")


def _undoing(cls: type[Agent], speaker: Speaker) -> Iterator[tuple[str, Speech]]:
    """The methods that undo its steps."""
    marks = [_mark(spec.function) for spec in cls._choreia_handlers]
    for name in dict.fromkeys(mark.compensate for mark in marks if mark and mark.compensate):
        function = getattr(cls, name or "", None)
        if inspect.isfunction(function):
            yield name or "", speaker.whole(function)


# -- versions -------------------------------------------------------------------------------------


def _versions(
    players: tuple[Player, ...],
) -> tuple[dict[str, Payload], dict[tuple[str, str], str]]:
    """The newest payload of each type, and what upcasters make of older ones."""
    lifts: dict[tuple[str, str], str] = {}
    newest: dict[str, Payload] = {}
    for type, payload in _spoken(players):
        version = upcast_version(type, payload.version)
        if version != payload.version:
            lifts[type, payload.version] = version
        cls = class_of(type, version)
        if cls is not None:
            newest[type] = payload_of(cls, version)
        elif type not in newest:
            newest[type] = payload
    return newest, lifts


def _spoken(players: tuple[Player, ...]) -> Iterator[tuple[str, Payload]]:
    for player in players:
        for reaction in player.reactions:
            for saying in reaction.says:
                if saying.payload is not None:
                    yield saying.type, saying.payload
            for ask in reaction.asks:
                if ask.payload is not None:
                    yield ask.pattern, ask.payload
