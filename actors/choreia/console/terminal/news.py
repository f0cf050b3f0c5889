"""What the loop is told: everything that happens outside the model, as a message.

They come through one `queue.SimpleQueue`, whose `put` may be called from a signal handler, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from choreia.runtime.inspection.frames import Problem

# -- from the keyboard -----------------------------------------------------------------------------


@attrs.frozen
class Pressed:
    """A key, by its name."""

    key: str


@attrs.frozen
class Unplugged:
    """The terminal is gone: no key will come any more."""


# -- from the connection ---------------------------------------------------------------------------


@attrs.frozen
class Connected:
    """There is a connection, for the first time or again."""

    hello: Mapping[str, object]


@attrs.frozen
class Pictured:
    """A snapshot."""

    data: Mapping[str, object]


@attrs.frozen
class Heard:
    """A piece of the stream of events."""

    data: Mapping[str, object]


@attrs.frozen
class Answered:
    """What came of a call, under the tag that it was made with."""

    tag: str
    data: Mapping[str, object] | None
    problem: Problem | None


@attrs.frozen
class Complained:
    """Something asked for cannot be had; the message is for people."""

    message: str


@attrs.frozen
class Lost:
    """The system has ended, or the connection broke."""

    reason: str


# -- from everywhere -------------------------------------------------------------------------------


@attrs.frozen
class Logged:
    """A line that was logged, or printed past the screen."""

    text: str


@attrs.frozen
class Signalled:
    """The process got a signal."""

    number: int


@attrs.frozen
class Broken:
    """A thread failed: a fault in the console, which ends it."""

    error: BaseException


News = (
    Pressed | Unplugged | Connected | Pictured | Heard | Answered | Complained | Lost | Logged
    | Signalled | Broken
)  # fmt: skip
Tell = Callable[[News], None]
"""Puts a message where the loop finds it. Never waits."""
