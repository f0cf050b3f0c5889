"""Another instance takes an agent's place; its name, ref, mailbox, subscriptions and timers stay.

An agent that comes to the end of what it has in hand is replaced in its own turn, in order. From
one that hangs in the user's code, or whose thread has ended, the turn is taken (`fencing.py`): an
interim turn takes the cell, which handles nothing, and has only what was posted to it done: the
renewal, on a thread where the user's factory may take its time, or the end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from choreia.actors.ear import Ear, settle_left_over
from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.delivery.cell import Cell, Control
from choreia.runtime.delivery.context import running
from choreia.runtime.delivery.deadletter import Redelivery, name_error
from choreia.runtime.delivery.fencing import Loan, Retired, fence
from choreia.runtime.delivery.mailbox import CLOSED
from choreia.runtime.delivery.steps import NOTHING, Plan
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.health.evidence import stack_of

if TYPE_CHECKING:
    from choreia.actors.agent import Agent
    from choreia.actors.lifecycle import Lifecycle
    from choreia.actors.record import Record
    from choreia.actors.reply import Reply

PATIENCE: Final = 1.0
"""Seconds in which a handler may come to its end by itself, before its agent is taken from it."""
HANGING: Final = 256
"""Threads that may hang in handlers for ever, per system: beyond it, an agent whose every event
hangs is stopped and not replaced once more."""

Remake = Callable[[Cell], Turn]
"""Makes another instance, with a turn for the same cell. Raises what its factory raises."""


class _NoPlans:
    """An interim turn handles nothing."""

    known: dict[str, Plan] = {}  # noqa: RUF012  # never filled

    def plan(self, type: str) -> Plan:
        return NOTHING


_NO_PLANS: Final = _NoPlans()


class Replacer:
    """Replaces the agents of one system. What a turn must know of it is `ear.Fate`."""

    def __init__(self, lifecycle: Lifecycle, remake: Remake) -> None:
        self._lifecycle = lifecycle
        self._remake = remake
        lifecycle.once_more = self._once_more

    # -- what a turn asks for ---------------------------------------------------------------

    def stop(self, turn: Turn, reply: Reply | None) -> Frame:
        return self._lifecycle.stop(turn, reply)

    def gave_up(self, cell: Cell) -> None:
        """In its turn: it made a dead letter, perhaps one too many."""
        intensity = _record(cell).intensity
        if intensity is None or _record(cell).renewing:
            return
        verdict = intensity.failed(cell.engine.clock.monotonic())
        if verdict == "restart":
            self._post(cell, "failures")
        elif verdict == "stop":
            cell.post(lambda: self._end(cell), first=True)

    def overran(self, turn: Turn, expected: object, error: BaseException) -> None:
        """From the clock: a handler that has the thread is past its timeout."""
        self._take(turn, expected, error, partial(self._renew, turn.cell, "timeout", True))

    # -- what others ask for ----------------------------------------------------------------

    def restart(self, cell: Cell, reason: str, *, at_once: bool, automatic: bool) -> None:
        """Have another instance take the agent's place, from any thread, without waiting for it.

        `at_once` allows a running handler no time to end. `automatic` restarts count for `Restart`.
        """
        if cell.mailbox.state != CLOSED:
            self._post(cell, reason, automatic=automatic)
            self.insist(cell, partial(self._renew, cell, reason, automatic), at_once=at_once)

    def insist(self, cell: Cell, control: Control, *, at_once: bool = False) -> None:
        """See to it that `control`, which was posted to `cell`, comes to pass, though it hangs, or
        is dead."""
        turn = cell.turn
        expected = turn.lent
        if cell in cell.engine.orphans:
            self._adopt(turn)
        elif expected is not None and at_once:
            self._take(turn, expected)
        else:
            late = partial(self._take_late, turn, expected, control)
            cell.engine.clock.call_later(PATIENCE, late)

    # -- taking the turn from where it is ---------------------------------------------------

    def _take_late(self, turn: Turn, expected: object, control: Control) -> None:
        """It has had its time."""
        if turn.breaking_off:  # `control` has begun, and a generator's clean-up does not end
            self._take(turn, turn.lent, None, control)
        else:
            self._take(turn, expected)

    def _take(
        self,
        turn: Turn,
        expected: object,
        error: BaseException | None = None,
        control: Control | None = None,
    ) -> None:
        """Fence `turn`, if `expected` is still in the user's hands, and have `control` done, or
        what was posted before."""
        cell, engine = turn.cell, turn.engine
        where = stack_of(cell)
        if cell.turn is not turn or not fence(cell, self._interim(turn), expected):
            return
        # The cell is ours from here on. It stays in flight: held, with something to do.
        with cell.mailbox.lock:
            engine.held[cell.number] = cell
        if control is not None:
            cell.post(control, first=True)
        _retire(turn)
        self._lifecycle.leave_line(cell, "stuck")
        _bury(turn, expected, error, where)
        cell.interrupt = True
        cell.schedule(cell)
        engine.dispatcher.abandon(cell, turn)
        turn.report(
            logging.ERROR,
            "%s hangs, and the agent is taken from it; it is in\n%s",
            getattr(turn.step, "__name__", "it"), where,
        )  # fmt: skip

    def _adopt(self, turn: Turn) -> None:
        """Nobody serves the cell any more: have it served again."""
        cell = turn.cell
        with cell.engine.fencing:
            if cell.turn is not turn or cell not in cell.engine.orphans:
                return
            cell.turn = self._interim(turn)
            cell.found()
        _break_off(self._lifecycle, turn)
        _retire(turn)
        cell.interrupt = True
        cell.schedule(cell)

    def _interim(self, old: Turn) -> Turn:
        turn = type(old)(old.cell, old.agent, _NO_PLANS, old.emitter, old.retry, 0)
        turn.keep_place_of(old)
        turn.ear = Ear(turn, self)
        return turn

    # -- in the agent's turn ----------------------------------------------------------------

    def _post(self, cell: Cell, reason: str, *, automatic: bool = False) -> None:
        if not _record(cell).renewing:
            _record(cell).renewing = True
            cell.post(partial(self._renew, cell, reason, automatic), first=True)

    def _renew(self, cell: Cell, reason: str, automatic: bool) -> None:
        record, turn = _record(cell), cell.turn
        record.renewing = False
        if record.stopping:  # it was asked to end before it was asked to begin anew
            _break_off(self._lifecycle, turn)
            self._lifecycle.close(cell, "stopped")
        elif automatic and not self._may_restart(cell):
            self._end(cell)
        else:
            parting = turn.parting
            _break_off(self._lifecycle, turn)
            if turn.interim or parting:
                self._replace(turn, reason)
            else:
                turn.begin(self._in_order(turn, reason))

    def _in_order(self, turn: Turn, reason: str) -> Frame:
        turn.parting = True
        hurry = partial(self.restart, turn.cell, reason, at_once=True, automatic=False)
        timer = turn.engine.clock.call_later(PATIENCE, hurry)
        try:
            yield from self._lifecycle.last_words(turn)
        finally:
            timer.cancel()
        self._replace(turn, reason)

    def _replace(self, old: Turn, reason: str) -> None:
        cell = old.cell
        try:
            turn = cast("Turn", old.lend(self._made, cell))
        except BaseException as error:
            if old.fenced:  # the factory hung, and somebody else has it tried again
                raise
            self._not_made(old, reason, error)
            return
        record = _record(cell)
        record.incarnation += 1
        _retire(old)
        cell.turn = turn
        self._lifecycle.announce_restart(cell, reason)
        self._lifecycle.on_renewal(cell)
        cell.post(lambda: self._lifecycle.begin_again(cell), first=True)
        cell.schedule(cell)

    def _made(self, cell: Cell) -> Turn:
        here = running.get()
        running.set(None)  # what a factory does is not done in the turn of the one before
        try:
            return self._remake(cell)
        finally:
            running.set(here)

    def _not_made(self, turn: Turn, reason: str, error: BaseException) -> None:
        turn.failed(error, "factory")
        if self._once_more(turn.cell, reason):
            turn.report(logging.ERROR, "cannot be made anew; once more", exc_info=error)
            return
        turn.report(logging.ERROR, "cannot be made anew; the agent stops", exc_info=error)
        self._lifecycle.say_failed(turn.cell, name_error(error))
        self._lifecycle.close(turn.cell, "failed")

    def _once_more(self, cell: Cell, reason: str) -> bool:
        """It failed in starting: whether its `Restart` lets it try again, which it then does."""
        if _record(cell).intensity is None or cell.engine.refusing or not self._may_restart(cell):
            return False
        self._post(cell, reason)
        return True

    def _may_restart(self, cell: Cell) -> bool:
        intensity = _record(cell).intensity
        now = cell.engine.clock.monotonic()
        if cell.engine.dispatcher.hanging() > HANGING:
            return False
        return intensity is None or intensity.restarting(now) == "restart"

    def _end(self, cell: Cell) -> None:
        """It was restarted once too often."""
        turn = cell.turn
        turn.report(logging.ERROR, "was restarted too often; the agent stops")
        _break_off(self._lifecycle, turn)
        turn.begin(self._lifecycle.stop(turn, None, "restarts"))


def _break_off(lifecycle: Lifecycle, turn: Turn) -> None:
    """What a turn that nobody is inside has in hand is a dead letter; what it said stays said."""
    cell, attempt, progress = turn.cell, turn.attempt, turn.progress
    event = turn.abort("stuck")
    lifecycle.leave_line(cell, "stuck")
    if event is not None:
        turn.bury(event, None, attempt, "stuck", progress)


def _bury(turn: Turn, expected: object, error: BaseException | None, where: str) -> None:
    """What a handler that hangs had in hand."""
    cell = turn.cell
    item = expected.item if isinstance(expected, Loan) else expected
    recorded = item if isinstance(item, Recorded) else None
    if isinstance(item, (Recorded, Redelivery)):
        item = item.event
    if isinstance(item, Event):
        # By the turn that has the cell now: the old one has nothing more to say.
        cell.turn.bury(item, error, turn.attempt, "stuck", turn.progress, where)
        if recorded is not None and cell.ledger is not None:
            cell.ledger.handled(recorded)
    elif item is not None:  # a hook is about nothing
        settle_left_over(cell, [item], "stuck")
    if recorded is None:
        cell.engine.over(cell, item)


def _retire(turn: Turn) -> None:
    turn.retire()
    if not turn.interim:
        agent = cast("Agent", turn.agent)
        agent._choreia_cell = Retired(turn)  # type: ignore[assignment]


def _record(cell: Cell) -> Record:
    record: Record = cell.owner
    return record
