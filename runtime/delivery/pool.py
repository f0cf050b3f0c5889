"""A run queue and the threads that serve it.

Scheduling is an append to a deque and one comparison; a lock is taken only to put a thread to
sleep or to wake one. No wake-up is missed: a scheduler appends, then reads `active`; a thread that
is about to sleep lowers `active`, then looks at the queue again. One of the two sees the other.

At most `base` threads are meant to run at once (more only hurt under the interpreter's lock), save
that a thread which the watchdog found blocked in a handler does not count (`watchdog.py`; the idea
is ForkJoinPool's `ManagedBlocker`, without the annotation). Threads start when needed; those above
`base` end after `IDLE` seconds without work.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from choreia.runtime.delivery.context import running
from choreia.runtime.delivery.dispatcher import Runnable, Runs, ThreadEnds

log = logging.getLogger("choreia.dispatcher")

IDLE = 0.5
"""Seconds after which a thread above `base` that finds no work ends."""


class Worker:
    """One thread of a pool, and what the watchdog knows about it."""

    __slots__ = ("abandoned", "blocked", "cell", "latch", "sample", "thread", "turn")

    def __init__(self) -> None:
        self.thread: threading.Thread
        self.cell: Runnable | None = None
        """What it is giving a turn to,"""
        self.turn: Runs | None = None
        """and which turn: after a restart a cell has another one."""
        self.blocked = False
        """Found blocked by the watchdog; it does not count as active."""
        self.abandoned = False
        """What it serves was taken from it; it counts for nothing, and ends when it can."""
        self.latch = threading.Lock()
        self.latch.acquire()
        self.sample: tuple[object, ...] = ()


class Pool:
    """See the module."""

    def __init__(self, base: int, most: int, name: str) -> None:
        self.queue: deque[Runnable] = deque()
        self.lock = threading.Lock()
        self.base = base
        self.most = most
        self.active = 0
        """Threads that are awake and not known to be blocked."""
        self.blocked = 0
        self.aside = 0
        """Threads that wait for other agents; they do not count against `most`."""
        self.workers: set[Worker] = set()
        self.sleepers: list[Worker] = []
        self.on_quiet: Callable[[], None] = lambda: None
        self.on_busy: Callable[[], None] = lambda: None
        self._name = name
        self._number = count(1)
        self._here = threading.local()
        self._leaving: list[threading.Thread] = []
        self._hanging: list[threading.Thread] = []
        self._stopping = False
        self._wakes = 0

    def schedule(self, cell: Runnable) -> None:
        self.queue.append(cell)
        if self.active < self.base:
            self._wake_for_work()

    def quiet(self) -> bool:
        """Whether nothing is queued or running."""
        return self.lull() is not None

    def lull(self) -> int | None:
        """The number of this lull, if nothing is queued or running; else None.

        The same number twice: nothing has run in between, for that takes waking a thread.
        """
        with self.lock:
            return None if self.active or self.blocked or self.queue else self._wakes

    def _wake_for_work(self) -> None:
        with self.lock:
            if self.queue and self.active < self.base:
                self.wake_one()
        self.on_busy()

    def wake_one(self) -> bool:
        """Wake a sleeping thread or start one: False when there are `most`. Hold the lock."""
        self._wakes += 1
        if self.sleepers:
            worker = self.sleepers.pop()
            self.active += 1
            worker.latch.release()
            return True
        if len(self.workers) - self.aside >= self.most or self._stopping:
            return False
        worker = Worker()
        worker.thread = threading.Thread(
            target=self._serve,
            args=(worker,),
            name=f"choreia-{self._name}-{next(self._number)}",
            daemon=True,
        )
        try:
            worker.thread.start()
        except RuntimeError:
            log.exception("no further thread can be started; %d must do", len(self.workers))
            return False
        self.workers.add(worker)
        self.active += 1
        return True

    def _serve(self, worker: Worker) -> None:
        try:
            self._serve_on(worker)
        except BaseException:
            self._died(worker)
            raise

    def _serve_on(self, worker: Worker) -> None:
        queue = self.queue
        self._here.worker = worker
        while True:
            try:
                cell = queue.popleft()
            except IndexError:
                if self._sleep(worker):
                    continue
                return
            worker.cell = cell
            worker.turn = turn = cell.turn
            if worker.abandoned and self._is_abandoned(worker):  # for the turn before, just now
                queue.appendleft(cell)
                self._gone()
                return
            try:
                turn.run()
            except ThreadEnds:
                cell.lost(f"thread {worker.thread.name} ended")
                self._died(worker)
                return
            except BaseException as error:
                # Turns deal with what handlers raise, so this is a fault of the runtime.
                log.critical("a turn of %r failed", cell, exc_info=True)
                cell.lost(f"thread {worker.thread.name} failed in its turn: {error!r}")
            if (worker.blocked or self.active > self.base) and not self._give_way(worker):
                return

    def _give_way(self, worker: Worker) -> bool:
        """After a turn with more threads than meant: sleep if so. False: end the thread."""
        with self.lock:
            if worker.abandoned:
                return False
            self._count_again(worker)
            if self.active <= self.base:
                return True
        return self._sleep(worker)

    def _count_again(self, worker: Worker) -> None:
        """Its handler has returned: the thread is not blocked any more. Hold the lock."""
        if worker.blocked and not worker.abandoned:
            worker.blocked = False
            self.blocked -= 1
            self.active += 1

    def inside(self, cell: Runnable) -> int | None:
        """The ident of the thread that is giving `cell` a turn."""
        return next((ident for served, ident in self.serving() if served is cell), None)

    def serving(self) -> list[tuple[Runnable, int]]:
        """All cells that have a turn now, each with its thread's ident."""
        with self.lock:
            workers = list(self.workers)
        pairs = [(worker.cell, worker.thread.ident) for worker in workers]
        return [(cell, ident) for cell, ident in pairs if cell is not None and ident is not None]

    def abandon(self, turn: Runs) -> bool:
        """Count no longer on the thread that is in `turn`: whether there is one."""
        with self.lock:
            worker = next((worker for worker in self.workers if worker.turn is turn), None)
            if worker is None:
                return False
            # Its thread may come back just now, and go on with another turn: it says so first, and
            # then looks whether it is abandoned; we the other way round (see `_is_abandoned`).
            worker.abandoned = True
            if worker.turn is not turn:
                worker.abandoned = False
                return False
            self._hanging.append(worker.thread)
            self._uncount(worker)
            worker.blocked = True  # so that it looks at this when it comes back
        self._gone()
        return True

    def _is_abandoned(self, worker: Worker) -> bool:
        """The same, when nobody is in the middle of deciding it."""
        with self.lock:
            return worker.abandoned

    def hanging(self) -> int:
        """Threads that were abandoned, and have not come back."""
        with self.lock:
            self._hanging = [thread for thread in self._hanging if thread.is_alive()]
            return len(self._hanging)

    def _died(self, worker: Worker) -> None:
        """Its thread ends where it stands: somebody else has to take over."""
        with self.lock:
            if worker.abandoned:
                return
            worker.abandoned = True
            if worker in self.sleepers:  # it was not counted
                self.sleepers.remove(worker)
                self._let_go(worker)
            else:
                self._uncount(worker)
        self._gone()

    def _uncount(self, worker: Worker) -> None:
        """`worker` is none of the pool's any more. Hold the lock."""
        if worker.blocked:
            self.blocked -= 1
        else:
            self.active -= 1
        self._let_go(worker)

    def _gone(self) -> None:
        with self.lock:
            if self.queue and self.active < self.base:
                self.wake_one()
            quiet = not self.active and not self.blocked and not self.queue
        if quiet:
            self.on_quiet()

    @contextmanager
    def stepping_aside(self) -> Iterator[None]:
        """Whatever thread this is, it is going to wait for other agents: one of the pool's lets
        others serve them at once, more than `most` if need be, or they might never come."""
        worker: Worker | None = getattr(self._here, "worker", None)
        if worker is None:
            yield
            return
        if worker.abandoned:  # it counts for nothing already
            yield
            return
        with self.lock:
            self.aside += 1
            if not worker.blocked:
                worker.blocked = True
                self.blocked += 1
                self.active -= 1
            if self.queue and self.active < self.base:
                self.wake_one()
        try:
            yield
        finally:
            with self.lock:
                self.aside -= 1

    def _sleep(self, worker: Worker) -> bool:
        """Sleep until there is work. False: the thread is no longer needed."""
        worker.cell = worker.turn = None
        running.set(None)  # turns leave their mark; the next one writes over it
        with self.lock:
            if worker.abandoned:
                return False
            self._count_again(worker)  # the watchdog may just have found it blocked, too late
            self.active -= 1
            if (self.queue and self.active < self.base) and not self._stopping:
                self.active += 1
                return True
            ending = self._stopping
            if ending:
                self._let_go(worker)
            else:
                self.sleepers.append(worker)
            quiet = not self.active and not self.blocked and not self.queue
        if quiet:
            self.on_quiet()
        if ending:
            return False
        while not worker.latch.acquire(timeout=IDLE if len(self.workers) > self.base else -1):
            with self.lock:
                if worker in self.sleepers and len(self.workers) > self.base:
                    self.sleepers.remove(worker)
                    self._let_go(worker)
                    return False
        return True

    def _let_go(self, worker: Worker) -> None:
        """`worker` ends. It is remembered until it has: who stops the pool waits for that too."""
        self.workers.discard(worker)
        self._leaving = [thread for thread in self._leaving if thread.is_alive()]
        self._leaving.append(worker.thread)

    def close(self) -> None:
        """Let every thread end when it has no turn to give."""
        with self.lock:
            self._stopping = True
            sleepers, self.sleepers = self.sleepers, []
            self.active += len(sleepers)
            for worker in sleepers:
                worker.latch.release()

    @property
    def ended(self) -> bool:
        """Whether it is closed, and no thread of it is left."""
        return self._stopping and not any(thread.is_alive() for thread in self.threads())

    def threads(self) -> list[threading.Thread]:
        with self.lock:
            return [worker.thread for worker in self.workers] + self._leaving
