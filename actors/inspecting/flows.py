"""Who says what to whom, and how often: what is declared, and what was said lately."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, cast

import attrs

from choreia.actors.inspecting.rows import class_of
from choreia.actors.inspecting.trails import MOST, Trail
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.insight.naming import lifeline
from choreia.runtime.inspection.frames import Fields

if TYPE_CHECKING:
    from choreia.actors.agent import Agent
    from choreia.actors.record import Record
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.engine import Engine

SPAN: Final = 5.0
"""Seconds that a rate is of."""
NAMED: Final = 20
"""Agents that are named for each type, at most."""


@attrs.define
class _Flow:
    """One type of event."""

    events: int = 0
    lately: int = 0
    emitters: set[str] = attrs.field(factory=set)


def flows(engine: Engine, cells: Iterable[Cell], trail: Trail) -> list[Fields]:
    """A row for each type that is declared, or was said lately; by name."""
    found: dict[str, _Flow] = {}
    kept: set[TopicPattern] = set()
    for cell in cells:
        _declare(found, cell)
        kept.update(_kept_by(class_of(cell)))
    span = _count(found, trail, engine.clock.now())
    unheard: Counter[str] = Counter() if engine.cases is None else engine.cases.unheard
    return [
        {
            "type": type,
            "rate": flow.lately / span,
            "events": flow.events,
            "emitters": sorted(flow.emitters)[:NAMED],
            "reactors": _reactors(engine, type),
            # What an agent says to itself, to be its state, needs nobody else.
            "unheard": 0 if any(one.matches(type) for one in kept) else unheard.get(type, 0),
        }
        for type, flow in sorted(found.items())
    ]


def _declare(found: dict[str, _Flow], cell: Cell) -> None:
    if cell.kind in ("member", "system"):
        return
    for subscription in cast("Record", cell.owner).subscriptions:
        if _is_exact(subscription.pattern.pattern):
            found.setdefault(subscription.pattern.pattern, _Flow())
    emits = cast("type[Agent]", class_of(cell))._choreia_declaration.patterns
    for pattern in emits or ():
        if _is_exact(pattern.pattern):
            found.setdefault(pattern.pattern, _Flow()).emitters.add(cell.name)


def _kept_by(cls: type) -> tuple[TopicPattern, ...]:
    """What an event-sourced agent's state is made of."""
    applier = getattr(cls, "_choreia_applier", None)
    return () if applier is None else tuple(applier.patterns)


def _is_exact(pattern: str) -> bool:
    return "*" not in pattern and "#" not in pattern


def _count(found: dict[str, _Flow], trail: Trail, now: float) -> float:
    """Count what was said lately: the seconds that this is of."""
    events = trail.last(MOST)
    oldest = now
    for event in events:
        flow = found.setdefault(event.type, _Flow())
        flow.events += 1
        flow.emitters.add(lifeline(event.source))
        age = now - event.timestamp
        if age <= SPAN:
            flow.lately += 1
            oldest = min(oldest, event.timestamp)
    full = len(events) >= MOST and now - events[0].timestamp < SPAN
    return max(now - oldest, 0.1) if full else SPAN


def _reactors(engine: Engine, type: str) -> list[str]:
    feeds = engine.bus.table.resolve(type).feeds
    return [feed.cell.name for feed in feeds if feed.cell.kind != "system"][:NAMED]
