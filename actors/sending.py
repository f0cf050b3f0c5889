"""Emissions that leave at once, from within a handler."""

from __future__ import annotations

from choreia.runtime.delivery.admission import Admission, admit_one
from choreia.runtime.delivery.feed import GONE, REJECTED, TAKEN
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.turn import DurableTurn
from choreia.runtime.errors import MailboxFull
from choreia.runtime.events.event import Event

_WATCHERS = 0  # agents are numbered from 1


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
        return False
    turn.engine.drive(_leave(turn, event), None, None)
    return True


def _leave(turn: Turn, event: Event) -> Admission:
    engine = turn.engine
    turn.cell.emitted += 1
    progress = None if turn.event is None else turn.kept()
    if isinstance(turn, DurableTurn):
        new = yield from turn.record_now(event)
        if progress is not None:
            progress.sent.add(event.id)
        turn.check("emit_now")
        turn.live()
        if new and turn.fold is not None:
            turn.fold.said(event)
        return TAKEN
    # It may be broken off while it waits for room (a timeout of the handler's), and go on from
    # here in the next attempt: nobody gets it twice, and nobody goes without.
    reached = set[int]() if progress is None else progress.reached.setdefault(event.id, set())
    route, feeds = engine.bus.receivers(event)
    if _WATCHERS not in reached:
        # Of those who get it each counts when its turn comes: meanwhile what is in hand here does.
        engine.bus.count(event, route, feeds, by_one=True)
        engine.bus.show(event, route)
        reached.add(_WATCHERS)
    for feed in feeds:
        if feed.cell.number in reached:
            continue
        with engine.counted(feed.cell, event):
            try:
                verdict = yield from admit_one(feed, event, turn.cell)
            except MailboxFull:  # it rejects: no exception of delivery's rises into a handler
                engine.undeliverable(event, feed.cell, REJECTED)
                verdict = TAKEN
        if verdict == GONE:
            engine.undeliverable(event, feed.cell, verdict)
        turn.check("emit_now")  # it may have been replaced while it waited
        turn.live()
        reached.add(feed.cell.number)
    if progress is not None:
        progress.sent.add(event.id)
        progress.reached.pop(event.id, None)
    if turn.fold is not None:
        turn.fold.said(event)
    return TAKEN
