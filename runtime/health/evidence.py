"""What there is to see of a suspected agent: where its handler is, and who has the threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from choreia.runtime.delivery.stacks import shown, thread_frames

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.dispatcher import Dispatcher

NAMED = 10
"""Agents that are named, at most."""


def stack_of(cell: Cell) -> str:
    """Where the handler of `cell` is now, outermost first, as in a traceback; "" if nowhere."""
    task = cell.turn.task
    if task is not None:
        return shown(task.stack())
    ident = cell.engine.dispatcher.inside(cell)
    return "" if ident is None else shown(thread_frames(ident))


def occupied(dispatcher: Dispatcher, now: float) -> list[str]:
    """Who has the threads: ``hog.compute for 12.0 s``, the longest first."""
    serving = [(now - cell.since, cell) for cell, _ in dispatcher.serving()]
    ordered = sorted(serving, key=lambda pair: -pair[0])[:NAMED]
    return [f"{_step_of(cell)} for {max(0.0, seconds):.1f} s" for seconds, cell in ordered]


def _step_of(cell: object) -> str:
    name = getattr(cell, "name", "the event loop")
    step = getattr(getattr(cell, "turn", None), "step", None)
    return name if step is None else f"{name}.{getattr(step, '__name__', step)}"
