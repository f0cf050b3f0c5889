"""Which turn the running code belongs to: of which agent, with which event in hand.

A context variable, so that it holds in the handler's thread, in the coroutines it awaits, and in
what they hand to `asyncio.to_thread`, but not in threads that a handler starts by itself.

Contexts are copied, kept, and run when the handler is long over: by a task it left behind, by a
callback it gave to somebody's event loop. Such code is not in the turn any more, and would speak
in the name of another event. So a handler on a thread counts only on that thread, and the context
of a coroutine has a `Stay` instead of the turn, which ends when the coroutine does.
"""

from __future__ import annotations

from contextvars import Context, ContextVar, copy_context
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from choreia.runtime.delivery.turn import Turn


class Stay:
    """A turn that has gone to an event loop, for as long as its coroutine runs there."""

    __slots__ = ("_broken_off", "_of", "turn")

    def __init__(self, turn: Turn) -> None:
        self.turn: Turn | None = turn
        self._of = turn
        self._broken_off = False

    def end(self) -> None:
        self.turn = None

    def break_off(self) -> None:
        """Its turn waits for it no longer; it may go on all the same."""
        self._broken_off = True
        self.turn = None

    @property
    def fenced(self) -> bool:
        """Whether the coroutine goes on though it was broken off, or its agent replaced."""
        return self._broken_off or self._of.fenced

    @property
    def belongs_to(self) -> Turn | None:
        """The turn, while it lasts; and a fenced one, so that whoever asks is told that it is."""
        return self.turn or (self._of if self.fenced else None)

    def context(self) -> Context:
        """A copy of the calling context, in which this is where the code runs."""
        context = copy_context()
        context.run(running.set, self)
        return context


running: ContextVar[Turn | Stay | None] = ContextVar("choreia_running_turn", default=None)
"""Where the code was running when its context was made; see `running_turn`."""


def running_turn() -> Turn | None:
    """The turn that the calling code belongs to, or None."""
    place = running.get()
    if place is None:
        return None
    if isinstance(place, Stay):
        return place.belongs_to
    return place if place.thread == get_ident() else None
