"""How a responder does the work: in a coroutine, which waits and holds no thread."""

from __future__ import annotations

import asyncio

from choreia import on
from choreia.demos.incident.events import ActionExecuted, ActionStarted, ActionTaken
from choreia.demos.incident.responder import MAX_HOPS, Responder


class Worker(Responder):
    """A responder that has nothing wrong with it."""

    @on(ActionTaken, cancel_on=ActionExecuted, max_hops=MAX_HOPS)
    async def act(self, taken: ActionTaken) -> None:
        """`cancel_on`: should another be done first, there is nothing left to do, and it stops."""
        if self._is_mine(taken):
            submission = self._submission(taken)
            await self.emit_now_async(ActionStarted(taken.incident))
            await self.work()
            self.emit(submission)

    async def work(self) -> None:
        await asyncio.sleep(self.tempo.work)
