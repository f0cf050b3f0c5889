"""What can be wrong with the fixer. Nobody else can tell, until the supervisor does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

from choreia import Agent, Fenced, on
from choreia.demos.incident.events import ActionStarted, ActionTaken
from choreia.demos.incident.notes import Notes
from choreia.demos.incident.responder import MAX_HOPS, Responder
from choreia.demos.incident.tempo import Tempo
from choreia.demos.incident.worker import Worker

CAME_BACK = "its old handler comes back, and is told that it is Fenced"


class Fault(StrEnum):
    NONE = "none"
    HANG = "hang"
    """It begins to act, and does not come back in time."""
    CRASH = "crash"
    """The thread that serves it ends when it has made its proposal. No agent can do that to itself
    or to another: it is done from outside (`stage`)."""
    SLOW = "slow"
    """It takes long, and says so."""


Remark = Callable[[Agent, str], None]
"""Writes into the chronicle what an agent can no longer say: one that is fenced has no voice."""


class SlowWorker(Worker):
    """It takes much longer than a handler may, and gives signs of life: it is not suspected."""

    async def work(self) -> None:
        left = self.tempo.slow_work
        while left > 0:
            await asyncio.sleep(min(left, self.tempo.sign))
            left -= self.tempo.sign
            self.alive()


class HangingWorker(Worker):
    """It waits for something that comes far too late, and does not listen when it is cancelled."""

    def __init__(self, notes: Notes, tempo: Tempo, remark: Remark) -> None:
        super().__init__(notes, tempo)
        self.remark = remark

    async def work(self) -> None:
        until = self.clock.monotonic() + self.tempo.hang
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(self.tempo.hang)
        await asyncio.sleep(until - self.clock.monotonic())
        come_back(self, self.remark)


class BlockingWorker(Responder):
    """The same with plain blocking code: a thread that hangs cannot even be cancelled."""

    def __init__(self, notes: Notes, tempo: Tempo, remark: Remark) -> None:
        super().__init__(notes, tempo)
        self.remark = remark

    @on(ActionTaken, max_hops=MAX_HOPS)
    def act(self, taken: ActionTaken) -> None:
        if self._is_mine(taken):
            submission = self._submission(taken)
            self.emit_now(ActionStarted(taken.incident))
            threading.Event().wait(self.tempo.hang)
            come_back(self, self.remark)
            self.emit(submission)


def come_back(agent: Agent, remark: Remark) -> None:
    """Go on as if nothing had happened. Raises `Fenced`, if another has taken its place."""
    try:
        agent.alive()
    except Fenced:
        remark(agent, CAME_BACK)
        raise


def fixer_for(
    fault: Fault, notes: Notes, tempo: Tempo, remark: Remark, *, blocking: bool
) -> Responder:
    """A fixer that has this fault. `blocking`: it hangs on a thread, which takes real time."""
    if fault is Fault.HANG:
        return (BlockingWorker if blocking else HangingWorker)(notes, tempo, remark)
    return (SlowWorker if fault is Fault.SLOW else Worker)(notes, tempo)
