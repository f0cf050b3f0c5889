"""Fencing: a turn is taken from a thread that does not come back from the user's code.

A handler that hangs cannot be stopped: Python ends no thread from outside. But its agent can be
taken from it. Another turn takes the cell's place, and whatever the old one still asks for raises
`Fenced`; what it had in hand is for whoever fences to bury. (The word is from distributed locks: a
lock that expired comes with a fencing token, so that its late holder does no harm. Here the token
is the turn itself: the cell knows which one is its own.)

**Why nothing is both handled and buried.** A handler may come back at the very moment it is fenced,
and one of the two must win. The thread says in `turn.lent` what it has given into the user's hands
(something of its own for each call), clears it when it has the turn back, and then looks whether
somebody has `claimed` the turn. Who fences claims first, and then looks at `lent`. So one of the
two sees the other (Dekker's argument; the interpreter gives sequential consistency), and the lock
decides where both do: if `lent` is not what it was thought to be, the claim is taken back, and
nothing has been. Only a claim that stands replaces `cell.turn`, so that this never lies.

So a handler that returns pays for two stores and a test, and takes no lock.

Rejected: raising an exception in the other thread (`PyThreadState_SetAsyncExc`). It may strike in
the middle of a library's lock, and reaches no thread that hangs in C.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.engine import Engine
    from choreia.runtime.delivery.turn import Turn


class Loan:
    """What a frame gives into the user's hands: one for each call, so that no two are the same."""

    __slots__ = ("function", "item")

    def __init__(self, item: object, function: Callable[..., object]) -> None:
        self.item = item
        """What the frame is about; None when it is about no item: a hook, a factory."""
        self.function = function


class Retired:
    """What a replaced agent has instead of its cell: it still knows who it was, no more."""

    __slots__ = ("engine", "id", "name", "owner", "turn")

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.engine: Engine = turn.engine
        self.owner: Any = turn.cell.owner
        self.name = turn.cell.name
        self.id = turn.cell.id


def fence(cell: Cell, successor: Turn, expected: object) -> bool:
    """Give `cell` to `successor`, if `expected` is still in the hands of the user's code.

    From any thread but the one that is in the turn. The caller buries `expected`, and schedules the
    cell.
    """
    old = cell.turn
    with cell.engine.fencing:
        if expected is None or cell.turn is not old:
            return False
        old.claimed = True
        if old.lent is not expected:
            old.claimed = False
            return False
        old.retire()
        # What it has handled, and not told of yet.
        successor.unreported = list(old.unreported)
        old.unreported.clear()
        cell.turn = successor
    return True
