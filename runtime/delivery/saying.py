"""What a generator yields: an event, which leaves before the next step is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.errors import InvalidEvent

if TYPE_CHECKING:
    from choreia.runtime.delivery.turn import Turn


def say(turn: Turn, said: object) -> Frame:
    """Send `said` at once, and wait where there is no room."""
    type, payload = _parts(said)
    event, fresh = turn.early(type, payload)
    if fresh:
        turn.cell.emitted += 1
        if turn.progress is not None:
            turn.progress.sent.add(event.id)
        new = yield from turn.send_now(event)
        if turn.fold is not None and new:
            turn.fold.said(event)
    if turn.engine.clock.monotonic() >= turn.over_at:
        yield  # with no hold set: another agent's turn, then go on


def _parts(said: object) -> tuple[object, object]:
    if isinstance(said, tuple):
        if len(said) == 2 and isinstance(said[0], str):
            return said[0], said[1]
        raise InvalidEvent(
            "a handler yields `type, payload` or an instance of an @event_type class, not a "
            f"tuple of {len(said)}"
        )
    return said, None
