"""`once`: what a call returned is kept, so that another attempt does not make it again."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import cast

from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.turn import DurableTurn


def call_once(turn: Turn, name: str, fn: Callable[..., object], args: tuple[object, ...]) -> object:
    """The result of ``fn(*args)``, called once for the event in hand; of a coroutine function, an
    awaitable. With a store it is on disk before this returns."""
    turn.check("once")
    if turn.event is None:  # a message, a hook: nobody will try it again
        return fn(*args)
    done = turn.kept().once
    if name not in done:
        result = fn(*args)
        if not inspect.iscoroutine(result):
            done[name] = _keep(turn, name, result)
            return done[name]
        done[name] = asyncio.ensure_future(_keep_async(turn, name, result))
    recorded = done[name]
    if isinstance(recorded, asyncio.Future):  # kept when it is done, to be awaited again
        return _once_async(done, name, cast("asyncio.Future[object]", recorded))
    # Read from the store, where an earlier run kept it: a coroutine function's is still awaited.
    return _kept_async(recorded) if _is_async(fn) else recorded


def _is_async(fn: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(
        getattr(fn, "__call__", None)  # noqa: B004  (an object that is called like a function)
    )


async def _kept_async(recorded: object) -> object:
    return recorded


def _keep(turn: Turn, name: str, result: object) -> object:
    if not isinstance(turn, DurableTurn):
        return result
    value, entry = turn.keep_result(name, result)
    if entry is not None:
        with turn.waiting_for_the_store():
            turn.engine.dispatcher.wait(entry.gate(), None)
        turn.check("once")  # it may have been replaced while it waited
        turn.live()
    return value


async def _keep_async(
    turn: Turn, name: str, coroutine: Coroutine[object, object, object]
) -> object:
    result = await coroutine
    if not isinstance(turn, DurableTurn):
        return result
    value, entry = turn.keep_result(name, result)
    if entry is not None:
        with turn.waiting_for_the_store():
            await turn.engine.dispatcher.wait_async(entry.gate(), None)
    return value


async def _once_async(
    done: dict[str, object], name: str, recorded: asyncio.Future[object]
) -> object:
    """What a coroutine came to, or comes to; one that failed is forgotten, to be tried again."""
    try:
        return await recorded
    except BaseException:
        if done.get(name) is recorded:
            del done[name]
        raise
