"""How a system ends: refuse, say so, drain, and let every agent go."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, cast

from choreia.actors.lifecycle import Lifecycle
from choreia.actors.roster import Roster
from choreia.runtime.delivery.cell import AWAITING, BACKING_OFF, PARKING, PAUSED, Cell
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.mailbox import CLOSED

if TYPE_CHECKING:
    from choreia.actors.record import Record

GRACE = 1.0
"""Seconds, beyond the timeout, that agents get to come to the end of what they have in hand."""
HURRIED = 0.1
"""The same, when somebody has no patience."""

Waiting = Generator[tuple[Gate, float], None, None]
"""Yields gates to wait at, and for how many seconds at most."""


class Stopping:
    """The end of one system, as a generator so that it can block or await at its gates."""

    def __init__(self, roster: Roster, lifecycle: Lifecycle) -> None:
        self._roster = roster
        self._engine = roster.engine
        self._lifecycle = lifecycle
        self._drain = True
        self._grace = GRACE
        self.left: tuple[str, ...] = ()
        """Who had not come to an end, a line each."""

    def hurry(self) -> None:
        """Between two steps: do not drain any longer. Whoever waits goes to the next step."""
        self._drain, self._grace = False, HURRIED

    def steps(self, drain: bool, timeout: float) -> Waiting:
        engine = self._engine
        self._drain = drain
        ends = engine.clock.monotonic() + timeout
        engine.refuse()
        self._roster.close()
        engine.draining = True
        engine.announce("system.shutdown", {"drain": drain})
        if drain:
            idle = engine.when_idle()
            yield idle, timeout
            if not idle.is_open:
                self.left = engine.idle_timeout(timeout, self._roster.all()).in_flight
        for cell in self._roster.all():
            family = cast("Record", cell.owner).family
            if family is not None:
                family.close()
        yield from self._let_go("member", ends)
        yield from self._let_go("agent", ends)
        if self._drain:  # what the agents said in leaving
            yield engine.when_idle(), max(0.0, ends - engine.clock.monotonic())
        yield from self._let_go("subscription", ends)
        yield from self._let_go("system", ends)

    def _let_go(self, kind: str, ends: float) -> Waiting:
        """Last spawned, first let go, as pykka does it."""
        clock = self._engine.clock
        cells = [cell for cell in reversed(self._roster.all()) if cell.kind == kind]
        left = [cell for cell in cells if not self._close_idle(cell)]
        for cell in left:
            orderly = self._drain and not cell.holds & (PARKING | BACKING_OFF | AWAITING)
            cell.post(partial(self._end, cell, orderly))
        if left:
            time_left = ends - clock.monotonic() if self._drain else 0.0
            yield self._engine.when_idle(), max(self._grace, time_left)
        # Whoever still has not come to an end hangs in a handler: its thread is left behind. Or it
        # was never given a turn: all threads hang, or Ctrl-C hit a publisher between the put and
        # the wake-up.
        for cell in left:
            if cell.mailbox.state != CLOSED:
                cell.turn.retire()
                self._engine.dispatcher.abandon(cell, cell.turn)
                if cell.turn.step is not None or cell.turn.frame is not None:
                    cell.turn.log.error("did not stop in time: %s", cell.describe())
                self._lifecycle.close(cell, "stopped")

    def _close_idle(self, cell: Cell) -> bool:
        """Close an agent that has nothing to do and no last words: a second for 100,000."""
        from choreia.actors.agent import Agent

        agent = cell.turn.agent
        assert isinstance(agent, Agent)
        if type(agent).on_stop is not Agent.on_stop or not cell.claim():
            return False
        self._lifecycle.close(cell, "stopped")
        return True

    def _end(self, cell: Cell, orderly: bool) -> None:
        """In the agent's turn."""
        turn = cell.turn
        cell.release(PAUSED)
        if turn.frame is not None or not orderly:
            event = turn.abort("stopped")
            self._lifecycle.leave_line(cell, "stopped")
            if event is not None:
                turn.bury(event, None, turn.attempt, "stopped", turn.progress)
        turn.begin(self._lifecycle.stop(turn, None))
