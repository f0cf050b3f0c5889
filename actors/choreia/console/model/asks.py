"""What the model wants to be done. It does nothing itself: whoever runs it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

EVENTS: Final = "events"
"""The tag under which `Console.answer` is told that the stream of events was refused."""


@attrs.frozen
class Quit:
    """Leave."""


@attrs.frozen
class Call:
    """Ask the system; what it says goes to `Console.answer`, with the tag."""

    verb: str
    args: Mapping[str, object]
    tag: str


@attrs.frozen
class Follow:
    """Stream events, instead of those that are streamed now: verb `events`, with `follow`."""

    args: Mapping[str, object]


@attrs.frozen
class Unfollow:
    """End that stream."""


@attrs.frozen
class Export:
    """Write what is seen to a file."""

    kind: Literal["svg", "html", "json"]


@attrs.frozen
class Copy:
    """Put text on the clipboard."""

    text: str


@attrs.frozen
class Redraw:
    """Draw everything anew: something else wrote over the screen."""


Ask = Quit | Call | Follow | Unfollow | Export | Copy | Redraw
