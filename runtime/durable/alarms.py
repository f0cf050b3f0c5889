"""An agent's durable timers: they stand in the store, and are set on the clock while it is alive.

Firing is one unit: the timer is removed and its event appended, if it still stands. So whatever
happens in between (a crash, a turn that cancels it at that moment), it fires once in effect.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import orjson

from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.clock import Timer
from choreia.runtime.durable.journal import Entry
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.event import Event, make_event, make_metadata
from choreia.runtime.events.upcasting import upcast_if_possible
from choreia.runtime.stores.unit import Outcome, SetTimer, Unit

if TYPE_CHECKING:
    from choreia.runtime.durable.bus import LogBus

LONGEST = 3_600.0
"""Seconds after which a timer that is far off looks at the wall clock again, which may have been
set meanwhile, or have gone on while the machine slept."""


class Repeats(Protocol):
    """Knows when a timer that repeats is due next."""

    def after_firing(self, timer: SetTimer, now: float) -> SetTimer | None:
        """The next one, once `timer` has fired; None when it does not repeat."""
        ...


class Alarms:
    """Of one agent. Thread-safe."""

    __slots__ = ("_bus", "_cell", "_lock", "_set", "repeats")

    def __init__(self, cell: Cell, bus: LogBus) -> None:
        self._cell = cell
        self._bus = bus
        self._lock = threading.Lock()
        self._set: dict[str, tuple[SetTimer, Timer]] | None = {}
        self.repeats: Repeats | None = None

    def load(self, timers: Iterable[SetTimer]) -> None:
        """What an earlier run has left."""
        for timer in timers:
            self.set(timer)

    def set(self, timer: SetTimer) -> None:
        """It stands in the store: set it on the clock."""
        clock = self._cell.engine.clock
        delay = min(max(0.0, timer.due - clock.now()), LONGEST)
        with self._lock:
            if self._set is None:
                return
            before = self._set.pop(timer.key, None)
            self._set[timer.key] = (timer, clock.call_later(delay, lambda: self._due(timer)))
        if before is not None:
            before[1].cancel()

    def cancel(self, key: str) -> None:
        with self._lock:
            before = None if self._set is None else self._set.pop(key, None)
        if before is not None:
            before[1].cancel()

    def rest(self) -> None:
        """The agent is gone; its timers stand in the store until it comes again."""
        with self._lock:
            left, self._set = self._set, None
        for _, timer in (left or {}).values():
            timer.cancel()

    def _due(self, timer: SetTimer) -> None:
        engine = self._cell.engine
        with self._lock:
            stands = None if self._set is None else self._set.get(timer.key)
            if stands is None or stands[0] is not timer or engine.draining:
                return
        now = engine.clock.now()
        if now < timer.due - 0.001:
            self.set(timer)
            return
        following = None if self.repeats is None else self.repeats.after_firing(timer, now)
        event = upcast_if_possible(fired(timer.event, now))  # it may be older than the code
        unit = Unit(
            [event],
            [orjson.dumps(event.payload)],
            changes=() if following is None else (following,),
            fires=timer,
        )

        def tell(outcome: Outcome) -> None:
            if isinstance(outcome, ChoreiaError):
                return  # cancelled, or replaced, at the last moment
            self._cell.emitted += 1
            if following is not None:
                self.set(following)
            else:
                self._gone(timer)

        self._bus.journal.submit(Entry(unit, tell, patient=True))

    def _gone(self, timer: SetTimer) -> None:
        with self._lock:
            if self._set is not None and self._set.get(timer.key, (None,))[0] is timer:
                del self._set[timer.key]


def fired(event: Event, now: float) -> Event:
    """What a timer emits. It keeps cause and correlation and starts again at 0 hops: waiting is
    not looping."""
    meta = event.metadata
    metadata = make_metadata(
        meta.correlation_id, meta.causation_id, meta.version, 0, (), meta.extensions
    )
    return make_event(event.id, event.type, event.source, now, event.payload, metadata)
