"""`@step`, `@pivot`, `@join`: what a method does for a case. Checked where it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from math import inf
from typing import Literal, TypeVar, cast

import attrs

from choreia.actors.handlers import SAGA_MARK, Topic, mark_handler, topic_of
from choreia.runtime.errors import InvalidAgent
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.schema import type_of
from choreia.runtime.events.topic import TopicPattern, check_type

F = TypeVar("F", bound=Callable[..., object])
Topics = str | type | tuple[str | type, ...]
"""A pattern or an `@event_type` class, or several."""
Given = Mapping[str, object] | Filter | None

MARK = SAGA_MARK


@attrs.frozen
class StepMark:
    """What a method is marked with."""

    kind: Literal["step", "pivot", "join"]
    on: tuple[Topic, ...]
    """What it handles."""
    emits: tuple[str, ...] = ()
    """What says that the step is done; one of them is enough."""
    fails: str | None = None
    """What says that it has failed."""
    compensate: str | None = None
    """The method that undoes it."""
    deadline: float | None = None
    """Seconds that it has."""
    within: float | None = None
    """Seconds in which a join's events have to come, from the first."""
    expired: str | None = None
    """What says that they have not; None: ``join.expired``."""
    awaits: tuple[str, ...] = ()
    """Patterns: what a step that is not done waits for."""


def step(
    on: Topics,
    emits: Topics,
    fails: str | type | None = None,
    compensate: str | None = None,
    deadline: float | None = None,
    *,
    filter: Given = None,
    awaits: Topics = (),
) -> Callable[[F], F]:
    """Have a method of a `SagaParticipant` take a step of a case, once.

    It handles what `on` selects, as with `@on`, and is done when the agent emits one of `emits`
    (which a returned payload is emitted as, too): in the step itself, or later, in whatever handler
    hears the answer that the step `awaits`. It has failed when it raises `StepFailed`, when it has
    been tried often enough, or after `deadline` seconds; then `fails` is emitted, and nothing else
    that it asked for happens. When the case fails (`compensate_on`), the method named `compensate`
    undoes what was done; it gets what the step had been given. Raises `InvalidAgent` at once.
    """
    return _mark("step", on, emits, fails, compensate, deadline, filter, awaits)


def pivot(
    on: Topics,
    emits: Topics,
    fails: str | type | None = None,
    compensate: str | None = None,
    deadline: float | None = None,
    *,
    filter: Given = None,
    awaits: Topics = (),
) -> Callable[[F], F]:
    """A `step` past which nothing of the case is compensated: what fails then is tried again, and
    at last told of (``saga.stuck``)."""
    return _mark("pivot", on, emits, fails, compensate, deadline, filter, awaits)


def join(*topics: str | type, within: float, expired: str | type | None = None) -> Callable[[F], F]:
    """Have a method of a `SagaParticipant` handle several events of one case together.

    It gets a tuple of them, one for each of `topics` and in their order, when all have come; what
    it emits has all of them as its causes. If they have not come `within` seconds from the first,
    `expired` is emitted (by default ``join.expired``), and what comes later is ignored. Of several
    events for one topic the first counts. Raises `InvalidAgent` at once.
    """
    if len(topics) < 2:
        raise InvalidAgent(f"@join{topics!r}: name two topics or more; for one there is @on")
    seconds = _seconds("join", "within", within)
    if seconds is None:
        raise InvalidAgent("@join(within=None): give seconds, or it may wait for ever")
    declared = tuple(_topic("join", topic, None) for topic in topics)
    late = None if expired is None else _type("join", "expired", expired)

    def mark(method: F) -> F:
        return _marked(method, StepMark("join", declared, within=seconds, expired=late))

    return mark


def _mark(
    kind: Literal["step", "pivot"],
    on: Topics,
    emits: Topics,
    fails: str | type | None,
    compensate: str | None,
    deadline: float | None,
    filter: Given,
    awaits: Topics,
) -> Callable[[F], F]:
    topics = tuple(_topic(kind, topic, filter) for topic in _several(on))
    if not topics:
        raise InvalidAgent(f"@{kind} is on nothing: give a pattern or a class")
    types = tuple(_type(kind, "emits", one) for one in _several(emits))
    if not types:
        raise InvalidAgent(f"@{kind}({on!r}) emits nothing: name what says that it is done")
    failure = None if fails is None else _type(kind, "fails", fails)
    if failure in types:
        raise InvalidAgent(f"@{kind}({on!r}): {failure!r} says that it is done, and that it failed")
    undo: object = compensate
    if undo is not None and not isinstance(undo, str):
        raise InvalidAgent(f"@{kind}(compensate={undo!r}): give the name of a method")
    declared = StepMark(
        kind,
        topics,
        types,
        failure,
        compensate,
        _seconds(kind, "deadline", deadline),
        awaits=tuple(pattern_of(one) for one in _several(awaits)),
    )

    def mark(method: F) -> F:
        return _marked(method, declared)

    return mark


def _marked(method: F, declared: StepMark) -> F:
    marked: object = method
    if not inspect.isfunction(marked):
        raise InvalidAgent(f"@{declared.kind} marks functions; {method!r} is none")
    if hasattr(method, MARK):
        raise InvalidAgent(
            f"{marked.__qualname__} is a step already: give one mark a tuple of topics"
        )
    setattr(method, MARK, declared)
    for topic in reversed(declared.on):
        mark_handler(method, topic)
    return method


def mark_of(function: object) -> StepMark | None:
    """What `function` is marked with, if it is."""
    found: StepMark | None = getattr(function, MARK, None)
    return found


def mark_in(cls: type, name: str) -> StepMark | None:
    """The mark of a method; one that overrides a step stays one, unless it has its own mark."""
    for base in cls.__mro__:
        mark = mark_of(vars(base).get(name))
        if mark is not None:
            return mark
    return None


def pattern_of(topic: str | type) -> str:
    """A topic as a pattern, checked."""
    declared = topic_of(topic, None)
    return TopicPattern(declared.text).pattern


def _several(given: Topics) -> tuple[str | type, ...]:
    return given if isinstance(given, tuple) else (given,)


def _topic(kind: str, topic: object, filter: Given) -> Topic:
    if not isinstance(topic, (str, type)):
        raise InvalidAgent(f"@{kind} needs a topic: write @{kind}('order.created', …)")
    return topic_of(topic, filter)


def _type(kind: str, what: str, given: object) -> str:
    """A type of events, which an agent emits."""
    if isinstance(given, str):
        return check_type(given)
    declared = type_of(given) if isinstance(given, type) else None
    if declared is None:
        raise InvalidAgent(
            f"@{kind}({what}={given!r}): give a type such as 'payment.charged', or a class "
            "declared with @event_type"
        )
    return declared[0]


def _seconds(kind: str, what: str, given: object) -> float | None:
    if given is None:
        return None
    number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if not number or not 0 < cast("float", given) < inf:
        raise InvalidAgent(f"@{kind}({what}={given!r}): give a number of seconds, more than 0")
    return float(cast("float", given))
