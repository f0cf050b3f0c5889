"""Watches event loops: a coroutine that blocks its loop holds up those of all other agents.

A loop that is free runs a callback at once. While coroutines of ours run on one, it is given a
callback now and then; when that is not run for `LONG`, somebody on the thread of it is blocking it,
and is named, once each time: the agent, if it is one of ours, and the file and the line.

Like the pool's watchdog it watches real threads, on real time.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from choreia.runtime.delivery.stacks import place_of, thread_frames

TICK: Final = 0.25
"""Seconds between two looks."""
LONG: Final = 1.0
"""Seconds for which a loop may be blocked without a word."""

Owner = Callable[[asyncio.Task[object]], str | None]
"""The name of the agent whose coroutine a task is, or None."""

Loop = asyncio.AbstractEventLoop


class LoopWatch:
    """Watches the loops that coroutines of one system run on; asleep while there are none."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._changed = threading.Condition()
        self._pulses: dict[Loop, Pulse] = {}
        self._thread: threading.Thread | None = None
        self._stopped = False

    def began(self) -> None:
        """A coroutine of ours begins on the running loop."""
        loop = asyncio.get_running_loop()
        with self._changed:
            pulse = self._pulses.get(loop)
            if pulse is None:
                pulse = self._pulses[loop] = Pulse(loop)
            pulse.coroutines += 1
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(
                    target=self._watch, name="choreia-loopwatch", daemon=True
                )
                self._thread.start()
            elif len(self._pulses) == pulse.coroutines == 1:
                self._changed.notify()

    def ended(self) -> None:
        """It has come to its end."""
        loop = asyncio.get_running_loop()
        with self._changed:
            pulse = self._pulses[loop]
            pulse.coroutines -= 1
            if not pulse.coroutines:
                del self._pulses[loop]

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        looked_at = time.monotonic()
        while True:
            with self._changed:
                while not self._pulses and not self._stopped:
                    self._changed.wait()
                if not self._stopped:
                    self._changed.wait(TICK)
                if self._stopped:
                    return
                pulses = list(self._pulses.values())
            before, looked_at = looked_at, time.monotonic()
            for pulse in pulses:
                # If we were held up ourselves (by the interpreter's lock), so was the loop.
                if pulse.look(min(looked_at - before, 2 * TICK)):
                    self._tell(pulse)

    def _tell(self, pulse: Pulse) -> None:
        task = asyncio.current_task(pulse.loop)
        agent = None if task is None else self._owner(task)
        frames = thread_frames(pulse.thread)
        places = list(dict.fromkeys(place_of(frame) for frame in (*frames[:1], *frames[-1:])))
        log = logging.getLogger(f"choreia.agent.{agent}" if agent else "choreia.dispatcher")
        with suppress(Exception):  # of whoever handles log records
            log.warning(
                "%s has blocked the event loop for %.1f s, and with it the coroutines of all "
                "agents, at %s: await there, use asyncio.to_thread, or write a plain `def` handler",
                f"agent {agent!r}" if agent else "a task that is no agent's",
                pulse.blocked,
                ", in ".join(places) or "a place that cannot be seen",
            )


class Pulse:
    """Whether one loop is free: its callbacks are run."""

    __slots__ = ("_out", "_told", "blocked", "coroutines", "loop", "thread")

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        """The ident of the loop's thread, which makes this."""
        self.coroutines = 0
        """How many of ours are on it."""
        self.blocked = 0.0
        """Seconds since it was given the callback that has not been run."""
        self._out = False
        self._told = False

    def look(self, seconds: float) -> bool:
        """`seconds` after the last look: whether it is time to say that the loop is blocked."""
        if self._out:
            self.blocked += seconds
            tell = self.blocked >= LONG and not self._told
            self._told = self._told or tell
            return tell
        self._out, self._told, self.blocked = True, False, 0.0
        try:
            self.loop.call_soon_threadsafe(self._back)
        except RuntimeError:  # it has been closed
            self._out = False
        return False

    def _back(self) -> None:
        self._out = False
