"""The turn: an agent's unit of work.

A turn takes items from the mailbox, up to 64 of them or `SLICE` seconds, and hands each to
its handlers. What a handler asked of the runtime (emissions, timers) is buffered and happens when
it returns, all or nothing.

A plain handler (`def`) is called from the loop in `run`; that is the hot path. Everything else —
coroutines, generators, retries, parking, starting, stopping — is a *frame* (`frames.py`).

A turn belongs to one instance of the agent; a restart makes a new turn for the same cell, and the
old one, which may still hang in a handler, can do nothing more (`fencing.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutine
from threading import get_ident

from choreia.runtime.delivery.behaviour import Frame, Hearing, Planner
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.context import running
from choreia.runtime.delivery.deadletter import Redelivery
from choreia.runtime.delivery.emission import Emitter
from choreia.runtime.delivery.frames import Frames
from choreia.runtime.delivery.handling import deliver, recover
from choreia.runtime.delivery.mailbox import CLOSED, IDLE, OWNED
from choreia.runtime.delivery.outgoing import Effect
from choreia.runtime.delivery.retry import Retry
from choreia.runtime.errors import Fenced
from choreia.runtime.events.event import Event

SLICE = 0.005
"""Bound of one turn, in seconds, after which the next agent has its own."""

BRISK = 0.0002
"""Seconds for up to eight events, below which the next eight are run without a look at the clock,
which would take a fifth of the time of a short handler."""


SAMPLED = 7
"""While somebody looks, of short turns one in so many is timed: to time all costs a fifth of a hop.
A prime, so that it does not keep step with what comes by turns."""


class Turn(Frames):
    """See the module. Only the thread that runs the turn touches it, save where noted."""

    __slots__ = ("brisk", "nested", "over_at", "unreported")

    def __init__(
        self,
        cell: Cell,
        agent: Hearing,
        planner: Planner,
        emitter: Emitter,
        retry: Retry,
        max_outbox: int,
    ) -> None:
        super().__init__(cell, agent, planner, emitter, retry, max_outbox)
        self.nested = cell.engine.dispatcher.simulated
        """Whether a turn may run within another one, whose place it then gives back."""
        self.brisk = False
        """Whether its last events took next to no time."""
        self.over_at = 0.0
        self.unreported: list[Event] = []
        """Handled, and not yet told of to who counts what is in flight."""

    # -- the loop -------------------------------------------------------------------------

    def run(self) -> None:  # noqa: C901  # in one piece for its speed, see below
        """Serve the cell for one turn. It is OWNED by the calling thread."""
        # Plain, with locals, in one piece: every event passes here. What is rare hides behind
        # `interrupt` and `attention`, one test each. `step` and `event` are only cleared when the
        # turn ends.
        before = running.get() if self.nested else None
        running.set(self)
        self.thread = get_ident()
        cell, agent, known, monotonic = self.cell, self.agent, self.planner.known, self.monotonic
        box = cell.mailbox
        cell.since = monotonic()
        self.over_at = over_at = cell.since + SLICE
        left, brisk = self.engine.events_per_turn, self.brisk
        timed, seen = self.engine.timed, left  # `seen`: how many were left at the last look
        hear = agent.on_receive
        cases = self.engine.cases if cell.holding else None
        careful = self.engine.budget is not None
        done = self.unreported  # told of by the batch, and before anybody may think all is quiet
        while True:
            if cell.interrupt:
                if done:
                    done = self._done(done)
                if not self._attend():
                    if cell.turn is not self or cell.rest():
                        break
                    if monotonic() >= over_at:
                        cell.schedule(cell)
                        break
                    continue
            items = box.items
            if not items:  # or None: never filled
                self.step = self.event = None
                if done:
                    done = self._done(done)
                with box.lock:  # as `rest`, for the common case
                    if not cell.interrupt and not box.items and box.state == OWNED:
                        box.state = IDLE
                        break
                if cell.rest():
                    break
                continue
            try:
                item = items.popleft()
            except IndexError:  # `drop_oldest` was faster
                continue
            if box.attention:
                cell.feed.relieve()
            kind = item.__class__
            if kind is Event:
                plan = known.get(item.type) or self.planner.plan(item.type)  # type: ignore[attr-defined]
                quick = plan.quick
                if quick is None or careful:
                    self.begin(deliver(self, item, plan), item)  # type: ignore[arg-type]
                    if self.fenced:
                        break
                else:
                    self.event = item  # type: ignore[assignment]
                    self.step = quick
                    self.lent = item
                    try:
                        returned = quick(agent, item)
                    except BaseException as error:
                        if not self._regained():
                            break
                        self.begin(recover(self, item, plan, error), item)  # type: ignore[arg-type]
                        if self.fenced:
                            break
                    else:
                        self.lent = None
                        if self.claimed and not self._regained():
                            break
                        if returned is not None and not (
                            plan.may_return and not iscoroutine(returned)
                        ):
                            self.begin(recover(self, item, plan, None, returned), item)  # type: ignore[arg-type]
                        else:
                            if self.buffer:
                                self.leave()
                            if self.progress is not None:
                                self.progress = None
                            cell.handled += 1
                            if cases is not None:
                                done.append(item)  # type: ignore[arg-type]
                                if cases.watched:  # or it is told when the next one is done with
                                    done = self._done(done)
            elif kind is tuple:
                self.event = None
                self.step = hear
                self.lent = item
                try:
                    returned = hear(item[0])  # type: ignore[index]
                except BaseException as error:
                    if not self._regained():
                        break
                    self.ear.failed(item[0], error)  # type: ignore[index]
                else:
                    self.lent = None
                    if self.claimed and not self._regained():
                        break
                    if returned is not None:
                        self.ear.returned(item[0], returned)  # type: ignore[index]
                    else:
                        if self.buffer:
                            self.leave()
                        cell.handled += 1
            else:
                self.event = None
                self._take(item)
                if self.fenced:
                    break
            left -= 1
            if left & 7 and brisk:
                continue
            before_these, cell.since = cell.since, monotonic()
            brisk = self.brisk = cell.since - before_these < BRISK
            if timed:
                seen = self._took(cell.since - before_these, seen, left)
            if done and not brisk:
                done = self._done(done)
            if not left or cell.since >= over_at:
                if self.frame is None:
                    self.step = self.event = None
                if done:
                    done = self._done(done)
                cell.schedule(cell)
                break
        if done:
            self._done(done)
        if timed and seen != left and (cell.times is None or not cell.handled % SAMPLED):
            self._took(monotonic() - cell.since, seen, left)
        if self.nested:
            running.set(before)
            self.thread = 0

    def _done(self, events: list[Event]) -> list[Event]:
        """They are handled: a new list for the next."""
        if self.frame is None:  # or whoever is told, and looks, finds the last of them in hand
            self.step = self.event = None
        following: list[Event] = []
        self.unreported = following
        if self.engine.cases is not None:
            self.engine.cases.ended(events)
        return following

    def _took(self, seconds: float, seen: int, left: int) -> int:
        """All events since `seen` were left have taken so long. What waits is timed at its end."""
        if self.frame is None:
            self.took(seconds / (seen - left), seen - left)
        return left

    def _over(self) -> bool:
        return self.monotonic() >= self.over_at

    def _take(self, item: object) -> None:
        """An item that is no event: what pykka sends, or a dead letter on its way back."""
        if isinstance(item, Redelivery):
            plan = self.planner.plan(item.event.type)
            self.begin(deliver(self, item.event, plan, routed=False, progress=item.progress), item)
        else:
            self.held = item
            frame = self.ear.receive(item)
            if frame is not None:
                self.begin(frame, item)
            elif self.frame is None:
                self.held = None

    def _attend(self) -> bool:
        """Controls, holds, unfinished frames: False when the mailbox must wait for them."""
        cell = self.cell
        if self.frame is None:  # what was in hand last has been handled
            self.step = self.event = None
        while True:
            while cell.controls:
                self._control(cell.controls.popleft())
                if cell.turn is not self:
                    return False
            if cell.mailbox.state == CLOSED or cell.holds:
                return False
            if self.frame is not None:
                self._resume()
                if cell.turn is not self:
                    return False
            elif cell.outbox:  # a timer fired into a full mailbox
                self.begin(self.drain())
            else:
                break
            if self.frame is not None and not cell.holds and self._over():
                return False
        with cell.mailbox.lock:
            if not cell.controls and not cell.holds:
                cell.interrupt = False
        self.engine.held.pop(cell.number, None)
        return True

    def _control(self, control: Callable[[], None]) -> None:
        try:
            control()
        except Fenced:
            pass  # it hung in the user's code, and somebody else has seen to the rest
        except Exception:
            self.engine.log.exception("a control of agent %r failed", self.cell.name)


__all__ = ["Effect", "Frame", "Planner", "Turn"]
