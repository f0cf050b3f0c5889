"""`after` and `cancel`: events that an agent will emit later. They end with the agent; a durable
one's stand in the store, and go on when it comes again."""

from __future__ import annotations

import logging
import math
from datetime import datetime
from typing import TYPE_CHECKING, cast

from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.alarms import fired
from choreia.runtime.errors import InvalidEvent
from choreia.runtime.events.event import Event
from choreia.runtime.stores.unit import SetTimer

if TYPE_CHECKING:
    from choreia.actors.record import Record
    from choreia.runtime.delivery.clock import Timer
    from choreia.runtime.delivery.engine import Engine
    from choreia.runtime.durable.ledger import Ledger


class Armed:
    """A timer of an agent in memory."""

    __slots__ = ("_timer", "due", "event")

    def __init__(self, timer: Timer, event: Event | None, due: float) -> None:
        self._timer = timer
        self.event = event
        """What it will say; None: it will make one then (`@every`)."""
        self.due = due
        """Unix seconds."""

    def cancel(self) -> None:
        self._timer.cancel()


def set_timer(
    turn: Turn, record: Record, seconds: float, type: object, payload: object, key: str | None
) -> str:
    """Have the agent emit an event `seconds` after its handler has returned; the timer's key."""
    turn.check("after")
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or not math.isfinite(seconds) or seconds < 0:
        raise InvalidEvent(f"after({seconds!r}, …): give a number of seconds, 0 or more")
    return _set(turn, record, turn.engine.clock.now() + seconds, type, payload, key)


def set_alarm(
    turn: Turn, record: Record, when: object, type: object, payload: object, key: str | None
) -> str:
    """Have the agent emit an event at a time; the timer's key."""
    turn.check("at")
    due = when.timestamp() if isinstance(when, datetime) and when.tzinfo is not None else when
    if isinstance(due, bool) or not isinstance(due, (int, float)) or not math.isfinite(due):
        raise InvalidEvent(f"at({when!r}, …): give a datetime with a time zone, or Unix seconds")
    return _set(turn, record, float(due), type, payload, key)


def _set(
    turn: Turn, record: Record, due: float, type: object, payload: object, key: str | None
) -> str:
    now = turn.engine.clock.now()
    if key is not None and (not isinstance(key, str) or not key):
        raise InvalidEvent(f"after(…, key={key!r}): give a text that is not empty, or leave it out")
    place = len(turn.buffer)
    event = turn.emitter.buffered(turn.event, type, payload, place, now)
    name = key or event.id
    # An effect: it happens when the handler returns, or not at all.
    ledger = durable_ledger(turn)
    if ledger is None:
        turn.later("after", lambda: _arm(turn, record, max(0.0, due - now), event, name))
    else:
        timer = SetTimer(turn.cell.agent, name, due, event)
        turn.later("after", lambda: ledger.set_timer(timer))
    return name


def cancel_timer(turn: Turn, record: Record, key: str) -> None:
    """Cancel the timer of `key`, if there is one, once the handler has returned."""
    ledger = durable_ledger(turn)
    if ledger is None:
        turn.later("cancel", lambda: _disarm(turn, record, key))
    else:
        turn.later("cancel", lambda: ledger.cancel_timer(key))


def durable_ledger(turn: Turn) -> Ledger | None:
    """The ledger of a durable agent's turn, in which its timers stand."""
    ledger = cast("Ledger | None", turn.cell.ledger)
    return ledger if ledger is not None and ledger.durable else None


def cancel_all(engine: Engine, record: Record) -> None:
    """The agent is gone."""
    timers, record.timers = record.timers, None
    for timer in (timers or {}).values():
        timer.cancel()
        _over(engine, timer)


def _arm(turn: Turn, record: Record, seconds: float, event: Event, key: str) -> None:
    _disarm(turn, record, key)
    if record.timers is None:
        record.timers = {}

    def due() -> None:
        turn.cell.post(lambda: _fire(turn, record, event, key, timer))

    clock = turn.engine.clock
    timer = Armed(clock.call_later(seconds, due), event, clock.now() + seconds)
    record.timers[key] = timer
    if turn.engine.cases is not None:
        turn.engine.cases.timer_set(event)


def _disarm(turn: Turn, record: Record, key: str) -> None:
    timer = (record.timers or {}).pop(key, None)
    if timer is not None:
        timer.cancel()
        _over(turn.engine, timer)


def _over(engine: Engine, timer: Armed) -> None:
    if engine.cases is not None and timer.event is not None:
        engine.cases.timer_over(timer.event)


def _fire(turn: Turn, record: Record, event: Event, key: str, timer: Armed) -> None:
    """In the agent's turn, between two events."""
    # It may have come due while the handler ran that cancelled or replaced it.
    if turn.engine.draining or record.timers is None or record.timers.get(key) is not timer:
        return
    del record.timers[key]
    try:
        _say(turn, fired(event, turn.engine.clock.now()))
    finally:
        _over(turn.engine, timer)


def _say(turn: Turn, event: Event) -> None:
    cell = turn.cell
    if cell.turn.fold is not None:
        try:
            cell.turn.fold.said(event)
        except Exception as error:  # of the user's own: its state cannot take it
            cell.turn.report(logging.ERROR, "%s is not said", event.type, exc_info=error)
            cell.turn.bury(event, error, 1, "failed")
            return
    cell.emitted += 1
    turn.engine.bus.route(event, cell)
