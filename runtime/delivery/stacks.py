"""Where the user's code stands: on a thread, or suspended in what it awaits."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Any, Final

DEPTH: Final = 40
"""Frames of a stack that are shown, the innermost."""
_OURS: Final = frozenset(
    f"choreia.runtime.delivery.{name}"
    for name in ("bounds", "coroutines", "frames", "handling", "saying", "turn")
)
_LOOPS: Final = frozenset({"asyncio.base_events", "asyncio.events", "asyncio.runners"})


def thread_frames(ident: int) -> list[FrameType]:
    """What the user's code is at on that thread, outermost first.

    The frames of the thread, the loop and the turn come before it, and are the same for everybody.
    """
    frame = sys._current_frames().get(ident)
    if frame is None:
        return []
    frames = [frame for frame, _ in traceback.walk_stack(frame)][::-1]
    before = (at for at, frame in enumerate(frames) if _is_ours(frame) or _is_loops(frame))
    last = max(before, default=-1)
    return frames[last + 1 :] or frames


def awaited_frames(task: asyncio.Task[Any]) -> list[FrameType]:
    """What the user's code in `task` awaits, what that awaits, and so on.

    `Task.get_stack` gives no more than the first frame of a suspended coroutine.
    """
    frames: list[FrameType] = []
    at: Any = task.get_coro()
    while at is not None:
        frame = _first(at, "cr_frame", "ag_frame", "gi_frame")
        if frame is not None and not _is_ours(frame):
            frames.append(frame)
        at = _first(at, "cr_await", "ag_await", "gi_yieldfrom")
    return frames


def shown(frames: Sequence[FrameType]) -> str:
    """As in a traceback."""
    lines = ((frame, frame.f_lineno) for frame in frames[-DEPTH:])
    return "".join(traceback.StackSummary.extract(iter(lines)).format())


def place_of(frame: FrameType) -> str:
    """``shop.py:12 (reserve)``, with the whole path."""
    code = frame.f_code
    return f"{code.co_filename}:{frame.f_lineno} ({code.co_name})"


def _is_ours(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") in _OURS


def _is_loops(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") in _LOOPS


def _first(awaitable: object, *names: str) -> Any:
    # Coroutines, async generators and generators have the same under different names; other
    # awaitables (futures, those written in C) have none of them, and are the end.
    found = (getattr(awaitable, name, None) for name in names)
    return next((one for one in found if one is not None), None)
