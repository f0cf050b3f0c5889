"""Coroutines in a turn: they run on the system's loop, while the agent is held and no thread.

`wait_for` is for coroutines, `stream` for async generators, each of whose items leaves before the
next one is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING

from choreia.runtime.delivery.behaviour import Waiting
from choreia.runtime.delivery.bounds import Moot, within
from choreia.runtime.delivery.cell import AWAITING
from choreia.runtime.delivery.context import Stay
from choreia.runtime.delivery.saying import say
from choreia.runtime.delivery.steps import NO_LIMITS, Limits

if TYPE_CHECKING:
    from choreia.runtime.delivery.turn import Turn


def wait_for(
    turn: Turn, coroutine: Coroutine[object, object, object], limits: Limits = NO_LIMITS
) -> Waiting:
    """Run `coroutine` on the system's loop; the agent is held meanwhile, and no thread."""
    cell, stay = turn.cell, Stay(turn)
    outcome: list[object] = []
    failure: list[BaseException] = []
    ended: list[bool] = []
    abandoned = False

    async def contained() -> None:
        # A loop takes these for its own end, and with it would end every agent's coroutines.
        try:
            outcome.append(await within(limits.timeout, coroutine, turn))
        except (SystemExit, KeyboardInterrupt) as error:
            failure.append(error)
        finally:
            stay.end()

    def done(_: object, error: BaseException | None) -> None:
        coroutine.close()  # in case it was cancelled before it began
        if error is not None:
            failure.append(_carried(error))
        ended.append(True)
        if not abandoned:
            cell.release(AWAITING)

    cell.hold(AWAITING)
    turn.sign = turn.monotonic()
    moot = Moot(turn, limits.cancel_on)
    turn.task = turn.engine.dispatcher.start_coroutine(contained(), stay.context(), done)
    moot.watch(turn.task)
    try:
        # Not until `done`: the outcome is there a little earlier, with the hold still to be let go.
        yield
        while not ended:
            yield
    finally:
        abandoned = True
        moot.end()
        if ended:
            stay.end()
        else:
            stay.break_off()
    turn.task = None
    moot.check()
    if failure:
        raise failure[0]
    return outcome[0]


def _carried(error: BaseException) -> BaseException:
    """`error`, as it may be raised in a frame."""
    if not isinstance(error, GeneratorExit):
        return error
    carried = RuntimeError("a coroutine raised GeneratorExit")
    carried.__cause__ = error
    return carried


def stream(
    turn: Turn, generator: AsyncGenerator[object, None], limits: Limits = NO_LIMITS
) -> Waiting:
    """Like `_generate`; the generator runs in one task on the loop, and hands over each item."""
    cell, dispatcher, stay = turn.cell, turn.engine.dispatcher, Stay(turn)
    handed: list[tuple[object, asyncio.Future[None]]] = []
    outcome: list[BaseException | None] = []
    exits: list[BaseException] = []
    abandoned = False

    async def hand_over() -> None:
        async for said in generator:
            taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            handed.append((said, taken))
            cell.release(AWAITING)
            await taken

    async def pump() -> None:
        try:
            await within(limits.timeout, hand_over(), turn)
        except (SystemExit, KeyboardInterrupt) as error:
            exits.append(error)  # see `wait_for`
        finally:
            stay.end()
            await generator.aclose()

    def done(_: object, error: BaseException | None) -> None:
        outcome.append(exits[0] if exits else None if error is None else _carried(error))
        if not abandoned:
            cell.release(AWAITING)

    cell.hold(AWAITING)
    turn.sign = turn.monotonic()
    moot = Moot(turn, limits.cancel_on)
    turn.task = dispatcher.start_coroutine(pump(), stay.context(), done)
    moot.watch(turn.task)
    try:
        while True:
            yield
            if outcome:
                turn.task = None
                moot.check()
                if outcome[0] is not None:
                    raise outcome[0]
                return None
            if not handed:
                continue
            said, taken = handed.pop()
            failure: BaseException | None = None
            try:
                yield from say(turn, said)
            except GeneratorExit:
                raise
            except BaseException as error:
                failure = error  # told to the generator's task, so that it can clean up
            cell.hold(AWAITING)
            # On the loop it belongs to, which may not be the system's any more; or it is closed.
            with suppress(RuntimeError):
                taken.get_loop().call_soon_threadsafe(_tell, taken, failure)
    finally:
        abandoned = True
        moot.end()
        if outcome:
            stay.end()
        else:
            stay.break_off()


def _tell(taken: asyncio.Future[None], failure: BaseException | None) -> None:
    if taken.done():
        return
    if failure is None:
        taken.set_result(None)
    else:
        taken.set_exception(failure)
