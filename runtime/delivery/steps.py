"""What an agent does with a type of event: a plan of steps, one per matching handler."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from typing import Protocol

import attrs

from choreia.runtime.events.event import Event
from choreia.runtime.events.topic import TopicPattern

Handler = Callable[..., object]


class Matcher(Protocol):
    """A content filter, or several of which one must match."""

    def matches(self, event: Event, /) -> bool: ...


class Kind(Enum):
    """How a handler runs."""

    PLAIN = "def"
    COROUTINE = "async def"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"

    @classmethod
    def of(cls, function: object) -> Kind:
        if inspect.isasyncgenfunction(function):
            return cls.ASYNC_GENERATOR
        if inspect.iscoroutinefunction(function):
            return cls.COROUTINE
        if inspect.isgeneratorfunction(function):
            return cls.GENERATOR
        return cls.PLAIN


@attrs.frozen
class Limits:
    """What ends a handler before it ends itself."""

    timeout: float | None = None
    """Seconds that one attempt may take."""
    cancel_on: tuple[TopicPattern, ...] = ()
    """An event of the same case that one of these matches cancels the coroutine."""
    max_hops: int | None = None
    """An event that comes after more hops than these is not handled, but a dead letter."""


NO_LIMITS = Limits()


@attrs.frozen
class Step:
    """One handler, as the turn runs it."""

    name: str
    call: Handler
    """Called with the agent and the event, or the typed payload."""
    kind: Kind
    filter: Matcher | None = None
    payload_class: type | None = None
    """The class of `@event_type` that the handler asked for, or None for the event itself."""
    may_return: bool = False
    """A subscribed plain function may return anything; an `@on` handler nothing."""
    limits: Limits = NO_LIMITS


def _one_plain_handler(plan: Plan) -> Handler | None:
    if len(plan.steps) != 1:
        return None
    step = plan.steps[0]
    if step.kind is not Kind.PLAIN or step.payload_class is not None:
        return None
    if step.limits.timeout is not None or step.limits.max_hops is not None:
        return None
    # A filter needs no second look: routing has matched it, or the event would not be here.
    return step.call


@attrs.frozen
class Plan:
    """All steps for one type of event, in the order they are defined."""

    steps: tuple[Step, ...]
    quick: Handler | None = attrs.field(
        init=False, default=attrs.Factory(_one_plain_handler, takes_self=True)
    )
    """The one plain handler that needs no more than to be called; None for every other plan."""
    may_return: bool = attrs.field(
        init=False,
        default=attrs.Factory(lambda plan: any(s.may_return for s in plan.steps), takes_self=True),
    )


NOTHING = Plan(())
PLANS = 4096
"""Types of which an agent remembers the plan, at most."""
