"""One attempt that failed, for who wants to know of each: tests above all."""

from __future__ import annotations

import attrs

from choreia.runtime.events.event import Event


@attrs.frozen(eq=False)
class Failure:
    """Something of an agent's raised. Whether it was tried again is another matter."""

    agent: str
    """Its name."""
    event: Event | None
    """The event in hand; None in a hook, or over a told message."""
    error: BaseException
    attempt: int
    where: str
    """The handler or the hook, by name."""
