"""What there is to see of a suspected agent: where its handler is, and who has the threads."""

from __future__ import annotations

import linecache
import sys
import traceback
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.dispatcher import Dispatcher

DEPTH = 40
"""Frames of a stack that are shown, the innermost."""
_TURNS = frozenset(f"choreia.runtime.delivery.{name}" for name in ("bounds", "handling", "turn"))
SHOWN = 10
"""Agents that are named."""


def stack_of(cell: Cell) -> str:
    """Where the handler of `cell` is now, outermost first, as in a traceback; "" if nowhere."""
    task = cell.turn.task
    if task is not None:
        frames = [frame for frame in task.stack() if not _is_turns(frame)]
        return _shown([(frame, frame.f_lineno) for frame in frames])
    ident = cell.engine.dispatcher.inside(cell)
    frame = None if ident is None else sys._current_frames().get(ident)
    return "" if frame is None else _shown(list(_users(frame)))


def _users(frame: FrameType) -> list[tuple[FrameType, int]]:
    """The frames from the user's code on: that of the thread and the turn are the same for all."""
    frames = list(traceback.walk_stack(frame))[::-1]
    called = [at for at, (frame, _) in enumerate(frames) if _is_turns(frame)]
    return frames[called[-1] + 1 :] if called else frames


def _is_turns(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") in _TURNS


def _shown(frames: list[tuple[FrameType, int]]) -> str:
    linecache.checkcache()
    lines = traceback.StackSummary.extract(iter(frames[-DEPTH:]), lookup_lines=True).format()
    return "".join(lines)


def occupied(dispatcher: Dispatcher, now: float) -> list[str]:
    """Who has the threads: ``hog.compute for 12.0 s``, a line each, the longest first."""
    serving = [(now - cell.since, cell) for cell, _ in dispatcher.serving()]
    ordered = sorted(serving, key=lambda pair: -pair[0])[:SHOWN]
    return [f"{_step_of(cell)} for {max(0.0, seconds):.1f} s" for seconds, cell in ordered]


def _step_of(cell: object) -> str:
    name = getattr(cell, "name", "the event loop")
    step = getattr(getattr(cell, "turn", None), "step", None)
    return name if step is None else f"{name}.{getattr(step, '__name__', step)}"
