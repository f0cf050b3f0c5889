"""How an agent is watched: how often it is asked, and when silence becomes suspicion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast, get_args

import attrs

from choreia.runtime.errors import InvalidAgent

DetectorKind = Literal["timeout", "phi"]

STUCK_AFTER = 60.0
"""Seconds that one step of a handler on a thread may take."""
STUCK_AFTER_AWAITING = 600.0
"""Seconds that a coroutine may take: it holds no thread, and waits for the world more often."""
LONGEST = 1e15
"""Seconds: more than the age of the world loses what is added to it."""
SHORTEST = 0.001
"""Seconds: shorter intervals ask the watched to do nothing but answer."""

Check = Callable[[object, "attrs.Attribute[Any]", Any], None]


def _is_seconds(value: object, least: float) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and least <= cast("float", value) <= LONGEST


def _seconds(least: float) -> Check:
    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not _is_seconds(value, least):
            raise InvalidAgent(
                f"Heartbeat({attribute.name}={value!r}): give a number of seconds, {least} or more"
            )

    return check


def _detector(_: object, __: object, value: object) -> None:
    if value not in get_args(DetectorKind):
        raise InvalidAgent(f'Heartbeat(detector={value!r}): choose "timeout" or "phi"')


@attrs.frozen
class Heartbeat:
    """How an agent is watched. All times in seconds; raises `InvalidAgent` for senseless ones."""

    interval: float = attrs.field(default=30, validator=_seconds(SHORTEST))
    """It is asked this often, through the system lane, whether it is there."""
    timeout: float = attrs.field(default=90, validator=_seconds(SHORTEST))
    """Unheard for so long, it is suspected: at once (`detector="timeout"`), or later if its answers
    have been irregular (`detector="phi"`). At least `interval`."""
    detector: DetectorKind = attrs.field(default="timeout", validator=_detector)
    stuck_after: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(_seconds(SHORTEST))
    )
    """So long may one step of a handler take without a sign of life (`emit_now`, `yield`,
    `self.alive()`). None: 60 s on a thread, 600 s for a coroutine."""
    replace_after: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(_seconds(0))
    )
    """So long after it was suspected another instance takes its place. None: never, by itself."""

    stuck_on_thread: float = attrs.field(init=False, eq=False, repr=False)
    """Seconds after which a handler that holds a thread is stuck."""
    stuck_awaiting: float = attrs.field(init=False, eq=False, repr=False)
    """Seconds after which a coroutine is stuck."""
    period: float = attrs.field(init=False, eq=False, repr=False)
    """Seconds between two looks: short enough to see every handler that may become stuck before it
    does."""
    looks: int = attrs.field(init=False, eq=False, repr=False)
    """Looks between two questions."""

    def __attrs_post_init__(self) -> None:
        if self.timeout < self.interval:
            raise InvalidAgent(
                f"Heartbeat(interval={self.interval}, timeout={self.timeout}): who is asked every "
                f"{self.interval} s cannot be heard more often; give a timeout of at least that"
            )

        # Once, and not for each of a million agents that share it.
        given = self.stuck_after
        on_thread = STUCK_AFTER if given is None else given
        awaiting = STUCK_AFTER_AWAITING if given is None else given
        period = min(self.interval, on_thread, awaiting)
        object.__setattr__(self, "stuck_on_thread", on_thread)
        object.__setattr__(self, "stuck_awaiting", awaiting)
        object.__setattr__(self, "period", period)
        object.__setattr__(self, "looks", max(1, round(self.interval / period)))
