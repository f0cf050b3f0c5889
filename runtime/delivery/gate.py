"""A gate: opened once, waited for by a thread, a coroutine, or the simulation.

Whatever blocks in Choreia waits at a gate, through the dispatcher: the real one puts the thread
to sleep, the simulated one runs other agents meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress


class Gate:
    """Closed at first; `open()` lets everybody through, for good. Thread-safe."""

    __slots__ = ("_lock", "_then", "brief", "certain", "is_open")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._then: list[Callable[[], None]] = []
        self.is_open = False
        self.brief = False
        """Whether it waits for no more than a disk: who will not wait for room waits here."""
        self.certain = False
        """Whether it opens soon, come what may: nobody gives up waiting at it."""

    def open(self) -> None:
        with self._lock:
            if self.is_open:
                return
            self.is_open = True
            then, self._then = self._then, []
        for callback in then:
            callback()

    def then(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the gate opens (from the thread that opens it), or now."""
        with self._lock:
            if not self.is_open:
                self._then.append(callback)
                return
        callback()

    def wait(self, timeout: float | None) -> bool:
        """Block this thread until the gate is open: whether it is, after `timeout` seconds."""
        if self.is_open:
            return True
        # A lock that is let go by the opener: a `threading.Event` would cost a condition more.
        latch = threading.Lock()
        latch.acquire()
        self.then(latch.release)
        if timeout is None:
            return latch.acquire()
        return latch.acquire(timeout=min(max(0.0, timeout), threading.TIMEOUT_MAX))

    async def wait_async(self, timeout: float | None) -> bool:
        """Await the gate on the running loop: whether it is open, after `timeout` seconds."""
        if self.is_open:
            return True
        loop = asyncio.get_running_loop()
        opened = asyncio.Event()

        def tell() -> None:
            # A loop that has closed, perhaps just now, has nobody waiting any more; whoever opens
            # the gate must not hear of it.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(opened.set)

        self.then(tell)
        try:
            await asyncio.wait_for(opened.wait(), timeout)
        except TimeoutError:
            return self.is_open
        return True
