"""What ends a system that runs until somebody says so: signals, and what came of them.

A handler of signals may run between any two instructions of the main thread, also while that one
holds a lock, so it may only do what needs none: it puts a word into a `SimpleQueue`, which is made
for that (an `Event` is not: to set it from a handler can lock up whoever waits for it). The main
thread reads the queue, and whatever else it waits for is put there, too.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final, Literal

import attrs

from choreia.runtime.delivery.gate import Gate
from choreia.runtime.errors import ChoreiaError

Reason = Literal["interrupted", "terminated", "stopped"]
Told = Literal["running"] | Reason
SIGNALS: Final[Mapping[signal.Signals, Reason]] = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "terminated",
}


@attrs.frozen
class Exit:
    """How a run of a system ended."""

    reason: Reason
    """Ctrl-C, SIGTERM, or somebody stopped the system."""
    drained: bool = True
    """Whether all that was in flight was handled."""
    at_once: bool = False
    """Whether a second Ctrl-C cut it short."""
    left: tuple[str, ...] = ()
    """Who had something in flight when the time was over, a line each."""

    @property
    def code(self) -> int:
        """For `sys.exit`: 0; 1 when the time was too short; 130 after Ctrl-C."""
        if not self.drained and not self.at_once:
            return 1
        return 128 + signal.SIGINT if self.reason == "interrupted" or self.at_once else 0


class Asked:
    """What the main thread is told, one thing after another."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._told: SimpleQueue[Reason | Gate] = SimpleQueue()

    def hear(self, number: int, frame: FrameType | None) -> None:
        """The handler of signals."""
        self._told.put(SIGNALS[signal.Signals(number)])

    def tell_stopped(self) -> None:
        self._told.put("stopped")

    def wait(self) -> Reason:
        """The first thing that is told."""
        while True:
            told = self._told.get()
            if not isinstance(told, Gate):
                return told

    def insists(self, gate: Gate, timeout: float) -> bool:
        """Wait for the gate: whether Ctrl-C was pressed meanwhile, which ends the waiting."""
        gate.then(partial(self._told.put, gate))
        ends = self._monotonic() + timeout
        while not gate.is_open:
            try:
                told = self._told.get(timeout=max(0.0, ends - self._monotonic()))
            except Empty:
                break
            if told == "interrupted":
                return True
        return False


@contextmanager
def asking(monotonic: Callable[[], float]) -> Generator[Asked, None, None]:
    """Signals are told, and not acted upon, as long as this lasts."""
    asked = Asked(monotonic)
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number in SIGNALS:
            signal.signal(number, asked.hear)
        yield asked
    finally:
        for number, handler in before.items():
            # None: it was not Python that set it, so Python cannot set it again.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def refuse_to_run(*, simulated: bool) -> None:
    """Raise `ChoreiaError` where a run could not be ended."""
    if threading.current_thread() is not threading.main_thread():
        raise ChoreiaError(
            "run() waits for signals, and only the main thread hears of them: call it there; in "
            "another thread, wait for whatever is to end the system, and call system.stop()"
        )
    if simulated:
        raise ChoreiaError(
            'run() is for real time; a system with mode="simulated" does something only while '
            "somebody waits: call system.wait_idle() or system.advance(seconds)"
        )
