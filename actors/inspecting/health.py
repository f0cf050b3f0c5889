"""Who is suspected and why, who began anew, and what could not be handled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from choreia.actors.inspecting.rows import handler_of
from choreia.runtime.delivery.deadletter import DeadLetter, name_error
from choreia.runtime.events.display import plain, redact
from choreia.runtime.health.evidence import stack_of
from choreia.runtime.inspection.frames import Fields

if TYPE_CHECKING:
    from choreia.actors.record import Record
    from choreia.runtime.delivery.cell import Cell

LONGEST = 20_000
"""Characters of a traceback."""


def suspicions(cells: Iterable[Cell], own: float) -> list[Fields]:
    """Those who are suspected now. `own`: now, as the supervisor counts."""
    found: list[Fields] = []
    for cell in cells:
        watch = cast("Record", cell.owner).watch
        suspicion = None if watch is None else watch.suspicion
        if suspicion is not None:
            found.append(
                {
                    "agent": cell.name,
                    "reason": suspicion.reason,
                    "seconds": max(0.0, own - suspicion.since),
                    "handler": handler_of(cell),
                    "stack": stack_of(cell)[-LONGEST:],
                }
            )
    return found


def restarts(cells: Iterable[Cell]) -> list[Fields]:
    """Those who have begun anew."""
    counts = ((cell.name, cast("Record", cell.owner).incarnation) for cell in cells)
    return [{"agent": name, "incarnation": number} for name, number in counts if number > 1]


def letter_form(letter: DeadLetter, redacted: Sequence[str], payloads: bool = False) -> Fields:
    """One dead letter. Its payload only if it is asked for, and with what is secret masked."""
    event = letter.event
    error = letter.said if letter.error is None else name_error(letter.error)
    said: Fields = {
        "event": None if event is None else event.id,
        "agent": letter.agent,
        "type": plain(repr(letter.message), 80) if event is None else event.type,
        "reason": letter.reason,
        "error": error,
        "traceback": letter.traceback[-LONGEST:],
        "attempts": letter.attempts,
        "time": letter.time,
        "redeliverable": event is not None,
    }
    if event is None and not payloads:
        said["type"] = "a told message"
    if payloads and event is not None:
        said["payload"] = redact(event.payload, redacted)
    return said
