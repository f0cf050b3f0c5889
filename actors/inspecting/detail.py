"""One agent, looked at closely."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from choreia.actors.inspecting.events import event_form
from choreia.actors.inspecting.rows import class_of
from choreia.actors.inspecting.trails import MOST, Trail
from choreia.actors.interests import KINDS, interest_of
from choreia.actors.options import declared_abilities
from choreia.runtime.delivery.cases import event_of
from choreia.runtime.events.payload import thaw
from choreia.runtime.health.evidence import stack_of
from choreia.runtime.inspection.frames import Fields

if TYPE_CHECKING:
    from choreia.actors.record import Record
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.events.event import Event

SHOWN: Final = 20
"""Events, of each kind."""
_TOLD: Final = ("mailbox", "overflow", "threaded", "max_outbox", "max_lag", "key", "group", "count")


def detail(cell: Cell, trail: Trail, redacted: Sequence[str], *, payloads: bool) -> Fields:
    """What it is, what it listens to, and what it is at; its counters are in its row."""

    def shown(events: Iterable[Event]) -> list[Fields]:
        return [event_form(one, redacted, payloads) for one in events]

    record, event = cast("Record", cell.owner), cell.turn.event
    waiting = cell.mailbox.waiting
    return {
        **abilities_of(cell),
        **_interest(cell),
        "options": {name: getattr(record.options, name) for name in _TOLD},
        "in_hand": None if event is None else event_form(event, redacted, payloads),
        "queued": shown(_queued(cell)),
        "stack": stack_of(cell),
        "timers": _timers(record),
        "parked_on": [other.name for other in cell.parked_on],
        "waiting_here": len(waiting or ()),
        "recent": shown(_said_by(cell, trail)),
    }


def abilities_of(cell: Cell) -> Fields:
    """What it says it can do."""
    said = dict(declared_abilities(cell.turn.agent if cell.kind == "agent" else class_of(cell)))
    return {name: list(said[name]) for name in ("capabilities", "specializations")}


def _interest(cell: Cell) -> Fields:
    if cell.kind not in KINDS:  # the runtime's own, and members: these have their family's
        return {"subscriptions": [], "emits": None}
    interest = interest_of(cell)
    asks = [
        {
            "pattern": ask.pattern,
            "filter": None if ask.filter is None else thaw(ask.filter),
            "handler": ask.handler,
        }
        for ask in interest.asks
    ]
    emits = None if interest.emits is None else list(interest.emits)
    return {"subscriptions": asks, "emits": emits}


def _queued(cell: Cell) -> list[Event]:
    with cell.mailbox.lock:
        items = list(islice(cell.mailbox.items or (), SHOWN))
    return [event for item in items if (event := event_of(item)) is not None]


def _said_by(cell: Cell, trail: Trail) -> list[Event]:
    said = [event for event in trail.last(MOST) if event.source == cell.id]
    return said[: -SHOWN - 1 : -1]


def _timers(record: Record) -> list[Fields]:
    return [
        {"key": key, "due": armed.due, "type": None if armed.event is None else armed.event.type}
        for key, armed in list((record.timers or {}).items())[:SHOWN]
    ]
