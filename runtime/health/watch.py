"""One agent that is watched over, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from choreia.runtime.delivery.cell import AWAITING, PAUSED, Cell
from choreia.runtime.delivery.fencing import Loan
from choreia.runtime.delivery.mailbox import CLOSED, IDLE
from choreia.runtime.health.detector import Detector
from choreia.runtime.health.heartbeat import Heartbeat

if TYPE_CHECKING:
    from choreia.runtime.delivery.clock import Timer
    from choreia.runtime.delivery.turn import Turn

Reason = Literal["dead", "stuck", "starved", "silent"]
"""Why an agent is suspected: the thread that serves it has ended; one step of a handler takes too
long; it could run, and gets no turn; its node is not heard of."""


@attrs.frozen(eq=False)
class Suspicion:
    """Somebody has been taken for failed, and has not proved otherwise."""

    reason: Reason
    since: float
    """In the supervisor's own seconds."""
    turn: Turn
    step: Step | None
    """What was taken for stuck; None: that it does not answer was the reason."""

    def stands(self, cell: Cell) -> bool:
        """Whether the agent is still where it was suspected, as far as one can see from outside."""
        if cell.turn is not self.turn:
            return False
        if self.step is not None:
            return self.step.goes_on(cell)
        return self.reason != "dead" or cell in cell.engine.orphans or deserted(cell)


class Watch:
    """Slots, since there may be a million. The supervisor's lock guards what it writes."""

    __slots__ = (
        *("again", "asked", "cell", "countdown", "detector", "heartbeat", "suspicion"),
        *("met", "met_at"),
    )

    def __init__(self, cell: Cell, heartbeat: Heartbeat, detector: Detector) -> None:
        self.cell: Cell | None = cell
        """None: it is gone, and the watch is over."""
        self.heartbeat = heartbeat
        self.detector = detector
        self.asked = False
        """Whether it has been asked and has not answered."""
        self.countdown = heartbeat.looks
        """Looks until it is asked again."""
        self.again: Timer | None = None
        """A look at an exact time, besides the regular ones."""
        self.suspicion: Suspicion | None = None
        self.met: object = None
        """What was in the user's hands at the last look, """
        self.met_at = 0.0
        """and when it was seen there first (monotonic seconds)."""


@attrs.frozen
class Step:
    """What a handler has been at, without a sign of life."""

    since: float
    """Monotonic seconds."""
    limit: float
    """Seconds that it may take."""
    lent: object
    """What is in the user's hands, on a thread; None: it is a coroutine."""
    sign: float
    """When the turn had its last sign of life (monotonic seconds)."""

    def goes_on(self, cell: Cell) -> bool:
        """Whether it is the same step still."""
        turn = cell.turn
        if turn.sign != self.sign:
            return False
        return turn.lent is self.lent if self.lent is not None else bool(cell.holds & AWAITING)


def step_of(watch: Watch, cell: Cell, now: float) -> Step | None:
    """The step of a handler that goes on `now` (monotonic seconds); None when there is none, or it
    may take its time."""
    turn = cell.turn
    lent, sign = turn.lent, turn.sign
    if lent is not watch.met:
        watch.met, watch.met_at = lent, now
    if cell.holds & PAUSED or (cell.parked_on and cell.engine.lot.waits_for_room(cell)):
        return None
    if lent is not None:
        since = max(cell.since, sign)
        # Of short events a turn handles several between two looks at the clock (`turn.BRISK`); of
        # one that came after those it is only known since when it has been seen.
        if turn.brisk and not isinstance(lent, Loan) and not cell.engine.dispatcher.simulated:
            since = max(since, watch.met_at)
        return Step(since, watch.heartbeat.stuck_on_thread, lent, sign)
    if cell.holds & AWAITING:
        return Step(sign, watch.heartbeat.stuck_awaiting, None, sign)
    return None


def at_rest(cell: Cell) -> bool:
    """Whether it has nothing to do, so that there is nothing to ask."""
    return cell.mailbox.state == IDLE and not cell.controls


def gone(cell: Cell) -> bool:
    return cell.mailbox.state == CLOSED


def deserted(cell: Cell) -> bool:
    """Whether its coroutine awaits on an event loop that is closed: it answers, and that is all."""
    task = cell.turn.task
    return task is not None and task.orphaned


def why_unheard(cell: Cell) -> Reason | None:
    """Why it does not answer; None: it is in a handler, and there is another limit to that."""
    if cell in cell.engine.orphans:
        return "dead"
    if cell.turn.lent is not None or cell.engine.dispatcher.inside(cell) is not None:
        return None
    return "starved"
