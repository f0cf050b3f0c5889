"""One agent that is watched over, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from choreia.runtime.delivery.cell import AWAITING, PAUSED, Cell
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
    awaiting: bool
    """Whether what hangs is a coroutine: then an answer to a ping proves nothing."""


class Watch:
    """Slots, since there may be a million. The supervisor's lock guards what it writes."""

    __slots__ = ("again", "asked", "cell", "countdown", "detector", "heartbeat", "suspicion")

    def __init__(self, cell: Cell, heartbeat: Heartbeat, detector: Detector) -> None:
        self.cell: Cell | None = cell
        """None: it is gone, and the watch is over."""
        self.heartbeat = heartbeat
        self.detector = detector
        self.asked = False
        """Whether it has been asked and has not answered."""
        self.countdown = self.looks
        """Looks until it is asked again."""
        self.again: Timer | None = None
        """A look at an exact time, besides the regular ones."""
        self.suspicion: Suspicion | None = None

    @property
    def period(self) -> float:
        """Seconds between two looks: short enough to see every handler that may become stuck before
        it does."""
        beat = self.heartbeat
        return min(beat.interval, beat.stuck_on_thread, beat.stuck_awaiting)

    @property
    def looks(self) -> int:
        """Looks between two questions."""
        return max(1, round(self.heartbeat.interval / self.period))


@attrs.frozen
class Step:
    """What a handler has been at, without a sign of life."""

    since: float
    """Monotonic seconds."""
    limit: float
    """Seconds that it may take."""
    awaiting: bool


def step_of(watch: Watch, cell: Cell) -> Step | None:
    """The step of a handler that goes on now; None when there is none, or it may take its time."""
    turn = cell.turn
    if cell.holds & PAUSED or (cell.parked_on and cell.engine.lot.waits_for_room(cell)):
        return None
    if turn.lent is not None:
        since = max(cell.since, turn.sign)
        return Step(since, watch.heartbeat.stuck_on_thread, awaiting=False)
    if cell.holds & AWAITING:
        return Step(turn.sign, watch.heartbeat.stuck_awaiting, awaiting=True)
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
