"""What is known of one case, as `verdict`, `trace` and `explain` are given it.

A `Story` is a value: a store's is read in one go (`reading.py`), one without a store is copied from
what the system remembers. Whoever reads it need not know which.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import attrs

from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.unit import CaseRecord, SetTimer


@attrs.frozen
class Ask:
    """One subscription: a topic pattern, and perhaps a filter; `handler` names who gets it."""

    pattern: str
    filter: Mapping[str, object] | None = None
    handler: str = ""


@attrs.frozen
class Interest:
    """What one agent subscribes to and declares, for a stretch of the log."""

    agent: str
    """Its name; a keyed agent's or a group's is the family's."""
    asks: tuple[Ask, ...]
    since: int = 0
    """Events behind this position are for it."""
    until: int | None = None
    """Up to and with this one; None: still."""
    kind: str = "agent"
    """``agent`` or ``subscription`` (a function). The runtime's own are left out."""
    passive: bool = False
    """It only looks on: what is on its way to it holds no case open."""
    durable: bool = True
    """Whether it has a cursor. If not, it heard only what happened while it was there."""
    key: str | None = None
    """Of a keyed agent: the path of the key. What has none is not for it."""
    cls: str = ""
    """The class's name, for people."""
    emits: tuple[str, ...] | None = None
    """Declared patterns; None: anything."""
    terminal: tuple[str, ...] = ()
    """Types that end a case well, or as well as it can end."""
    external: tuple[str, ...] = ()
    """Types that come from outside, or are for somebody outside."""


class State(StrEnum):
    """How one delivery (an event, to one agent) stands."""

    # over
    HANDLED = "handled"
    DEAD = "dead_lettered"
    """`Delivery.reason` says why."""
    DROPPED = "dropped"
    """By the mailbox's overflow policy."""
    LOST = "lost"
    """By a fault that a simulation was told to make."""
    # under way
    QUEUED = "queued"
    IN_HAND = "in_hand"
    PARKED = "parked"
    """It waits, with its sender, for room."""
    BACKING_OFF = "backing_off"
    LAGGING = "lagging"
    """It stands in the log, and its agent has not come to it."""

    @property
    def over(self) -> bool:
        return self in _OVER


_OVER = frozenset({State.HANDLED, State.DEAD, State.DROPPED, State.LOST})


@attrs.frozen
class Delivery:
    """One event on its way to one agent, or there."""

    event_id: str
    agent: str
    """Its name; empty, if it is not known to whom it is on its way."""
    state: State
    since: float | None = None
    """When it came to stand so: seconds, on the clock that `Recorded.at` is on; None: unknown."""
    reason: str = ""
    """Of a dead letter."""
    error: str = ""
    attempts: int = 0
    passive: bool = False
    stuck: str = ""
    """Why it cannot go on by itself, if it cannot."""


@attrs.frozen
class Story:
    """All that is known of one case, at one moment."""

    correlation_id: str
    events: tuple[Recorded, ...]
    """In the order of the log (or in which they were published)."""
    interests: tuple[Interest, ...]
    deliveries: tuple[Delivery, ...]
    """Of each event, to each agent that it was for, in order."""
    timers: tuple[SetTimer, ...] = ()
    """That will say something in this case."""
    records: tuple[CaseRecord, ...] = ()
    """What agents keep about the case: the steps of sagas, and the like."""
    whole: bool = True
    """Whether nothing of it has been forgotten."""
    outcome: Event | None = None
    """The last event of a type that ends a case, where `events` may not have it any more."""
