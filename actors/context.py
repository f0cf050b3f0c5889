"""The event in hand, for code that is called from a handler and has no agent to ask."""

from __future__ import annotations

from choreia.runtime.delivery.context import running_turn
from choreia.runtime.events.event import Event


def current() -> Event | None:
    """The event that the calling handler has in hand; None outside handlers."""
    turn = running_turn()
    return None if turn is None else turn.event
