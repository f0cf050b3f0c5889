"""The real dispatcher: few threads for many agents, an event loop for coroutines."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import Context

from choreia.runtime.delivery.dispatcher import CoroutineTask, Done, Runnable, Runs
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.loop import LoopRunner
from choreia.runtime.delivery.pool import Pool
from choreia.runtime.delivery.watchdog import Watchdog

MOST = 256
"""Bound on threads for blocked handlers, per system."""

AT_LEAST = 1.0
"""Seconds that threads get to end which have nothing more to do."""


class ThreadDispatcher:
    """Implements `Dispatcher` with a pool, a watchdog, and one thread per `threaded` agent."""

    simulated = False
    punctual = False

    def __init__(self, workers: int = 1, most: int = MOST) -> None:
        self.pool = Pool(workers, max(workers, most), "worker")
        self.watchdog = Watchdog(self.pool)
        self.loop = LoopRunner()
        self._lock = threading.Lock()
        self._lanes: list[Pool] = []
        """Never changed, only replaced: it is read without the lock."""
        self._callback: Callable[[], None] = lambda: None
        self.pool.on_busy = self.watchdog.alarm
        self.pool.on_quiet = self._quiet_somewhere
        # The pool's own method: one call less on the hot path.
        self.schedule: Callable[[Runnable], None] = self.pool.schedule

    def dedicated(self, name: str) -> Callable[[Runnable], None]:
        lane = Pool(1, 1, name)
        lane.on_quiet = self._quiet_somewhere
        with self._lock:
            self._lanes = [*(other for other in self._lanes if not other.ended), lane]
        return lane.schedule

    def release_lane(self, schedule: object) -> None:
        # It may be in the turn that calls this, and counts until that has ended.
        for lane in self._lanes:
            if lane.schedule == schedule:
                lane.close()

    def inside(self, cell: Runnable) -> int | None:
        found = (pool.inside(cell) for pool in (self.pool, *self._lanes))
        return next((ident for ident in found if ident is not None), None)

    def serving(self) -> list[tuple[Runnable, int]]:
        return [pair for pool in (self.pool, *self._lanes) for pair in pool.serving()]

    def abandon(self, cell: Runnable, turn: Runs) -> None:
        any(pool.abandon(turn) for pool in (self.pool, *self._lanes))

    def hanging(self) -> int:
        return sum(pool.hanging() for pool in (self.pool, *self._lanes))

    def adopt_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop.adopt(loop)

    def start_coroutine(
        self, coroutine: Coroutine[object, object, object], context: Context, done: Done
    ) -> CoroutineTask:
        return self.loop.start(coroutine, context, done)

    def wait(self, gate: Gate, timeout: float | None) -> bool:
        if gate.is_open:
            return True
        with self.pool.stepping_aside():
            return gate.wait(timeout)

    async def wait_async(self, gate: Gate, timeout: float | None) -> bool:
        return await gate.wait_async(timeout)

    def quiet(self) -> bool:
        return self.lull() is not None

    def lull(self) -> tuple[int, ...] | None:
        lulls = [pool.lull() for pool in (self.pool, *self._lanes)]
        known = tuple(lull for lull in lulls if lull is not None)
        return known if len(known) == len(lulls) else None

    def when_quiet(self, callback: Callable[[], None]) -> None:
        self._callback = callback

    def _quiet_somewhere(self) -> None:
        self._callback()

    def stop(self, timeout: float) -> None:
        ends = time.monotonic() + max(timeout, AT_LEAST)
        self.loop.stop(max(timeout, AT_LEAST))
        self.watchdog.stop()
        pools = [self.pool, *self._lanes]
        for pool in pools:
            pool.close()
        for thread in [thread for pool in pools for thread in pool.threads()]:
            if thread is not threading.current_thread():
                thread.join(max(0.0, ends - time.monotonic()))
