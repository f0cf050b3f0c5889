"""How often, and when, an event is tried again."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from random import Random
from typing import Any, cast

import attrs

from choreia.runtime.errors import (
    GiveUp,
    HopLimit,
    IncompatibleVersion,
    InvalidAgent,
    InvalidEvent,
    OutboxFull,
    PayloadMismatch,
    RetryAfter,
    ReturnedValue,
    UndeclaredEvent,
    Unhandled,
)

# These come out the same however often one tries.
PERMANENT = (
    GiveUp,
    HopLimit,
    IncompatibleVersion,
    InvalidEvent,
    OutboxFull,
    PayloadMismatch,
    ReturnedValue,
    UndeclaredEvent,
    Unhandled,
)


Check = Callable[[object, "attrs.Attribute[Any]", Any], None]


def _from(least: float) -> Check:
    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not least <= cast("float", value) < inf:
            raise InvalidAgent(f"Retry({attribute.name}={value!r}): give a number, {least} or more")

    return check


def _whole(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidAgent(f"Retry({attribute.name}={value!r}): give a whole number, 1 or more")


def _classes(value: object) -> tuple[type[BaseException], ...]:
    classes = tuple(value) if isinstance(value, (tuple, list, set, frozenset)) else (None,)
    if not all(isinstance(one, type) and issubclass(one, BaseException) for one in classes):
        raise InvalidAgent(
            f"Retry(give_up_on={value!r}): give a tuple of exception classes, such as (KeyError,)"
        )
    return cast("tuple[type[BaseException], ...]", classes)


@attrs.frozen
class Retry:
    """An agent's patience with one event.

    `attempts` counts all tries, the first one too. The wait before the second is `delay` seconds,
    then `factor` times as long each time, `max_delay` at most, and up to a `jitter` share longer,
    so that agents that failed together do not come back together. Errors of the types in
    `give_up_on` are not tried again.
    """

    attempts: int = attrs.field(default=3, validator=_whole)
    delay: float = attrs.field(default=0.1, validator=_from(0))
    factor: float = attrs.field(default=2, validator=_from(1))
    max_delay: float = attrs.field(default=30, validator=_from(0))
    jitter: float = attrs.field(default=0.1, validator=_from(0))
    give_up_on: tuple[type[BaseException], ...] = attrs.field(default=(), converter=_classes)

    def wait(self, error: BaseException, made: int, random: Random) -> float | None:
        """Seconds to wait after the `made`-th try failed with `error`; None to give up."""
        if made >= self.attempts or isinstance(error, (*PERMANENT, *self.give_up_on)):
            return None
        if isinstance(error, RetryAfter):
            return max(0.0, error.seconds)
        # In logarithms a factor of 2 overflows a float after 1,000 tries; the bound cuts it short.
        wait = self.delay
        for _ in range(min(made - 1, 64)):
            wait = min(wait * self.factor, self.max_delay)
        return min(wait, self.max_delay) * (1 + self.jitter * random.random())
