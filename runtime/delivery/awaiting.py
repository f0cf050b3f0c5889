"""Where a suspended coroutine stands: what it awaits, what that awaits, and so on."""

from __future__ import annotations

import asyncio
from types import FrameType
from typing import Any


def awaited_frames(task: asyncio.Task[Any]) -> list[FrameType]:
    """The frames of `task`, outermost first.

    `Task.get_stack` gives no more than the first of a suspended coroutine's.
    """
    frames: list[FrameType] = []
    at: Any = task.get_coro()
    while at is not None:
        frame = _first(at, "cr_frame", "ag_frame", "gi_frame")
        if frame is not None:
            frames.append(frame)
        at = _first(at, "cr_await", "ag_await", "gi_yieldfrom")
    return frames


def _first(awaitable: object, *names: str) -> Any:
    # Coroutines, async generators and generators have the same under different names; other
    # awaitables (futures, those written in C) have none of them, and are the end.
    found = (getattr(awaitable, name, None) for name in names)
    return next((one for one in found if one is not None), None)
