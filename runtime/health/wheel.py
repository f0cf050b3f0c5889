"""A timing wheel: who is to be looked at regularly, spread over the interval.

(Varghese & Lauck 1987, "Hashed and Hierarchical Timing Wheels", scheme 6, one turn an interval.)
Those with one interval share a ring of slots, and each slot is looked at once a turn: ten thousand
agents cost one timer a second, not ten thousand every half minute.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Final, Generic, TypeVar

from choreia.runtime.delivery.clock import Clock, Timer

T = TypeVar("T")

SLOTS: Final = 32
FINEST: Final = 0.1
"""Seconds between two slots, at least: a short interval needs no spreading."""

Look = Callable[[list[T], float], list[T]]
"""Given who is in a slot and when it was due (monotonic seconds): who is to stay in it."""


class Wheel(Generic[T]):
    """Calls `look`, on the clock's thread. Thread-safe."""

    def __init__(self, clock: Clock, look: Look[T], *, spread: bool = True) -> None:
        self._clock = clock
        self._look = look
        self._spread = spread
        """Not under simulation: there a burst of work takes no time, and a timer does."""
        self._lock = threading.Lock()
        self._rings: dict[float, Ring[T]] = {}

    def add(self, item: T, interval: float) -> None:
        """Have `item` looked at every `interval` seconds, for the first time within that."""
        with self._lock:
            ring = self._rings.get(interval)
            if ring is None:
                slots = min(SLOTS, max(1, int(interval / FINEST))) if self._spread else 1
                ring = self._rings[interval] = Ring(self._clock, interval, slots)
            due = ring.add(item)
            if ring.armed is None or due < ring.armed:
                self._arm(ring)

    def _arm(self, ring: Ring[T]) -> None:
        tick = ring.following()
        if tick is None:
            del self._rings[ring.interval]
        elif tick != ring.armed:
            if ring.timer is not None:
                ring.timer.cancel()
            ring.armed = tick
            wait = ring.due(tick) - self._clock.monotonic()
            due = partial(self._due, ring, tick)
            ring.timer = self._clock.call_later(max(0.0, wait), due, background=True)

    def _due(self, ring: Ring[T], tick: int) -> None:
        with self._lock:
            if ring.armed != tick:
                return  # another timer came before it
            due = ring.due(tick)
            items = ring.take(tick)
        kept = self._look(items, due)
        with self._lock:
            ring.put_back(tick, kept)
            self._arm(ring)


class Ring(Generic[T]):
    """The slots of one interval. Ticks count on; each stands for the slot of its rest."""

    def __init__(self, clock: Clock, interval: float, slots: int) -> None:
        self.interval = interval
        self.timer: Timer | None = None
        self.armed: int | None = None
        """The tick that the timer is for."""
        self._clock = clock
        self._slots: list[list[T]] = [[] for _ in range(slots)]
        self._step = interval / slots
        self._began = clock.monotonic()
        self._next = 1
        """The first tick that has not been looked at."""
        self._added = 0

    def due(self, tick: int) -> float:
        """When `tick` is due, in monotonic seconds."""
        return self._began + tick * self._step

    def add(self, item: T) -> int:
        """Give `item` a slot: the tick at which it is looked at first."""
        # The first to come waits a whole interval, as if it had been looked at just now; those that
        # come with it are spread over the slots before that.
        size = len(self._slots)
        passed = int((self._clock.monotonic() - self._began) / self._step)
        if self.armed is None or self.armed > passed:
            # Slots that were empty when their time came are not looked at late.
            self._next = max(self._next, passed + 1)
        slot = (passed - self._added) % size
        self._slots[slot].append(item)
        self._added += 1
        return self._next + (slot - self._next) % size

    def following(self) -> int | None:
        """The next tick whose slot has somebody in it; None: there is nobody."""
        size = len(self._slots)
        ticks = range(self._next, self._next + size)
        return next((tick for tick in ticks if self._slots[tick % size]), None)

    def take(self, tick: int) -> list[T]:
        """Who is in the slot of `tick`."""
        late = self._clock.monotonic() - self.due(tick)
        if late > self._step:  # held up, or asleep: go on from here, and make up for nothing
            self._began += late
        self.timer = self.armed = None
        self._next = tick + 1
        slot = tick % len(self._slots)
        items, self._slots[slot] = self._slots[slot], []
        return items

    def put_back(self, tick: int, items: list[T]) -> None:
        """Those that stay."""
        slot = tick % len(self._slots)
        self._slots[slot] = items + self._slots[slot]
