"""`@on`: which events a method handles. Everything is checked where it is written."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import TypeVar, cast

import attrs

from choreia.runtime.delivery.steps import (
    NO_LIMITS,
    NOTHING,
    PLANS,
    Handler,
    Kind,
    Limits,
    Plan,
    Step,
)
from choreia.runtime.errors import InvalidAgent
from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.schema import type_of
from choreia.runtime.events.topic import TopicPattern

F = TypeVar("F", bound=Callable[..., object])

_MARK = "__choreia_on__"
_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@attrs.frozen
class Topic:
    """One `@on(…)`: a pattern, perhaps with places for the agent's attributes, and a filter."""

    text: str
    filter: Filter | None = None
    payload_class: type | None = None
    limits: Limits = NO_LIMITS
    own: bool = False
    """Whether only those events are meant that name the agent under ``payload.for``."""

    @property
    def templated(self) -> bool:
        return _PLACE.search(self.text) is not None

    def pattern(self, agent: object) -> TopicPattern:
        """The pattern for `agent`. Raises `InvalidAgent` when an attribute does not fit."""

        def value(place: re.Match[str]) -> str:
            try:
                text = str(getattr(agent, place[1]))
            except AttributeError:
                raise InvalidAgent(
                    f"@on({self.text!r}): {type(agent).__name__} has no attribute {place[1]!r}; "
                    "set it in __init__"
                ) from None
            if not text or not all(re.fullmatch(r"[A-Za-z0-9_-]+", s) for s in text.split(".")):
                raise InvalidAgent(
                    f"@on({self.text!r}): {place[1]} is {text[:80]!r}, which is no part of a topic"
                )
            return text

        return TopicPattern(_PLACE.sub(value, self.text))


def topic_of(topic: str | type, filter: Mapping[str, object] | Filter | None) -> Topic:
    """A `Topic` from what `@on` and `subscribe` are given, checked."""
    compiled = Filter(filter) if isinstance(filter, Mapping) else filter
    if compiled is not None and not isinstance(compiled, Filter):
        raise InvalidAgent(
            f"a filter is a mapping or a Filter, not {type(filter).__name__}; several topics are "
            "several @on, one above the other"
        )
    if isinstance(topic, str):
        TopicPattern(_PLACE.sub("x", topic))  # raises InvalidPattern
        return Topic(topic, compiled)
    declared = type_of(topic) if isinstance(topic, type) else None
    if declared is None:
        raise InvalidAgent(
            f"{topic!r} is no topic: give a pattern such as 'order.*', or a class declared with "
            "@event_type"
        )
    return Topic(declared[0], compiled, topic)


def on(
    topic: str | type,
    filter: Mapping[str, object] | Filter | None = None,
    *,
    timeout: float | None = None,
    cancel_on: str | type | tuple[str | type, ...] | None = None,
    max_hops: int | None = None,
) -> Callable[[F], F]:
    """Have a method of an `Agent` handle the events that `topic` selects and `filter` lets through.

    `topic` is a pattern (``*`` one segment, ``#`` any number), in which ``{name}`` stands for an
    attribute of the agent, or a class declared with ``@event_type``, an instance of which the
    handler then gets. Raises `InvalidPattern`, `InvalidFilter` or `InvalidAgent` at once. The
    method itself is returned unaltered.

    Past `timeout` seconds a coroutine is cancelled, and a generator ended at its next `yield`: a
    failed attempt, with `HandlerTimeout`. A handler that holds a thread cannot be ended; its agent
    is taken from it, as by `ActorSystem.restart`. `cancel_on` is for coroutines: an event of the
    same correlation that it selects (and that the agent has not emitted itself) cancels the running
    handler at once, without a retry or a dead letter.

    `max_hops` bounds a cycle of agents that answer each other: an event that comes after more hops
    than these from the one that began it is a dead letter (``reason="hops"``), without a retry. A
    timer starts again at 0.
    """
    if inspect.isfunction(topic):
        raise InvalidAgent("@on needs a topic: write @on('order.created')")
    declared = attrs.evolve(topic_of(topic, filter), limits=limits_of(timeout, cancel_on, max_hops))

    def mark(method: F) -> F:
        marked: object = method
        if not inspect.isfunction(marked):
            raise InvalidAgent(f"@on marks functions; {method!r} is none")
        if cancel_on is not None and Kind.of(marked) not in (Kind.COROUTINE, Kind.ASYNC_GENERATOR):
            raise InvalidAgent(
                f"handler {marked.__qualname__}: only a coroutine can be cancelled; write "
                "`async def`, or leave out cancel_on"
            )
        return mark_handler(method, declared)

    return mark


def mark_handler(method: F, topic: Topic) -> F:
    """Have `method` handle what `topic` selects."""
    # Decorators are applied from the last line up; topics are kept as they are read.
    setattr(method, _MARK, (topic, *getattr(method, _MARK, ())))
    return method


def limits_of(
    timeout: object,
    cancel_on: str | type | tuple[str | type, ...] | None,
    max_hops: object = None,
) -> Limits:
    """What `@on` was told of when a handler is to end, checked."""
    hops = _check_hops(max_hops)
    if timeout is not None:
        number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
        if not number or not 0 < cast("float", timeout) < inf:
            raise InvalidAgent(f"@on(timeout={timeout!r}): give a number of seconds, more than 0")
    if cancel_on is None:
        return Limits(cast("float | None", timeout), max_hops=hops)
    choices = cancel_on if isinstance(cancel_on, tuple) else (cancel_on,)
    if not choices:
        raise InvalidAgent("@on(cancel_on=()) names nothing: give a pattern or a class")
    patterns = tuple(topic_of(choice, None).pattern(None) for choice in choices)
    return Limits(cast("float | None", timeout), patterns, hops)


def _check_hops(hops: object) -> int | None:
    if hops is not None and (not isinstance(hops, int) or isinstance(hops, bool) or hops < 0):
        raise InvalidAgent(f"@on(max_hops={hops!r}): give a whole number of hops, 0 or more")
    return hops


def _strictest(topics: Iterable[Topic]) -> Limits:
    """Of several topics that select one event: the shortest time, and whatever cancels."""
    limits = [topic.limits for topic in topics]
    timeouts = [one.timeout for one in limits if one.timeout is not None]
    patterns = dict.fromkeys(pattern for one in limits for pattern in one.cancel_on)
    hops = [one.max_hops for one in limits if one.max_hops is not None]
    return Limits(min(timeouts, default=None), tuple(patterns), min(hops, default=None))


@attrs.frozen
class HandlerSpec:
    """A handling method of a class of agents."""

    name: str
    function: Handler
    kind: Kind
    topics: tuple[Topic, ...]


SAGA_MARK = "__choreia_saga__"
"""Of methods that take a step of a case, which only a `SagaParticipant` keeps records of."""


def refuse_steps(cls: type, specs: Iterable[HandlerSpec]) -> None:
    """An agent that is no participant would take its steps again and again, and undo none."""
    for spec in specs:
        if hasattr(spec.function, SAGA_MARK):
            raise InvalidAgent(
                f"{cls.__name__}.{spec.name} is marked with @step, @pivot or @join: derive "
                f"{cls.__name__} from SagaParticipant"
            )


def handlers_of(cls: type) -> tuple[HandlerSpec, ...]:
    """The handlers of `cls`, those of base classes first, in the order they are defined.

    A method that overrides a handler stays one, with the same topics unless it has its own.
    """
    marks: dict[str, tuple[Topic, ...]] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            topics: tuple[Topic, ...] = getattr(value, _MARK, ())
            if topics:
                marks[name] = topics
            elif isinstance(value, (staticmethod, classmethod, property)):
                _refuse_wrapped(cls, name, value)
    specs: list[HandlerSpec] = []
    for name, topics in marks.items():
        function = inspect.getattr_static(cls, name, None)
        if inspect.isfunction(function):
            check_arguments(cls, name, function)
            specs.append(HandlerSpec(name, function, Kind.of(function), topics))
    return tuple(specs)


def _refuse_wrapped(cls: type, name: str, value: object) -> None:
    """A mark under one of Python's own wrappers would be lost without a word."""
    inner = getattr(value, "fget", None) or getattr(value, "__func__", None)
    if getattr(inner, _MARK, ()):
        raise InvalidAgent(
            f"handler {cls.__name__}.{name} is a {type(value).__name__}: it must be a plain method"
        )


def check_arguments(
    cls: type, name: str, function: Callable[..., object], what: str = "handler"
) -> None:
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        raise InvalidAgent(
            f"{what} {cls.__name__}.{name}{inspect.signature(function)} must take self and the "
            "event, and nothing else without a default"
        ) from None


class _AnyOf:
    """Several filters of one handler, of which one must match."""

    def __init__(self, filters: Iterable[Filter]) -> None:
        self._filters = tuple(filters)

    def matches(self, event: Event, /) -> bool:
        return any(filter.matches(event) for filter in self._filters)


@attrs.frozen
class Binding:
    """A handler's topics, with the places filled in for one agent (or for its whole class)."""

    spec: HandlerSpec
    patterns: tuple[TopicPattern, ...]

    def matching(self, type: str) -> tuple[int, ...]:
        """The places, among the topics, of those that select `type`."""
        return tuple(place for place, pattern in enumerate(self.patterns) if pattern.matches(type))


class HandlerPlanner:
    """Finds, by type of event, the steps of an agent. Shared by all agents of a class, unless
    its topics name attributes."""

    __slots__ = ("_plans", "bindings", "known")

    def __init__(self, bindings: tuple[Binding, ...]) -> None:
        self.bindings = bindings
        self.known: dict[str, Plan] = {}
        # By what matched: a thousand types for one handler are one plan.
        self._plans: dict[tuple[tuple[int, ...], ...], Plan] = {}

    @classmethod
    def of(cls, specs: tuple[HandlerSpec, ...], agent: object) -> HandlerPlanner:
        return cls(
            tuple(
                Binding(spec, tuple(topic.pattern(agent) for topic in spec.topics))
                for spec in specs
            )
        )

    def plan(self, type: str) -> Plan:
        plan = self.known.get(type)
        if plan is None:
            matched = tuple(binding.matching(type) for binding in self.bindings)
            plan = self._plans.get(matched)
            if plan is None:
                plan = self._plans[matched] = self._make(matched)
            if len(self.known) >= PLANS:
                self.known.clear()
            self.known[type] = plan
        return plan

    def _make(self, matched: tuple[tuple[int, ...], ...]) -> Plan:
        steps = tuple(
            _step(binding.spec, [binding.spec.topics[place] for place in places])
            for binding, places in zip(self.bindings, matched, strict=True)
            if places
        )
        return Plan(steps) if steps else NOTHING


def _step(spec: HandlerSpec, topics: list[Topic]) -> Step:
    filters = [topic.filter for topic in topics if topic.filter is not None]
    filter = None if len(filters) < len(topics) else _one(filters)
    return Step(
        spec.name,
        spec.function,
        spec.kind,
        filter,
        topics[0].payload_class,
        limits=_strictest(topics),
    )


def _one(filters: list[Filter]) -> Filter | _AnyOf:
    return filters[0] if len(filters) == 1 else _AnyOf(filters)
