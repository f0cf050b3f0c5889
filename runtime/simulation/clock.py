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
        self._order = count()

    def now(self) -> float:
        return self._start + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self._elapsed + max(0.0, delay), next(self._order), callback)
        push(self._heap, timer)
        return timer

    def next_timer(self) -> float | None:
        """When the next timer fires (monotonic seconds), or None."""
        while self._heap and self._heap[0].callback is None:
            heapq.heappop(self._heap)
        return self._heap[0].when if self._heap else None

    def advance_to(self, when: float) -> None:
        """Let time pass until `when`, and fire what is due then."""
        self._elapsed = max(self._elapsed, when)
        while (due := self.next_timer()) is not None and due <= self._elapsed:
            heapq.heappop(self._heap).fire()

    def stop(self) -> None:
        self._heap.clear()
