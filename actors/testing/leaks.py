"""What is still running when a test is over: threads that nobody ended.

Recognised by their names: every thread of a system's is called ``choreia-…``. Rejected: counting
systems where they are made, which the runtime would have to do for the tests' sake.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from choreia.actors.testing.allowing import Fault
from choreia.runtime.delivery.cell import Cell

PREFIX = "choreia-"
PATIENCE = 0.5
"""Real seconds that threads get to end which are about to."""


def running() -> frozenset[threading.Thread]:
    """The threads of all systems of this process."""
    return frozenset(one for one in threading.enumerate() if one.name.startswith(PREFIX))


def leaked(before: frozenset[threading.Thread], cells: Iterable[Cell]) -> list[Fault]:
    """What runs now and did not before: agents among `cells`, whose system has been stopped, and
    systems of the test's own that have not been."""
    threads = sorted(running() - before, key=lambda thread: thread.name)
    for thread in threads:
        thread.join(PATIENCE / len(threads))
    left = {thread.ident: thread for thread in threads if thread.is_alive()}
    faults = [fault for cell in cells if (fault := _hanging(cell, left)) is not None]
    return faults + _others([thread.name for thread in left.values()])


def _hanging(cell: Cell, left: dict[int | None, threading.Thread]) -> Fault | None:
    """What keeps an agent from its end, if something does; its thread is taken out of `left`."""
    turn = cell.turn
    where = None if turn.step is None else getattr(turn.step, "__name__", turn.step)
    if where is not None and left.pop(turn.thread, None) is not None:
        return Fault("leaked_agents", f"{cell.name} hangs in {where}", cell.name)
    if turn.frame is not None:  # it has no thread, and awaits
        text = f"{cell.name} waits for ever in {where or 'on_stop'}"
        return Fault("leaked_agents", text, cell.name)
    return None


def _others(names: Sequence[str]) -> list[Fault]:
    if not names:
        return []
    text = (
        "a system that was not stopped, or code of an agent's that does not end; its threads: "
        f"{', '.join(names)}"
    )
    return [Fault("leaked_agents", text)]
