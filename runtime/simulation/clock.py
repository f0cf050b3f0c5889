"""Virtual time: it stands still while there is work, and then jumps to the next timer."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from choreia.runtime.delivery.clock import Timer, push

START = 0.0
"""Unix seconds at which a simulation begins."""


class SimulatedClock:
    """Implements `Clock`. Used by one thread at a time."""

    def __init__(self, start: float = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._heap: list[Timer] = []
        self._background: list[Timer] = []
        self._order = count()

    def go_on_from(self, time: float) -> None:
        """Unix time goes on from where a store's last run ended; before anything has happened."""
        self._start = max(self._start, time)

    def now(self) -> float:
        return self._start + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed

    def call_later(
        self, delay: float, callback: Callable[[], None], *, background: bool = False
    ) -> Timer:
        timer = Timer(self._elapsed + max(0.0, delay), next(self._order), callback)
        push(self._background if background else self._heap, timer)
        return timer

    def next_timer(self) -> float | None:
        """When the next timer fires (monotonic seconds), or None. Those in the background apart."""
        return _first(self._heap)

    def next_in_background(self) -> float | None:
        """The same of those that only look on."""
        return _first(self._background)

    def advance_to(self, when: float) -> None:
        """Let time pass until `when`, and fire what is due then."""
        self._elapsed = max(self._elapsed, when)
        while (heap := self._due()) is not None:
            heapq.heappop(heap).fire()

    def _due(self) -> list[Timer] | None:
        """The heap whose first timer is due, and before the other's."""
        both = (self._heap, self._background)
        due = [h for h in both if (at := _first(h)) is not None and at <= self._elapsed]
        return min(due, key=_head, default=None)

    def stop(self) -> None:
        self._heap.clear()
        self._background.clear()


def _first(heap: list[Timer]) -> float | None:
    while heap and heap[0].callback is None:
        heapq.heappop(heap)
    return heap[0].when if heap else None


def _head(heap: list[Timer]) -> Timer:
    return heap[0]
