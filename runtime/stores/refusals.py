"""What stores share in deciding: bodies that differ, starts, erasures, and how refusals read."""

from __future__ import annotations

from collections.abc import Callable

from choreia.runtime.errors import DuplicateId, InvalidStore, StaleCursor
from choreia.runtime.events.event import Event, make_event
from choreia.runtime.events.payload import EMPTY
from choreia.runtime.events.recorded import ERASED, Recorded
from choreia.runtime.stores.unit import (
    Complete,
    KeepInterest,
    KeptInterest,
    Seated,
    SetTimer,
    Start,
    Unit,
)


def same_body(one: Event, other: Event) -> bool:
    """Whether two events of one id say the same. Times may differ: a retry is a little later."""
    return one.type == other.type and one.payload == other.payload


def duplicate(stands: Event, event: Event) -> DuplicateId:
    """Refuse `event`: its id is taken."""
    return DuplicateId(
        f"id {event.id!r} stands in the log as {stands.type!r} with another body: an id names one "
        "event for ever",
        id=event.id,
    )


def stale(agent: str) -> StaleCursor:
    """Refuse the turn of an agent whose cursor has moved without it."""
    return StaleCursor(
        f"the cursor of agent {agent!r} is not where its turn left it: another instance has taken "
        "its place, perhaps in another process; nothing of the turn has happened",
        agent=agent,
    )


def stale_family(complete: Complete, stands: tuple[int, int] | None) -> StaleCursor | None:
    """Refuse what a member did whose family has another epoch, or has done that already. `stands`:
    epoch and position of its cursor."""
    if stands is None or stands[0] != complete.epoch:
        return stale(complete.agent)
    if any(position <= stands[1] for position in complete.positions):
        return stale(complete.agent)
    return None


def not_set(timer: SetTimer) -> StaleCursor:
    """Refuse a timer that fires though it was cancelled, replaced, or has fired."""
    return StaleCursor(
        f"the timer {timer.key!r} of agent {timer.agent!r} is not set any more", agent=timer.agent
    )


def begins_at(start: Start, head: int) -> int:
    """The position that a new agent begins behind."""
    if start == "now":
        return head
    return 0 if start == "beginning" else min(int(start), head)


def interest_of(change: KeepInterest, unit: Unit, seated: Seated | None, head: int) -> KeptInterest:
    """An interest and where it begins; `head`: of the log with the unit's events."""
    since = head
    if unit.seat is not None and seated is not None and unit.seat.agent == change.agent:
        since = seated.position
    return KeptInterest(change.agent, since, change.value, change.durable)


def same_interest(one: KeptInterest, other: KeptInterest) -> bool:
    """Whether nothing changes from one to the other. Of what has ended there is nothing else to
    tell."""
    return one.value == other.value and (one.durable is other.durable or not one.value)


def erasure(
    correlation_id: str | None, subject: str | None, reason: str
) -> Callable[[Event], bool]:
    """Whether an event is to be blanked. Raises `InvalidStore` unless one thing is named."""
    if (correlation_id is None) == (subject is None):
        raise InvalidStore(
            "erase: name either a correlation_id or a subject (the metadata extension 'subject')"
        )
    if not isinstance(reason, str) or not reason.strip():
        raise InvalidStore("erase(reason=…): say why; it is kept with the erasure")

    def wanted(event: Event) -> bool:
        if correlation_id is not None:
            return correlation_id in (event.metadata.correlation_id, event.id)
        return event.metadata.extensions.get("subject") == subject

    return wanted


def blank(event: Event) -> Event:
    """The event without what it said."""
    return make_event(
        event.id, event.type, event.source, event.timestamp, EMPTY, event.metadata, event.extra
    )


def blanked(recorded: Recorded) -> Recorded:
    """The same of one that stands in a log."""
    event = blank(recorded.event)
    return Recorded(recorded.position, event, recorded.at, recorded.flags | ERASED)


def check_next(recorded: Recorded, head: int) -> None:
    """Positions have no gaps."""
    if recorded.position != head + 1:
        raise InvalidStore(
            f"position {recorded.position} stands behind {head}: events are missing, or in disorder"
        )


def check_restored(events: int, link: bytes, expected: tuple[int, str]) -> None:
    """Raise `InvalidStore` unless what was read is what was written."""
    if (events, link.hex()) != expected:
        raise InvalidStore(
            f"{events} events with the chain {link.hex()[:16]}… were read, but {expected[0]} with "
            f"{expected[1][:16]}… were exported: a line was changed; nothing was imported"
        )
