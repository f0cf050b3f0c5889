"""Another instance takes an agent's place; its name, ref, mailbox, subscriptions and timers stay.

An agent that comes to the end of what it has in hand is replaced in its own turn, in order. From
one that hangs in a handler, or whose thread has ended, the turn is taken (`fencing.py`): an interim
turn takes the cell, whose first and only act is to make the new instance, on a thread where the
user's factory may take its time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from choreia.actors.ear import Ear, settle_left_over
from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.context import running
from choreia.runtime.delivery.deadletter import Redelivery, name_error
from choreia.runtime.delivery.fencing import Retired, fence
from choreia.runtime.delivery.logfeed import Recorded
from choreia.runtime.delivery.mailbox import CLOSED
from choreia.runtime.delivery.steps import NOTHING, Plan
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.events.event import Event
from choreia.runtime.health.evidence import stack_of

if TYPE_CHECKING:
    from choreia.actors.agent import Agent
    from choreia.actors.lifecycle import Lifecycle
    from choreia.actors.record import Record
    from choreia.actors.reply import Reply

PATIENCE = 1.0
"""Seconds in which a handler may come to its end by itself, before its agent is taken from it."""

Remake = Callable[[Cell], Turn]
"""Makes another instance, with a turn for the same cell. Raises what its factory raises."""


class _Nobody:
    """Stands in an interim turn, which handles nothing."""

    known: dict[str, Plan] = {}  # noqa: RUF012  # never filled

    def on_receive(self, message: object) -> object:
        raise AssertionError("an interim turn was given a message")

    def plan(self, type: str) -> Plan:
        return NOTHING


_NOBODY = _Nobody()


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
        if self._take(turn, expected, error):
            self._post(turn.cell, "timeout", automatic=True)

    # -- what others ask for ----------------------------------------------------------------

    def restart(self, cell: Cell, reason: str, *, at_once: bool, automatic: bool) -> None:
        """Have another instance take the agent's place, from any thread, without waiting for it.

        `at_once` allows a running handler no time to end. `automatic` restarts count for `Restart`.
        """
        if cell.mailbox.state == CLOSED:
            return
        self._post(cell, reason, automatic=automatic)
        self.insist(cell, at_once=at_once)

    def insist(self, cell: Cell, *, at_once: bool = False) -> None:
        """See to it that what was posted to `cell` comes to pass, though it hangs or is dead."""
        turn = cell.turn
        expected = turn.lent
        if cell in cell.engine.orphans:
            self._adopt(turn)
        elif expected is not None and at_once:
            self._take(turn, expected, None)
        elif expected is not None:
            cell.engine.clock.call_later(PATIENCE, partial(self._take_at_last, turn, expected))

    # -- taking the turn from where it is ---------------------------------------------------

    def _take_at_last(self, turn: Turn, expected: object) -> None:
        self._take(turn, expected, None)

    def _take(self, turn: Turn, expected: object, error: BaseException | None) -> bool:
        """Fence `turn`, if `expected` is still in its handler's hands: whether it was."""
        cell = turn.cell
        where = stack_of(cell)
        if cell.turn is not turn or not fence(cell, self._interim(turn), expected):
            return False
        _retire(turn)
        cell.engine.dispatcher.abandon(cell)
        self._lifecycle.leave_line(cell, "stuck")
        turn.report(
            logging.ERROR,
            "%s hangs, and the agent is taken from it; it is in\n%s",
            getattr(turn.step, "__name__", "a hook"), where,
        )  # fmt: skip
        _bury(turn, expected, error, where)
        cell.interrupt = True
        cell.schedule(cell)
        return True

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
        turn = Turn(old.cell, _NOBODY, _NOBODY, old.emitter, old.retry, 0)
        turn.ear = Ear(turn, self)
        return turn

    # -- in the agent's turn ----------------------------------------------------------------

    def _post(self, cell: Cell, reason: str, *, automatic: bool = False) -> None:
        if not _record(cell).renewing:
            _record(cell).renewing = True
            cell.post(lambda: self._renew(cell, reason, automatic), first=True)

    def _renew(self, cell: Cell, reason: str, automatic: bool) -> None:
        if automatic and not self._may_restart(cell):
            self._end(cell)
            return
        turn = cell.turn
        _break_off(self._lifecycle, turn)
        if turn.agent is _NOBODY:
            self._replace(cell, reason)
        else:
            turn.begin(self._in_order(turn, reason))

    def _in_order(self, turn: Turn, reason: str) -> Frame:
        yield from self._lifecycle.last_words(turn)
        self._replace(turn.cell, reason)

    def _replace(self, cell: Cell, reason: str) -> None:
        record, old = _record(cell), cell.turn
        running.set(None)  # what its factory does is not done in this turn
        try:
            turn = self._remake(cell)
        except BaseException as error:
            self._not_made(old, reason, error)
            return
        finally:
            running.set(old)
        record.renewing = False
        record.incarnation += 1
        _retire(old)
        cell.turn = turn
        self._lifecycle.announce_restart(cell, reason)
        self._lifecycle.on_renewal(cell)
        cell.post(lambda: self._lifecycle.begin_again(cell), first=True)
        cell.schedule(cell)

    def _not_made(self, turn: Turn, reason: str, error: BaseException) -> None:
        turn.failed(error, "factory")
        _record(turn.cell).renewing = False
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
        return intensity is None or intensity.restarting(now) == "restart"

    def _end(self, cell: Cell) -> None:
        """It was restarted once too often."""
        turn = cell.turn
        turn.report(logging.ERROR, "was restarted too often; the agent stops")
        _break_off(self._lifecycle, turn)
        if turn.agent is _NOBODY:
            self._lifecycle.close(cell, "restarts")
        else:
            turn.begin(self._lifecycle.stop(turn, None, "restarts"))


def _break_off(lifecycle: Lifecycle, turn: Turn) -> None:
    """What a turn that nobody is inside has in hand is a dead letter; what it said stays said."""
    cell, attempt, progress = turn.cell, turn.attempt, turn.progress
    event = turn.abort("stuck")
    lifecycle.leave_line(cell, "stuck")
    if event is not None:
        cell.engine.bury(event, cell, None, attempt, "stuck", progress)


def _bury(turn: Turn, item: object, error: BaseException | None, where: str) -> None:
    """What a handler that hangs had in hand."""
    cell = turn.cell
    if isinstance(item, Recorded):
        cell.feed.done(item)
        item = item.event
    elif isinstance(item, Redelivery):
        item = item.event
    if isinstance(item, Event):
        cell.engine.bury(item, cell, error, turn.attempt, "stuck", turn.progress, where)
    elif not callable(item):  # a hook is about nothing
        settle_left_over(cell, [item], "stuck")


def _retire(turn: Turn) -> None:
    turn.retire()
    if turn.agent is not _NOBODY:
        agent = cast("Agent", turn.agent)
        agent._choreia_cell = Retired(turn)  # type: ignore[assignment]


def _record(cell: Cell) -> Record:
    record: Record = cell.owner
    return record
