"""Time and timers: the first half of the seam for determinism.

Everything that needs the time, or wants to be called later, asks the system's `Clock`. The
real one stands here; the simulated one in `choreia.runtime.simulation.clock`.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

log = logging.getLogger("choreia.clock")


class Timer:
    """One call in the future. `cancel()` takes it back; too late does nothing."""

    __slots__ = ("callback", "order", "when")

    def __init__(self, when: float, order: int, callback: Callable[[], None]) -> None:
        self.when = when
        self.order = order
        self.callback: Callable[[], None] | None = callback

    def __lt__(self, other: Timer) -> bool:
        return (self.when, self.order) < (other.when, other.order)

    def cancel(self) -> None:
        # Dropping the callback also drops what it refers to; the entry itself stays in the heap
        # until its time comes (removing from the middle of a heap is linear).
        self.callback = None

    def fire(self) -> None:
        callback, self.callback = self.callback, None
        if callback is not None:
            callback()


_CROWDED = 1_024


def push(heap: list[Timer], timer: Timer) -> None:
    """Add `timer`. Cancelled ones are swept out when they are the most of a large heap: an agent
    that moves its deadline with every event must not fill the memory."""
    heapq.heappush(heap, timer)
    if len(heap) >= _CROWDED and len(heap) & (len(heap) - 1) == 0:  # at each power of two
        alive = [timer for timer in heap if timer.callback is not None]
        if len(alive) <= len(heap) // 2:
            heap[:] = alive
            heapq.heapify(heap)


class Clock(Protocol):
    """Where time comes from. Thread-safe."""

    def now(self) -> float:
        """Unix time, seconds. May jump; only for timestamps that people read."""
        ...

    def monotonic(self) -> float:
        """Seconds since some start; never goes back. For every duration and deadline."""
        ...

    def call_later(
        self, delay: float, callback: Callable[[], None], *, background: bool = False
    ) -> Timer:
        """Call `callback` once, `delay` seconds from now; it must be short and must not block.

        A `background` timer only looks on (heartbeats): virtual time does not pass for its sake.
        """
        ...

    def stop(self) -> None:
        """Fire nothing any more, and end what serves the timers."""
        ...


class SystemClock:
    """The machine's clock, and one thread for all timers of a system, started when needed."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._order = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    # Bound as they are, so that reading the time costs one call into C.
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def call_later(
        self, delay: float, callback: Callable[[], None], *, background: bool = False
    ) -> Timer:
        timer = Timer(self.monotonic() + delay, next(self._order), callback)
        with self._changed:
            push(self._heap, timer)
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(
                    target=self._serve, name="choreia-timers", daemon=True
                )
                self._thread.start()
            elif self._heap[0] is timer:
                self._changed.notify()
        return timer

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._heap.clear()
            thread, self._thread = self._thread, None
            self._changed.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _serve(self) -> None:
        while (timer := self._next_due()) is not None:
            try:
                timer.fire()
            except Exception:
                log.exception("a timer's callback failed")

    def _next_due(self) -> Timer | None:
        with self._changed:
            while not self._stopped:
                if not self._heap:
                    self._changed.wait()
                    continue
                wait = self._heap[0].when - self.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._heap)
                self._changed.wait(min(wait, threading.TIMEOUT_MAX))
        return None
