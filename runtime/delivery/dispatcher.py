"""Whose turn is it, and how to wait: the second half of the seam for determinism.

Two implement it: `workers.ThreadDispatcher`, and `choreia.runtime.simulation.dispatcher`, which
runs one thing at a time, in an order drawn from a seed, in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import Context
from types import FrameType
from typing import Protocol

from choreia.runtime.delivery.gate import Gate

Done = Callable[[object, BaseException | None], None]
"""Told what a coroutine returned, or what it raised; from any thread."""


class Runs(Protocol):
    def run(self) -> None:
        """One turn, on the calling thread."""
        ...


class Runnable(Protocol):
    """What a dispatcher gives turns to: a cell."""

    @property
    def turn(self) -> Runs: ...

    @property
    def since(self) -> float:
        """When the handler that runs now was called (monotonic seconds)."""
        ...

    def lost(self, how: str) -> None:
        """The thread that gave it a turn has ended in it: nobody serves it any more."""
        ...


class ThreadEnds(BaseException):
    """Ends the thread that serves a cell, where it stands: what a crash does. For fault tests."""


class CoroutineTask(Protocol):
    """A coroutine that was started."""

    def cancel(self) -> None:
        """Cancel it, from any thread; `done` is told of a `CancelledError`."""
        ...

    def stack(self) -> list[FrameType]:
        """Where it awaits, outermost first."""
        ...

    @property
    def orphaned(self) -> bool:
        """Whether its loop has closed under it: it will never end."""
        ...


class Dispatcher(Protocol):
    """Gives turns to cells. All methods are thread-safe."""

    simulated: bool
    """One thing at a time, in virtual time: the others run while somebody waits."""

    @property
    def punctual(self) -> bool:
        """Whether timers fire when they are due; if late, then since there was nothing to see."""
        ...

    @property
    def schedule(self) -> Callable[[Runnable], None]:
        """Gives a cell a turn. The caller sees to it that a cell is scheduled once at a time."""
        ...

    def dedicated(self, name: str) -> Callable[[Runnable], None]:
        """A `schedule` that serves one cell on a thread of its own."""
        ...

    def release_lane(self, schedule: object) -> None:
        """The cell of that dedicated `schedule` is gone: its thread may end."""
        ...

    def inside(self, cell: Runnable) -> int | None:
        """The ident of the thread that is giving `cell` a turn; None when there is none."""
        ...

    def serving(self) -> list[tuple[Runnable, int]]:
        """All cells that have a turn now, each with its thread's ident."""
        ...

    def abandon(self, cell: Runnable, turn: Runs) -> None:
        """The thread that is inside `turn`, which was taken from `cell`, may never come back: count
        on it no longer, neither for work nor for idleness. It ends when it does come back."""
        ...

    def hanging(self) -> int:
        """How many threads that were abandoned have not come back."""
        ...

    def start_coroutine(
        self, coroutine: Coroutine[object, object, object], context: Context, done: Done
    ) -> CoroutineTask:
        """Run `coroutine` on the system's loop, in `context`."""
        ...

    def wait(self, gate: Gate, timeout: float | None) -> bool:
        """Block until `gate` opens: whether it is open, after `timeout` seconds."""
        ...

    async def wait_async(self, gate: Gate, timeout: float | None) -> bool:
        """Await `gate` on the running loop: whether it is open, after `timeout` seconds."""
        ...

    def quiet(self) -> bool:
        """Whether no cell is queued or running."""
        ...

    def lull(self) -> object | None:
        """Something that stands for this quiet moment, or None when it is not quiet. Two that are
        equal: nothing has run in between."""
        ...

    def when_quiet(self, callback: Callable[[], None]) -> None:
        """Have `callback` called whenever it gets quiet."""
        ...

    def stop(self, timeout: float) -> None:
        """End all threads; those that hang in a handler are left behind after `timeout` s."""
        ...
