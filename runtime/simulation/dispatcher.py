"""The simulated dispatcher: whoever waits runs the others, in an order drawn from a seed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from random import Random

from choreia.runtime.delivery.dispatcher import CoroutineTask, Done, Runnable
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.errors import Deadlock
from choreia.runtime.simulation.clock import SimulatedClock
from choreia.runtime.simulation.loop import SimulatedLoop


class SimulatedTask:
    def __init__(self, task: asyncio.Task[object]) -> None:
        self._task = task

    def cancel(self) -> None:
        self._task.cancel()


class SimulatedDispatcher:
    """Implements `Dispatcher` on the calling thread. See the package."""

    simulated = True

    def __init__(self, clock: SimulatedClock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._runnable: list[Runnable] = []
        self._running = 0
        self._loop: SimulatedLoop | None = None
        self._callback: Callable[[], None] = lambda: None

    def schedule(self, cell: Runnable) -> None:
        self._runnable.append(cell)

    def dedicated(self, name: str) -> Callable[[Runnable], None]:
        return self.schedule

    def release_lane(self, schedule: object) -> None: ...

    def adopt_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Coroutines stay on the virtual-time loop, whatever the caller runs on."""

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

    def call_on_loop(self, callback: Callable[[], None]) -> None:
        self._own_loop().call_soon(callback)

    def _own_loop(self) -> SimulatedLoop:
        if self._loop is None:
            self._loop = SimulatedLoop(self._clock)
        return self._loop

    # -- time and turns -------------------------------------------------------------------

    def step(self) -> bool:
        """Give one turn to one of those that could have it: False when there is none."""
        ready = self._loop is not None and self._loop.ready
        choices = len(self._runnable) + ready
        if not choices:
            return False
        chosen = self._random.randrange(choices)
        self._running += 1
        try:
            if chosen == len(self._runnable):
                assert self._loop is not None
                self._loop.step()
            else:
                self._runnable.pop(chosen).turn.run()
        finally:
            self._running -= 1
        if not self._running and not self._runnable:
            self._callback()
        return True

    def next_timer(self) -> float | None:
        """When something is due next (monotonic seconds), or None."""
        times = (self._clock.next_timer(), None if self._loop is None else self._loop.next_timer())
        return min((when for when in times if when is not None), default=None)

    def wait(self, gate: Gate, timeout: float | None) -> bool:
        until = None if timeout is None else self._clock.monotonic() + timeout
        while not gate.is_open:
            if self.step():
                continue
            due = self.next_timer()
            if until is not None and (due is None or due > until):
                self._clock.advance_to(until)
                return gate.is_open
            if due is None:
                raise Deadlock(
                    "a blocking call waits for something that cannot happen: no agent can go on, "
                    "and no timer is set. Is a mailbox full whose agent is paused, or does an "
                    "agent ask another that waits for it?"
                )
            self._clock.advance_to(due)
        return True

    async def wait_async(self, gate: Gate, timeout: float | None) -> bool:
        return self.wait(gate, timeout)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, and everything happen that is due meanwhile."""
        self.wait(Gate(), seconds)

    def quiet(self) -> bool:
        return not self._running and not self._runnable and not self._loop_busy()

    def _loop_busy(self) -> bool:
        return self._loop is not None and self._loop.ready

    def lull(self) -> object | None:
        return True if self.quiet() else None  # one thread: nothing runs while it looks

    def when_quiet(self, callback: Callable[[], None]) -> None:
        self._callback = callback

    def stop(self, timeout: float) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        while self._loop.ready:
            self._loop.step()
        self._loop.close()
