"""Founding a family: which kind, from an agent's options."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from choreia.actors.families import Nursery
from choreia.actors.groups import Group
from choreia.actors.keyed import KeyedFamily
from choreia.actors.record import Record
from choreia.runtime.delivery.shared import Front
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.errors import InvalidAgent

if TYPE_CHECKING:
    from choreia.actors.spawning import Spawner


def found_family(spawner: Spawner, front: Front) -> None:
    """Give `front` a feed, and a family that it is the front of."""
    record = cast("Record", front.owner)
    if record.options.overflow != "park" and isinstance(front.engine.bus, LogBus):
        raise InvalidAgent(
            f"agent {front.name!r} has overflow={record.options.overflow!r} and the system has a "
            "store: there a keyed agent or a group loses no events, it lags (overflow='park')"
        )
    nursery = Nursery(spawner, front)
    kind = KeyedFamily if record.options.group is None else Group
    family = kind(nursery, _patterns(front))
    record.family = family
    front.feed = family.feed


def _patterns(front: Front) -> Callable[[], tuple[str, ...]]:
    def patterns() -> tuple[str, ...]:
        entries = cast("Record", front.owner).subscriptions
        return tuple(dict.fromkeys(entry.pattern.pattern for entry in entries))

    return patterns
