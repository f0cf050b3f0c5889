"""The simulated dispatcher: whoever waits lets the others run, in an order drawn from a seed."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from random import Random
from threading import get_ident
from types import FrameType

from choreia.runtime.delivery.context import running_turn
from choreia.runtime.delivery.dispatcher import CoroutineTask, Done, Runnable, Runs, ThreadEnds
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.stacks import awaited_frames
from choreia.runtime.errors import Deadlock, SystemStopped
from choreia.runtime.simulation.clock import SimulatedClock
from choreia.runtime.simulation.loop import SimulatedLoop
from choreia.runtime.simulation.strand import Baton, Strand

log = logging.getLogger("choreia.dispatcher")

ROUNDS = 100
"""How often a handler that goes on after its system has stopped may block again."""


class SimulatedTask:
    orphaned = False

    def __init__(self, task: asyncio.Task[object]) -> None:
        self._task = task

    def stack(self) -> list[FrameType]:
        return awaited_frames(self._task)

    def cancel(self) -> None:
        self._task.cancel()


class SimulatedDispatcher:
    """Implements `Dispatcher` with one running thread at a time. See the package."""

    simulated = True

    def __init__(self, clock: SimulatedClock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._runnable: list[Runnable] = []
        self._running = 0
        """Turns that have begun and not ended: one runs, the others wait at gates."""
        self._loop: SimulatedLoop | None = None
        self._callback: Callable[[], None] = lambda: None
        self._baton = Baton(self._drive)
        self._waiting: dict[Strand, None] = {}
        """All strands, in the order in which they began to wait."""
        self._open: list[Strand] = []
        """Those of them whose gates have opened."""
        self._hanging = 0
        """Turns that were taken from their threads, which have not come back."""
        self._serving: dict[Runnable, int] = {}
        """Who has a turn that has begun and not ended, and on which thread."""
        self.withheld: set[Runnable] = set()
        """Who gets no turn, though it is due one: a fault for tests (`faults.py`)."""
        self.slowness: Callable[[], float] | None = None
        """How long the next turn takes (virtual seconds): another one. None: no time at all."""
        self.watchful: Callable[[], bool] = lambda: True
        """Whether those who look on in the background have anything to look at."""
        self.hopeful: Callable[[], bool] = lambda: False
        """Whether they may bring about something that others wait for."""

    @property
    def punctual(self) -> bool:
        return self.slowness is None

    def schedule(self, cell: Runnable) -> None:
        self._runnable.append(cell)

    def dedicated(self, name: str) -> Callable[[Runnable], None]:
        return self.schedule

    def release_lane(self, schedule: object) -> None: ...

    def adopt_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Coroutines stay on the virtual-time loop, whatever the caller runs on."""

    def inside(self, cell: Runnable) -> int | None:
        return self._serving.get(cell)

    def serving(self) -> list[tuple[Runnable, int]]:
        return list(self._serving.items())

    def hanging(self) -> int:
        return self._hanging

    def abandon(self, cell: Runnable, turn: Runs) -> None:
        if self._serving.pop(cell, None) is not None:
            self._running -= 1
            self._hanging += 1
            if self.quiet():
                self._callback()

    # -- coroutines -----------------------------------------------------------------------

    def start_coroutine(
        self, coroutine: Coroutine[object, object, object], context: Context, done: Done
    ) -> CoroutineTask:
        task: asyncio.Task[object] = self._own_loop().create_task(coroutine, context=context)

        def ended(task: asyncio.Task[object]) -> None:
            if task.cancelled():
                done(None, asyncio.CancelledError())
            elif (error := task.exception()) is not None:
                done(None, error)
            else:
                done(task.result(), None)

        task.add_done_callback(ended)
        return SimulatedTask(task)

    def _own_loop(self) -> SimulatedLoop:
        if self._loop is None:
            self._loop = SimulatedLoop(self._clock, self.schedule)
        return self._loop

    # -- waiting --------------------------------------------------------------------------

    def wait(self, gate: Gate, timeout: float | None) -> bool:
        if gate.is_open:
            return True
        until = None
        if timeout is not None and timeout < math.inf:
            until = self._clock.monotonic() + max(0.0, timeout)
        turn = running_turn()
        who = "code outside" if turn is None else turn.cell.describe()
        strand = Strand(gate, until, who, self._baton.outside)
        self._waiting[strand] = None
        gate.then(partial(self._opened, strand))
        self._baton.wait(strand)
        if strand.error is not None:
            raise strand.error
        return gate.is_open

    async def wait_async(self, gate: Gate, timeout: float | None) -> bool:
        if asyncio.get_running_loop() is self._loop:
            return await gate.wait_async(timeout)
        return self.wait(gate, timeout)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, and everything happen that is due meanwhile."""
        self.wait(Gate(), seconds)

    def _opened(self, strand: Strand) -> None:
        if strand in self._waiting:
            self._open.append(strand)

    def _resumed(self, strand: Strand, error: BaseException | None = None) -> Strand:
        del self._waiting[strand]
        if strand in self._open:
            self._open.remove(strand)
        strand.error = error or strand.error
        return strand

    # -- time and turns -------------------------------------------------------------------

    def _drive(self) -> Strand:
        """Give turns, and let time pass when there are none, until a strand is to go on."""
        while (strand := self._step()) is None:
            pass
        return strand

    def _step(self) -> Strand | None:
        """One choice among all that could go on now: the strand, if it fell on one."""
        for strand in self._open:
            if strand.outside:  # as soon as it can: the rest happens when it waits again
                return self._resumed(strand)
        loop_ready = self._loop is not None and not self._loop.stepping and self._loop.ready
        runnable = self._runnable
        if self.withheld:
            runnable = [cell for cell in runnable if cell not in self.withheld]
        choices = len(runnable) + len(self._open) + loop_ready
        if not choices:
            return self._let_time_pass()
        chosen = self._random.randrange(choices)
        if chosen < len(self._open):
            return self._resumed(self._open[chosen])
        chosen -= len(self._open)
        if self.slowness is not None:
            self._clock.advance_to(self._clock.monotonic() + self.slowness())
        if chosen < len(runnable):
            cell = runnable.pop(chosen)
            if runnable is not self._runnable:
                self._runnable.remove(cell)
            self._serve(cell)
        elif self._loop is not None:
            self._running += 1
            try:
                self._loop.step()
            except BaseException:
                log.critical("the event loop failed", exc_info=True)
            finally:
                self._running -= 1
        if not self._running and not self._runnable:
            self._callback()
        return None

    def _serve(self, cell: Runnable) -> None:
        turn = cell.turn
        self._running += 1
        self._serving[cell] = get_ident()
        try:
            turn.run()
        except ThreadEnds:
            cell.lost("the simulated thread that served it ended")
        except BaseException as error:
            # Turns deal with what handlers raise, so this is a fault of the runtime.
            log.critical("a turn failed", exc_info=True)
            cell.lost(f"its turn failed: {error!r}")
        finally:
            # Unless it was taken from this thread meanwhile, and perhaps has a turn on another.
            if self._serving.get(cell) == get_ident():
                del self._serving[cell]
                self._running -= 1
            else:
                self._hanging -= 1

    def _let_time_pass(self) -> Strand | None:
        """Nothing can go on now: jump to the next timer, or to the end of somebody's patience."""
        due = self._next_event()
        patient = [strand for strand in self._waiting if strand.until is not None]
        first = min(patient, key=_until, default=None)
        if first is not None and (due is None or due > _until(first)):
            self._clock.advance_to(_until(first))
            return self._resumed(first)
        if due is None:
            return self._deadlocked()
        self._clock.advance_to(due)
        return None

    def _next_event(self) -> float | None:
        """When something is due next, for whose sake time may pass."""
        due, background = self.next_timer(), self._clock.next_in_background()
        if background is None or not self.watchful():
            return due  # where nothing is to be seen, nobody needs to look: a year passes at once
        if due is not None:
            return min(due, background)
        waited = any(strand.until is not None for strand in self._waiting)
        return background if waited or self.hopeful() else None

    def next_timer(self) -> float | None:
        """When something is due next (monotonic seconds), or None. Heartbeats apart."""
        loop = self._loop
        times = (
            self._clock.next_timer(),
            None if loop is None or loop.stepping else loop.next_timer(),
        )
        return min((when for when in times if when is not None), default=None)

    def _deadlocked(self) -> Strand:
        """It is told to the handler that waited last, so that the others may go on; without one,
        to the code outside."""
        waiting = list(self._waiting)
        inside = [strand for strand in waiting if not strand.outside]
        error = Deadlock(
            "a blocking call waits for something that cannot happen: no agent can go on, and no "
            "timer is set. Is a mailbox full whose agent is paused, or does an agent ask another "
            f"that waits for it? Waiting: {'; '.join(strand.who for strand in waiting)}"
        )
        return self._resumed((inside or waiting)[-1], error)

    # -- settling and stopping ------------------------------------------------------------

    def quiet(self) -> bool:
        return not self._running and not self._runnable and not self._loop_busy()

    def _loop_busy(self) -> bool:
        return self._loop is not None and self._loop.ready

    def lull(self) -> object | None:
        return True if self.quiet() else None  # nothing runs while it looks

    def when_quiet(self, callback: Callable[[], None]) -> None:
        self._callback = callback

    def stop(self, timeout: float) -> None:
        for _ in range(ROUNDS):
            if not self._waiting:
                break
            for strand in self._waiting:
                strand.error = SystemStopped("the system stopped while a handler was waiting")
                self._opened(strand)
            self.wait(Gate(), 0)
        if self._loop is not None and not self._loop.is_closed():
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            while self._loop.ready:
                self._loop.step()
            self._loop.close()
        self._baton.end(timeout)


def _until(strand: Strand) -> float:
    assert strand.until is not None
    return strand.until
