"""Dead letters: what could not be delivered or handled, kept with the reason."""

from __future__ import annotations

import logging
import threading
import traceback as tracebacks
from collections import deque

import attrs

from choreia.runtime.delivery.progress import Progress
from choreia.runtime.events.event import Event

log = logging.getLogger("choreia.deadletters")

KEPT = 10_000


@attrs.frozen(eq=False)
class DeadLetter:
    """One event that one agent will not handle, unless it is redelivered.

    `reason`: ``failed`` (retries exhausted), ``gave_up`` (`GiveUp`, or an error no retry mends),
    ``hops`` (the causal chain is too long), ``budget`` (its case has used too much), ``rejected``
    (mailbox full), ``stopped``, ``killed``, ``crashed`` (the process died over it too often),
    ``duplicate`` (its id stands in the log with another body), ``stuck`` (its handler did not come
    back, and the agent was taken from it), ``unhandled`` (told to an agent that has no handler for
    it).
    """

    event: Event | None
    """The event; None when what failed was a told message (then `message` holds it)."""
    agent: str
    """The name of the agent it was for."""
    error: BaseException | None
    """None, too, when it was read from a store."""
    traceback: str
    """The formatted traceback of `error`; for a handler that hangs, where it does; or nothing."""
    attempts: int
    """How often the agent tried."""
    reason: str
    time: float
    """When it died: Unix seconds."""
    message: object = None
    progress: Progress | None = attrs.field(default=None, repr=False)
    """What earlier attempts have already done; a redelivery goes on from here."""
    said: str = ""
    """`error` in one line, when it was read from a store: the error itself did not outlive its
    process."""


@attrs.frozen
class Redelivery:
    """A dead letter's event on its way back into a mailbox, with what was done before."""

    event: Event
    progress: Progress | None


def format_error(error: BaseException | None) -> str:
    """The traceback of `error` as text. Whatever its `__str__` does, this does not raise."""
    if error is None:
        return ""
    try:
        return "".join(tracebacks.format_exception(error))
    except Exception:
        return f"{type(error).__name__} (its traceback cannot be formatted)\n"


def name_error(error: BaseException) -> str:
    """`error` in one line that fits into an event. Whatever its `__str__` does, likewise."""
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:
        text = type(error).__name__
    return text[:2_000].encode("utf-8", "replace").decode()


def let_go_of_frames(error: BaseException) -> None:
    """Drop the tracebacks of `error` and its causes: they hold every local variable of the
    handler, and ten thousand dead letters are kept. The text has been made."""
    met: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        at = waiting.pop()
        if at is None or id(at) in met:
            continue
        met.add(id(at))
        at.__traceback__ = None
        waiting += (at.__cause__, at.__context__)
        if isinstance(at, BaseExceptionGroup):
            waiting += at.exceptions


class DeadLetters:
    """The last 10,000 dead letters of a system, oldest first; older ones are counted."""

    def __init__(self, kept: int = KEPT) -> None:
        self._lock = threading.Lock()
        self._letters: deque[DeadLetter] = deque()
        self._kept = kept
        self.evicted = 0

    def add(self, letter: DeadLetter) -> None:
        with self._lock:
            self._letters.append(letter)
            if len(self._letters) <= self._kept:
                return
            self._letters.popleft()
            self.evicted += 1
            first = self.evicted == 1
        if first:
            log.error("more than %d dead letters: the oldest are let go from here on", self._kept)

    def remove(self, letter: DeadLetter) -> bool:
        """Take `letter` out: whether it was in."""
        with self._lock:
            if letter not in self._letters:
                return False
            self._letters.remove(letter)
            return True

    def all(self) -> list[DeadLetter]:
        with self._lock:
            return list(self._letters)
