"""Where coroutine handlers run: the caller's event loop, or one of the system's own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import Context
from types import FrameType

from choreia.runtime.delivery.context import Stay, running
from choreia.runtime.delivery.dispatcher import Done
from choreia.runtime.delivery.loopwatch import LoopWatch
from choreia.runtime.delivery.stacks import awaited_frames

log = logging.getLogger("choreia.dispatcher")


class LoopTask:
    """A coroutine that was handed to the loop."""

    def __init__(self) -> None:
        self.task: asyncio.Task[object] | None = None
        self._cancelled = False

    def started(self, task: asyncio.Task[object]) -> None:
        self.task = task
        if self._cancelled:
            task.cancel()

    def stack(self) -> list[FrameType]:
        return [] if self.task is None else awaited_frames(self.task)

    @property
    def orphaned(self) -> bool:
        return self.task is not None and self.task.get_loop().is_closed() and not self.task.done()

    def cancel(self) -> None:
        self._cancelled = True
        if self.task is not None:
            with suppress(RuntimeError):  # the loop is closed, and the task has ended with it
                self.task.get_loop().call_soon_threadsafe(self.task.cancel)


def _run(loop: asyncio.AbstractEventLoop) -> bool:
    """Run `loop` until it is stopped: False when a task ended it instead.

    A loop takes `SystemExit` and `KeyboardInterrupt` for its own end. Handlers' are contained,
    those of tasks that handlers start are not, and they too are one agent's failure only.
    """
    try:
        loop.run_forever()
    except (SystemExit, KeyboardInterrupt):
        log.exception("a task tried to end the system's event loop, which goes on")
        return False
    return True


class LoopRunner:
    """Runs coroutines. Under ``async with`` on the caller's loop, so that clients made there work
    in handlers; otherwise on a loop in a thread of its own, started with the first coroutine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        """Serves `_loop`, if that is the system's own."""
        self._earlier: tuple[asyncio.AbstractEventLoop, threading.Thread] | None = None
        """The system's own loop, when it had begun before the caller's was adopted."""
        self._tasks: dict[asyncio.Task[object], str] = {}
        """Those that run, each with the name of its agent."""
        self._watch = LoopWatch(self._tasks.get)
        self._stopped = False

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use the caller's `loop` from now on; what runs already goes on where it is."""
        with self._lock:
            if self._loop is not None and self._thread is not None:
                self._earlier = self._loop, self._thread
            self._loop, self._thread = loop, None

    def start(
        self, coroutine: Coroutine[object, object, object], context: Context, done: Done
    ) -> LoopTask:
        handle = LoopTask()
        place = context.get(running)
        agent = place.turn.cell.name if isinstance(place, Stay) and place.turn is not None else ""

        def begin() -> None:
            loop = asyncio.get_running_loop()
            task: asyncio.Task[object] = loop.create_task(coroutine, context=context)
            self._tasks[task] = agent
            self._watch.began()
            task.add_done_callback(lambda task: self._ended(task, done))
            handle.started(task)

        try:
            self._running_loop().call_soon_threadsafe(begin)
        except RuntimeError as error:  # the loop is closed, or has never been and never will
            coroutine.close()
            done(None, error)
        return handle

    def _ended(self, task: asyncio.Task[object], done: Done) -> None:
        del self._tasks[task]
        self._watch.ended()
        if task.cancelled():
            done(None, asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            done(None, error)
        else:
            done(task.result(), None)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                if self._stopped:
                    raise RuntimeError("the system has stopped: no coroutine can run")
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._serve, args=(self._loop,), name="choreia-loop", daemon=True
                )
                self._thread.start()
            return self._loop

    @staticmethod
    def _serve(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            while not _run(loop):
                pass
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    def stop(self, timeout: float) -> None:
        """Cancel what still runs; end the loop and its thread, if they are our own."""
        with self._lock:
            if self._stopped or self._loop is None:
                self._stopped = True
                return
            self._stopped = True
            loop, thread = self._loop, self._thread
        self._watch.stop()
        if self._earlier is not None:
            self._end(*self._earlier, timeout)
        if thread is not None:
            self._end(loop, thread, timeout)
        else:  # the caller's: only our tasks are ours to end
            with suppress(RuntimeError):  # it is closed, and they have ended with it
                loop.call_soon_threadsafe(self._cancel_all)

    def _end(
        self, loop: asyncio.AbstractEventLoop, thread: threading.Thread, timeout: float
    ) -> None:
        if loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._finish(), loop)
        thread.join(timeout)
        if thread.is_alive():
            log.error("the system's event loop did not end within %s s; it is left behind", timeout)

    def _cancel_all(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    async def _finish(self) -> None:
        loop = asyncio.get_running_loop()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks(loop) if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        loop.stop()
