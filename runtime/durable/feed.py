"""The log's feed: a mailbox is a window on the log.

Every event is committed before it is routed, in one order for all. An agent whose mailbox is full
parks nobody: it is marked as lagging, and refilled from the log, from where its window ends, when
it has worked off half of it. So a slow agent costs neither memory nor events, and one that begins
where it stopped is nothing but one that lags.

Durable agents get `Recorded` events, whose positions make up their cursor. The others (live only)
get bare events, with any overflow policy; what would park a sender in memory makes them lag, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from choreia.runtime.delivery.cell import COMMITTING
from choreia.runtime.delivery.feed import FULL, GONE, TAKEN, MemoryFeed
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.mailbox import CLOSED
from choreia.runtime.delivery.overflow import Overflow
from choreia.runtime.errors import StoreError
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.upcasting import UPCAST, upcast_if_possible
from choreia.runtime.stores.base import Selection

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.durable.bus import LogBus

log = logging.getLogger("choreia.store")

READ = 256
"""Events read from the log at a time."""
AGAIN = 0.25
"""Seconds until it is tried again, when it could not be read."""


def _newest(recorded: Recorded) -> Recorded:
    """As the code of today knows it. What the log holds stays what was written."""
    event = recorded.event
    if event.type not in UPCAST or recorded.erased:
        return recorded
    return attrs.evolve(recorded, event=upcast_if_possible(event))


class LogFeed(MemoryFeed):
    """Implements `Feed` over a log."""

    __slots__ = (
        *("_behind", "_bus", "_line_first", "_patterns", "durable", "fetched", "opened"),
        *("max_lag", "owed", "queueing"),
    )

    def __init__(
        self,
        cell: Cell,
        bus: LogBus,
        policy: Overflow,
        patterns: Callable[[], tuple[str, ...]],
        *,
        durable: bool,
        max_lag: int | None,
    ) -> None:
        """`patterns`: which types the agent subscribes to, as topic patterns."""
        super().__init__(cell, policy)
        self._bus = bus
        self._patterns = patterns
        self.durable = durable
        self.fetched = bus.routed
        """The window ends here: later events are still to come."""
        self.opened = not durable
        """Whether events may come. A durable agent says when it is ready."""
        self.max_lag = max_lag
        self.owed = 0
        """Events for the agent that it has not handled, if anybody counts them."""
        self.queueing: list[Gate] = []
        """Publishers that wait until it is less."""
        self._behind = False
        self._line_first = False

    def open_at(self, position: int) -> None:
        """Events behind `position` may come."""
        types = self._exact_types()
        known = types is not None and position < self._bus.before_run
        if known and self._bus.nothing_since(position, types or frozenset()):
            position = self._bus.before_run  # thousands of agents begin so, with no query each
        with self._bus.routing:
            self.fetched = position
            self._behind = position < self._bus.routed
            if self.max_lag is not None:
                self._count_owed(position)
            self.opened = True
            box = self.mailbox
            box.attention = box.attention or self._behind

    def _exact_types(self) -> frozenset[str] | None:
        """The types that the agent subscribes to; None when it has wildcards."""
        patterns = self._patterns()
        return None if any("*" in one or "#" in one for one in patterns) else frozenset(patterns)

    def _count_owed(self, position: int) -> None:
        for recorded in self._bus.store.read(
            position, pattern=self._patterns(), up_to=self._bus.routed
        ):
            self.owed += self._concerns(_newest(recorded))

    # -- events, from the journal -----------------------------------------------------------

    def offer(self, item: object) -> int:
        if isinstance(item, Recorded):
            return self._offer_recorded(item)
        return super().offer(item)

    def _offer_recorded(self, recorded: Recorded) -> int:
        """Called in log order, with the bus's `routing` held."""
        if not self.opened or recorded.position <= self.fetched:
            return TAKEN
        if self.max_lag is not None:
            self.owed += 1
        if self._behind:
            return TAKEN
        box = self.mailbox
        item = recorded if self.durable else recorded.event
        with box.lock:
            if box.state == CLOSED:
                return GONE
            verdict = self.would(item)
            if verdict == FULL:
                box.attention = True
                # Looked at again: a taker that was faster has not seen `attention`, and would
                # never refill (the argument is the one in `parking.py`).
                self._behind = self.would(item) == FULL
                if not self._behind:
                    verdict = TAKEN
            if verdict == TAKEN:
                self.admit(item)
                self.fetched = recorded.position
        if self._behind and not box.pressured:
            self.cell.engine.pressure(self.cell)
        return TAKEN if verdict == FULL else verdict

    # -- refilling, in the agent's turn -----------------------------------------------------

    def relieve(self) -> None:
        box, lot = self.mailbox, self.cell.engine.lot
        if not self._behind:
            super().relieve()
            return
        with box.lock:
            if len(box) > box.capacity // 2:
                return
            box.pressured = False
        # Who tells something stands in line as at any mailbox; line and log go first in turns.
        self._line_first = not self._line_first
        if self._line_first:
            lot.release(self)
        try:
            while self._behind and self._refill():
                pass
        except StoreError as error:
            self._stall(error)
        self._attend()
        if box.waiting:
            lot.release(self)

    def _stall(self, error: StoreError) -> None:
        """The log cannot be read just now: hold the agent for a moment."""
        cell = self.cell
        log.error("agent %s cannot read on: %s", cell.name, error)
        cell.hold(COMMITTING)
        cell.engine.clock.call_later(AGAIN, lambda: cell.release(COMMITTING))

    def _attend(self) -> None:
        with self.mailbox.lock:
            box = self.mailbox
            box.attention = self._behind or box.pressured or bool(box.waiting)

    def _refill(self) -> bool:
        """Read on in the log: whether there may be more to read, and room for it."""
        routed = self._frontier()  # before reading: what is in the log up to there can be read
        # Not much more than there is room for: what is read and finds none is read again.
        limit = min(READ, 8 + 2 * (self.mailbox.capacity - len(self.mailbox)))
        page = self._bus.recent(self.fetched, READ)
        if page is None:
            page = self._bus.store.page(self.fetched, limit, Selection(self._patterns()))
        else:
            limit = READ
        types = self._exact_types()
        for recorded in page:
            if recorded.position > routed:
                break
            if types is not None and recorded.event.type not in types:
                self.fetched = recorded.position  # the quick look, for which most are none of ours
                continue
            recorded = _newest(recorded)
            if recorded.erased and not self.durable:  # it was on its way here, and is no more
                self.cell.engine.over(self.cell, recorded.event)
            if self._concerns(recorded) and not self._push(recorded):
                return False
            self.fetched = recorded.position
        else:
            if len(page) == limit:
                return True
        with self._bus.routing:
            # Nothing is routed meanwhile, so "nothing more to read" stays true until live events
            # are taken again.
            self.fetched = max(self.fetched, routed)
            self._behind = self._frontier() > routed
        return self._behind

    def _frontier(self) -> int:
        """How far there is something to read for this agent."""
        return self._bus.routed

    def _push(self, recorded: Recorded) -> bool:
        box = self.mailbox
        item = recorded if self.durable else recorded.event
        with box.lock:
            if box.state == CLOSED or (self.would(item) == FULL and len(box) >= box.capacity):
                return False
            self.admit(item)
        return True

    def _concerns(self, recorded: Recorded) -> bool:
        if recorded.erased or (recorded.live and recorded.position <= self._bus.before_run):
            return False
        return self._bus.concerns(self.cell, recorded.event)

    def lagging(self) -> bool:
        return self._behind

    # -- who waits for it -------------------------------------------------------------------

    def congested(self) -> bool:
        """Whether a publisher has to wait for the agent to catch up."""
        lag = self.max_lag
        return lag is not None and self.owed >= lag and not self.cell.paused and self.opened

    def worked_off(self, count: int) -> None:
        """The agent has handled so many events, and that is on disk."""
        if self.max_lag is None:
            return
        with self._bus.routing:
            self.owed -= count
            if self.congested() or not self.queueing:
                return
            gates, self.queueing = self.queueing, []
        for gate in gates:
            gate.open()
