"""Emissions that leave at once, from within a handler."""

from __future__ import annotations

from choreia.runtime.delivery.admission import Admission, admit_one
from choreia.runtime.delivery.feed import GONE, TAKEN
from choreia.runtime.delivery.logfeed import LogBus
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.errors import MailboxFull
from choreia.runtime.events.event import Event


def send_early(turn: Turn, type: object, payload: object) -> Event:
    """Send it, blocking the handler's thread where a mailbox is full."""
    event, fresh = turn.early(type, payload)
    if fresh:
        turn.engine.drive(_leave(turn, event), None, None)
    return event


async def send_early_async(turn: Turn, type: object, payload: object) -> Event:
    """The same, awaiting room."""
    event, fresh = turn.early(type, payload)
    if fresh:
        await turn.engine.drive_async(_leave(turn, event), None, None)
    return event


def try_early(turn: Turn, type: object, payload: object) -> bool:
    """The same without waiting: False, and nothing sent, when a receiver has no room now."""
    bus = turn.engine.bus
    event, fresh = turn.early(type, payload)
    if not fresh:
        return True
    _, feeds = bus.receivers(event)
    if any(feed.mailbox.full for feed in feeds):
        turn.kept().sent.discard(event.id)
        return False
    turn.engine.drive(_leave(turn, event), None, None)
    return True


def _leave(turn: Turn, event: Event) -> Admission:
    engine = turn.engine
    turn.cell.emitted += 1
    if isinstance(engine.bus, LogBus):
        engine.bus.record(event)
        return TAKEN
    route, feeds = engine.bus.receivers(event)
    engine.bus.show(event, route)
    for feed in feeds:
        try:
            verdict = yield from admit_one(feed, event, turn.cell)
        except MailboxFull:  # it rejects: no exception of delivery's rises into a handler
            engine.bury(event, feed.cell, None, 0, "rejected")
            continue
        if verdict == GONE:
            engine.undeliverable(event, feed.cell, verdict)
    return TAKEN
