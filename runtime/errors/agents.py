"""Agents and their handlers."""

from __future__ import annotations

from math import inf

from choreia.runtime.errors.events import InvalidLimit
from choreia.runtime.errors.root import ChoreiaError


class InvalidAgent(ChoreiaError, TypeError):
    """An agent class, its handlers or its options are wrong; raised where they are written."""


class DuplicateName(ChoreiaError, ValueError):
    """Two agents of one system would have the same name."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class UnknownAgent(ChoreiaError, LookupError):
    """No agent of that name is alive in this system."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class UndeclaredEvent(ChoreiaError):
    """An agent that declares `emits` emitted a type that is not among them."""

    def __init__(self, message: str, *, agent: str = "", type: str = "") -> None:
        super().__init__(message)
        self.agent = agent
        self.type = type


class ReturnedValue(ChoreiaError, TypeError):
    """An ``@on`` handler returned a value. Handlers tell the world by `emit` or `yield`."""


class OutsideTurn(ChoreiaError, RuntimeError):
    """`emit`, `after`, `once` … was called outside the turn of the agent it belongs to."""


class OutboxFull(ChoreiaError):
    """One handler emitted more events than `max_outbox`; write it as a generator."""

    def __init__(self, message: str, *, limit: int = 0) -> None:
        super().__init__(message)
        self.limit = limit


class Fenced(ChoreiaError, RuntimeError):
    """Another instance of the agent has taken the place of the one that called: let it end.

    Raised by whatever a replaced agent still asks of the runtime. The event that it had in hand is
    a dead letter (``reason="stuck"``), and nothing that it does now can come of it. `agent` is its
    name.
    """

    def __init__(self, message: str, *, agent: str = "") -> None:
        super().__init__(message)
        self.agent = agent


class HandlerTimeout(ChoreiaError, TimeoutError):
    """A handler took longer than its ``@on(…, timeout=)``: a failed attempt.

    `handler` is its name, `seconds` the limit.
    """

    def __init__(self, message: str, *, handler: str = "", seconds: float = 0.0) -> None:
        super().__init__(message)
        self.handler = handler
        self.seconds = seconds


class GiveUp(ChoreiaError):
    """Raise it in a handler: this event cannot be handled, do not try again."""

    def __init__(self, reason: str = "gave up") -> None:
        super().__init__(reason)
        self.reason = reason


class StepFailed(GiveUp):
    """Raise it in a step of a saga: it cannot be done, and its `fails` is to be emitted.

    Give a reason (text, or the error that it was), or the payload that is to be emitted: a mapping,
    or an instance of an `@event_type` class. It is not tried again, unless the case's pivot is
    done: then it has to be.
    """

    def __init__(self, reason: object = "failed") -> None:
        if isinstance(reason, BaseException):
            reason = f"{type(reason).__name__}: {reason}"
        super().__init__(reason if isinstance(reason, str) else type(reason).__name__)
        self.payload: object = None if isinstance(reason, str) else reason


class RetryAfter(ChoreiaError):
    """Raise it in a handler: try this event again after `seconds`. Counts as an attempt."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        if not isinstance(seconds, (int, float)) or not -inf < seconds < inf:
            raise InvalidLimit(f"RetryAfter({seconds!r}): give seconds, as a number")
        super().__init__(reason or f"try again after {seconds} s")
        self.seconds = seconds


class Unhandled(ChoreiaError):
    """An event was told to an agent directly, and none of its handlers matches it."""
