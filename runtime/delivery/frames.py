"""Frames: what a turn does that takes longer than a call.

Coroutines, generators, retries, parking, starting, stopping: each is a Python generator that runs
until it must wait, with a hold set on the cell, and is resumed when the hold is let go. So waiting
is written as ordinary sequential code, blocks no thread, and costs the hot path (`turn.py`)
nothing. A turn has one frame at a time, and its mailbox waits for it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from choreia.runtime.delivery.behaviour import Ear, Frame, Hearing, Planner
from choreia.runtime.delivery.cell import AWAITING, BACKING_OFF, PARKING, Cell
from choreia.runtime.delivery.dispatcher import CoroutineTask
from choreia.runtime.delivery.emission import Emitter
from choreia.runtime.delivery.failure import Failure
from choreia.runtime.delivery.fencing import Loan
from choreia.runtime.delivery.outgoing import Outgoing
from choreia.runtime.delivery.retry import Retry
from choreia.runtime.delivery.steps import Handler
from choreia.runtime.delivery.timing import Times
from choreia.runtime.events.event import Event

ExcInfo = BaseException | bool | None


class Frames(Outgoing):
    """The half of a `Turn` that has a frame, and what belongs to it."""

    __slots__ = (
        "agent",
        "attempt",
        "began",
        "breaking_off",
        "ear",
        "ending",
        "frame",
        "held",
        "interim",
        "leaving",
        "monotonic",
        "parting",
        "pause_next",
        "planner",
        "retry",
        "starting",
        "step",
        "task",
        "waited",
    )

    ear: Ear

    def __init__(
        self,
        cell: Cell,
        agent: Hearing,
        planner: Planner,
        emitter: Emitter,
        retry: Retry,
        max_outbox: int,
    ) -> None:
        super().__init__(cell, emitter, max_outbox)
        self.agent = agent
        self.monotonic = cell.engine.clock.monotonic
        self.planner = planner
        self.retry = retry
        self.step: Handler | None = None
        """The handler that runs now."""
        self.attempt = 1
        self.frame: Frame | None = None
        self.held: object = None
        """The item that the frame is about; None when it is about no item."""
        self.began = 0.0
        """When the frame began (monotonic seconds)."""
        self.waited = False
        """Whether it has had to wait."""
        self.interim = False
        """Whether it only keeps the place for another: see `replacing.py`, above this layer."""
        self.breaking_off = False
        """Whether it is just being broken off, and has not come to its end."""
        self.starting = False
        """Whether its agent is just beginning,"""
        self.pause_next = False
        """and is to be paused when it has begun."""
        self.parting = False
        """Whether its agent is having its last words."""
        self.ending = "killed"
        """Why what was in hand ended, when it was broken off."""
        self.leaving = False
        """Whether the event in hand is handled, and only what came of it is still on its way."""
        self.task: CoroutineTask | None = None

    def keep_place_of(self, other: Frames) -> None:
        """It is an interim turn, made to keep the place of `other`: what that knows of its agent's
        doings is needed to bury what it had in hand."""
        self.interim = True

    def begin(self, frame: Frame, item: object = None) -> None:
        """Run `frame`, which is about `item`, until it waits or ends; the mailbox waits for it."""
        assert self.frame is None, "one thing at a time"
        self.frame, self.held = frame, item
        self.began = self.sign = self.monotonic()
        self.waited = False
        self.cell.interrupt = True
        self._resume()

    def took(self, seconds: float, events: int) -> None:
        """Somebody looks, and so many events have taken `seconds` each."""
        times = self.cell.times
        if times is None:
            times = self.cell.times = Times()
        times.add(seconds, events)

    def _resume(self) -> None:
        frame = self.frame
        assert frame is not None
        try:
            next(frame)
            self.waited = True
            return
        except StopIteration:
            pass
        except BaseException as error:
            # Frames deal with what handlers raise; this is a fault of the runtime itself.
            if not self.fenced:
                self._failed(error)
        if self.frame is frame:
            held = self.held
            self.frame = self.held = None
            if self.waited and self.engine.timed and held is not None:
                self.took(self.monotonic() - self.began, 1)
            self.leaving = False
            self.progress = None
            self.step = self.event = None
            self.attempt = 1
            if held is not None and not self.fenced:
                self.over(held)
            if self.doubted is not None:
                self.live()

    def over(self, item: object) -> None:
        """It is in hand no more, whatever became of it, and what came of it is on its way."""
        self.engine.over(self.cell, item)

    def lend(self, function: Callable[..., object], *arguments: object) -> object:
        """Call the user's code from a frame. Raises `Fenced`, whatever came of it, when another
        turn has taken this one's place meanwhile."""
        self.sign = self.monotonic()  # each call is a step of its own
        self.lent = Loan(self.held, function)
        try:
            return function(*arguments)
        except GeneratorExit as error:  # of its own making: it would end the frame
            name = getattr(function, "__qualname__", function)
            raise RuntimeError(f"{name} raised GeneratorExit") from error
        finally:
            if not self._regained():
                raise self.fenced_error("a handler that came back too late")

    def _regained(self) -> bool:
        """The user's code has given the turn back: whether it is still ours. See `fencing.py`."""
        self.lent = None
        if not self.claimed:
            return True
        with self.engine.fencing:
            return not self.fenced

    def failed(self, error: BaseException, where: str) -> None:
        """Let whoever wants to know of each failed attempt know of this one."""
        tell = self.engine.on_failure
        if tell is not None:
            try:
                tell(Failure(self.cell.name, self.event, error, self.attempt, where))
            except Exception:
                self.engine.on_failure = None
                self.report(logging.ERROR, "who looks on at failures failed", exc_info=True)

    def _failed(self, error: BaseException) -> None:
        event = None if self.leaving else self.event
        if event is not None:
            self.bury(event, error, self.attempt, "failed", self.progress)
        self.report(logging.CRITICAL, "the runtime failed", exc_info=error)

    def wait(self, error: BaseException) -> float | None:
        """Seconds until the next attempt, after `error`; None to give up."""
        return self.retry.wait(error, self.attempt, self.engine.random)

    def rescue(self, error: BaseException) -> bool:
        """It was tried often enough, and `drop` was called: whether to handle it once more, without
        what has failed."""
        return False

    def abort(self, reason: str) -> Event | None:
        """Drop what is unfinished (the agent is killed, …): the event in hand, if any.

        Raises `Fenced` when that took too long, and another turn has taken this one's place.
        """
        event, self.event = None if self.leaving else self.event, None
        held = self.held
        if self.leaving:
            self.held = None
        self.leaving = False
        self.ending = reason
        frame, self.frame = self.frame, None
        if self.task is not None:
            self.task.cancel()
            self.task = None
        if frame is not None:
            self.breaking_off = True
            try:
                frame.close()
            except BaseException:
                self.report(logging.ERROR, "a handler did not end well", exc_info=True)
            self.breaking_off = False
            if self.fenced:  # its clean-up hung; what it was about has been seen to
                raise self.fenced_error("a handler that was broken off")
        self.held = None
        self.drop()
        if held is not None:
            self.over(held)
        self.step = None
        self.cell.release(PARKING | BACKING_OFF | AWAITING)
        return event

    # -- what a turn does besides, when there is a store -----------------------------------

    def awaken(self) -> Frame:
        """Before anything else: be where the agent was when it stopped."""
        yield from ()

    def ready(self) -> None:
        """It has begun: from here on events may come."""

    def tried(self, event: Event) -> None:
        """An attempt at `event` failed, and there will be another."""

    def retrying(self, event: Event) -> Frame:
        """The next attempt at `event` is about to begin."""
        yield from ()

    def settle(self) -> Frame:
        """Have all that the agent has said be where it belongs."""
        yield from self.drain()

    def forget(self) -> None:
        """Nobody will use the turn again: refer to nothing that refers back."""
        del self.ear

    def leave(self) -> None:
        """Send off what is buffered. What finds no room makes a frame, and the agent park."""
        self.send_off()
        if self.cell.outbox:
            self.leaving = True
            self.begin(self.drain())

    @property
    def log(self) -> logging.Logger:
        # Loggers are never let go of, and a family may have millions of members.
        return logging.getLogger(f"choreia.agent.{self.cell.name.partition(':')[0]}")

    def report(self, level: int, text: str, *args: object, exc_info: ExcInfo = None) -> None:
        """Log, whatever the user's log handlers do: an observer cannot hurt the observed."""
        try:
            self.log.log(level, text, *args, exc_info=exc_info)
        except Exception as error:
            print(f"choreia: a log handler failed: {error!r}", file=sys.stderr)  # noqa: T201
