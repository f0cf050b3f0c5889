"""What ends a handler before it ends itself: its `timeout`, and an event that makes it moot.

A coroutine is cancelled. A handler on a thread cannot be: its agent is taken from it
(`fencing.py`). A generator is in between: past its time it is ended at its next `yield`, unless it
hangs on the way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from choreia.runtime.delivery.steps import Step
from choreia.runtime.errors import HandlerTimeout
from choreia.runtime.events.event import Event
from choreia.runtime.events.topic import TopicPattern

if TYPE_CHECKING:
    from choreia.runtime.delivery.clock import Timer
    from choreia.runtime.delivery.dispatcher import CoroutineTask
    from choreia.runtime.delivery.turn import Turn


class Cancelled(BaseException):
    """Ends an attempt that `event` made moot. It never leaves the runtime."""

    def __init__(self, event: Event) -> None:
        super().__init__(event.type)
        self.event = event


async def within(timeout: float | None, awaitable: Awaitable[object], turn: Turn) -> object:
    """Await it for `timeout` seconds at most, on its loop's time. Raises `HandlerTimeout`."""
    if timeout is None:
        return await awaitable
    scope = asyncio.timeout(timeout)
    try:
        async with scope:
            result = await awaitable
    except TimeoutError:
        if scope.expired():
            raise _too_long(turn, timeout) from None
        raise
    if scope.expired():  # it swallowed its cancellation: that does not make it any earlier
        raise _too_long(turn, timeout)
    return result


class Stopwatch:
    """Measures one attempt of a handler that has the thread. A context manager."""

    __slots__ = ("_error", "_timeout", "_timer", "_turn")

    def __init__(self, turn: Turn, step: Step) -> None:
        self._turn = turn
        self._timeout = step.limits.timeout
        self._timer: Timer | None = None
        self._error: HandlerTimeout | None = None

    def __enter__(self) -> Stopwatch:
        if self._timeout is not None:
            self._timer = self._turn.engine.clock.call_later(self._timeout, self._over)
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _over(self) -> None:
        """On the clock's thread."""
        turn = self._turn
        loan = turn.lent  # first: while the timer is there, it is this handler's
        if self._timer is None or self._timeout is None:
            return
        self._error = _too_long(turn, self._timeout)
        if loan is not None:
            turn.ear.overran(loan, self._error)

    def check(self) -> None:
        """Between two steps of a generator: raise `HandlerTimeout` if its time is over."""
        if self._error is not None:
            raise self._error


class Moot:
    """Looks out for an event that makes a running coroutine moot, and cancels it."""

    __slots__ = ("_cancelled", "_patterns", "_stop", "_task", "_turn")

    def __init__(self, turn: Turn, patterns: tuple[TopicPattern, ...]) -> None:
        self._turn = turn
        self._patterns = patterns
        self._cancelled: Event | None = None
        self._task: CoroutineTask | None = None
        event = turn.event
        self._stop: Callable[[], None] | None = None
        if patterns and event is not None:
            case = event.metadata.correlation_id or event.id
            self._stop = turn.engine.bus.watch_case(case, self)

    def watch(self, task: CoroutineTask) -> None:
        """The coroutine has been started, as `task`."""
        self._task = task
        if self._cancelled is not None:
            task.cancel()

    def see(self, event: Event) -> None:
        # What the agent itself says is its work, not the world's reason to stop it.
        if self._cancelled is not None or event.source == self._turn.cell.id:
            return
        if any(pattern.matches(event.type) for pattern in self._patterns):
            self._cancelled = event
            if self._task is not None:
                self._task.cancel()

    def end(self) -> None:
        """Look out no longer."""
        if self._stop is not None:
            self._stop()

    def check(self) -> None:
        """Raise `Cancelled`, if it was."""
        if self._cancelled is not None:
            raise Cancelled(self._cancelled)


def _too_long(turn: Turn, seconds: float) -> HandlerTimeout:
    name = getattr(turn.step, "__name__", str(turn.step))
    return HandlerTimeout(
        f"handler {name} of agent {turn.cell.name!r} took longer than its timeout of {seconds:g} s",
        handler=name,
        seconds=seconds,
    )
