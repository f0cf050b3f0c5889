"""The watchdog: ordinary blocking handlers do not hold up the others.

A handler may call `requests.get`, `time.sleep`, a database; nothing is annotated. While agents wait
in the queue, the watchdog looks at each thread every `TICK` seconds. One that is in the same call
of the same handler as before, and has used next to no CPU time since, is blocked, not computing:
it stops counting as active, and others take over, four times as many at each look, so that fifty
blocked handlers are covered within three ticks. (A computing handler is left alone: another
thread would only share the interpreter's lock with it.)

A thread that waits for the interpreter's lock uses no CPU time either. But then the watchdog, which
needs the lock as well, wakes up late; what it sees in such a tick proves nothing, and only a look
over `LONG` seconds, in which a computing thread would have had its share, counts.
"""

from __future__ import annotations

import threading
import time

from choreia.runtime.delivery.pool import Pool, Worker

TICK = 0.005
LATE = 0.002
LONG = 0.05
DORMANT_AFTER = 40
"""Ticks without work after which the watchdog sleeps until there is some."""


class Watchdog:
    """Watches one pool, on a thread of its own, which sleeps while there is nothing to do."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._alarm = threading.Event()
        self._stop = False
        self._thread: threading.Thread | None = None
        self._dormant = True

    def alarm(self) -> None:
        """There is work: wake up, if asleep."""
        if not self._dormant:
            return
        self._dormant = False
        if self._thread is None:
            with self._pool.lock:
                if self._thread is None and not self._stop:
                    self._thread = threading.Thread(
                        target=self._watch, name="choreia-watchdog", daemon=True
                    )
                    self._thread.start()
        self._alarm.set()

    def stop(self) -> None:
        self._stop = True
        self._alarm.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        idle = 0
        while not self._stop:
            if idle >= DORMANT_AFTER:
                self._dormant = True
                if self._pool.quiet():
                    self._alarm.wait()
                self._dormant = False
                self._alarm.clear()
                idle = 0
            slept_at = time.monotonic()
            time.sleep(TICK)
            late = time.monotonic() - slept_at - TICK > LATE
            idle = idle + 1 if self._pool.quiet() else 0
            if self._pool.queue:
                self._look(late)

    def _look(self, late: bool) -> None:
        pool = self._pool
        now = time.monotonic()
        with pool.lock:
            found = 0
            for worker in pool.workers:
                if not worker.blocked and worker.cell is not None and _blocked(worker, now, late):
                    worker.blocked = True
                    pool.blocked += 1
                    pool.active -= 1
                    found += 1
            wanted = 4 * found if found else pool.base - pool.active
            for _ in range(min(wanted, len(pool.queue))):
                if not pool.wake_one():
                    break


def _blocked(worker: Worker, now: float, late: bool) -> bool:
    cell = worker.cell
    call = (cell, None if cell is None else cell.since)
    before = worker.sample
    cpu = _cpu_seconds(worker.thread)
    if before[:2] != call:
        worker.sample = (*call, now, cpu)
        return False
    _, _, seen_at, cpu_then = before
    assert isinstance(seen_at, float)
    window = now - seen_at
    if cpu is None or not isinstance(cpu_then, float):
        return window >= LONG  # no such clock on this platform: better one thread too many
    if late and window < LONG:
        return False
    if cpu - cpu_then > 0.1 * window:
        worker.sample = (*call, now, cpu)
        return False
    return True


def _cpu_seconds(thread: threading.Thread) -> float | None:
    """CPU time that `thread` has used, in seconds."""
    if not hasattr(time, "pthread_getcpuclockid") or thread.ident is None:
        return None
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    except OSError:
        return None
