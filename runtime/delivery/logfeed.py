"""The other feed: a log is the truth, and a mailbox is a window on it.

Every event is appended to the log before it is routed, in one order for all. An agent whose mailbox
is full parks nobody: it is marked as lagging, and refilled from the log, from where its window
ends, when it has worked off half of it. A slow agent costs neither memory nor events.

`ListLog` is a log over a plain list: it proves the seam and serves tests. The durable one
implements the same contract.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import attrs

from choreia.runtime.delivery.bus import Bus
from choreia.runtime.delivery.feed import FULL, GONE, TAKEN, Feed
from choreia.runtime.delivery.mailbox import CLOSED
from choreia.runtime.events.event import Event

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.engine import Engine

READ = 256
"""Events read from the log at a time."""


@attrs.frozen
class Recorded:
    """An event and its position in the log; positions count from 1, without gaps."""

    position: int
    event: Event


class EventLog(Protocol):
    """An append-only sequence of events."""

    def append(self, event: Event) -> Recorded: ...

    def read(self, after: int, limit: int) -> Sequence[Recorded]:
        """Up to `limit` events behind position `after`, in order."""
        ...

    @property
    def head(self) -> int:
        """The last position; 0 when there is none."""
        ...


class ListLog:
    """A log over a plain list. Lives and dies with the process."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, event: Event) -> Recorded:
        self.events.append(event)
        return Recorded(len(self.events), event)

    def read(self, after: int, limit: int) -> Sequence[Recorded]:
        found = self.events[after : after + limit]
        return [Recorded(after + place, event) for place, event in enumerate(found, start=1)]

    @property
    def head(self) -> int:
        return len(self.events)


class LogFeed:
    """Implements `Feed` over a log."""

    __slots__ = ("_behind", "_bus", "_line_first", "cell", "cursor", "fetched", "mailbox")

    policy = "park"

    def __init__(self, cell: Cell, bus: LogBus, start: int) -> None:
        self.cell = cell
        self.mailbox = cell.mailbox
        self._bus = bus
        self.cursor = start
        """Handled, or not for this agent, up to here."""
        self.fetched = start
        """The mailbox's window ends here."""
        self._behind = False
        self._line_first = False

    def offer(self, item: object) -> int:
        box = self.mailbox
        with box.lock:
            verdict = self.would(item)
            if verdict == TAKEN:
                self.admit(item)
        if self._behind and not box.pressured:
            self.cell.engine.pressure(self.cell)
        return verdict

    def would(self, item: object) -> int:
        if self.mailbox.state == CLOSED:
            return GONE
        # A message is in no log: its sender must wait for room.
        return FULL if not isinstance(item, Recorded) and self.mailbox.full else TAKEN

    def admit(self, item: object) -> None:
        box = self.mailbox
        if isinstance(item, Recorded):
            if not self._behind and box.full:
                box.attention = True
                # Looked at again: a taker that was faster has not seen `attention`, and would
                # never refill (the argument is the one in `parking.py`).
                self._behind = box.full
            if self._behind:
                return
            self.fetched = item.position
        box.push(item)

    def force(self, item: object) -> int:
        box = self.mailbox
        with box.lock:
            if box.state == CLOSED:
                return GONE
            box.push(item)
        return TAKEN

    def relieve(self) -> None:
        box, lot = self.mailbox, self.cell.engine.lot
        if not self._behind:
            lot.release(self)
            return
        with box.lock:
            if len(box) > box.capacity // 2:
                return
            box.pressured = False
        # Who tells something stands in line as at any mailbox; line and log go first in turns.
        self._line_first = not self._line_first
        if self._line_first:
            lot.release(self)
        while self._behind and self._refill():
            pass
        if box.waiting:
            lot.release(self)

    def _refill(self) -> bool:
        """Read on in the log: whether there may be more to read, and room for it."""
        # Under the log's lock nothing is appended, so "nothing more to read" stays true until
        # the feed takes live events again.
        with self._bus.log_lock:
            batch = self._bus.log.read(self.fetched, READ)
            for recorded in batch:
                if self._bus.concerns(self.cell, recorded.event):
                    with self.mailbox.lock:
                        if len(self.mailbox) >= self.mailbox.capacity:
                            return False
                        self.mailbox.push(recorded)
                self.fetched = recorded.position
            if len(batch) < READ:
                self._behind = False
                with self.mailbox.lock:
                    self.mailbox.attention = self.mailbox.pressured or bool(self.mailbox.waiting)
            return len(batch) == READ

    def done(self, item: object) -> None:
        if isinstance(item, Recorded):
            self.cursor = max(self.cursor, item.position)

    def lagging(self) -> bool:
        return self._behind


class LogBus(Bus):
    """A bus that appends before it routes: each agent's input is a subsequence of the log."""

    def __init__(self, engine: Engine, log: EventLog) -> None:
        super().__init__(engine)
        self.log = log
        self.log_lock = threading.RLock()

    def route(self, event: Event, sender: Cell) -> None:
        self.record(event)

    def publish_at_once(self, event: Event) -> bool:
        self.record(event)
        return True

    def record(self, event: Event) -> None:
        """Append `event`, and route it, before any other is appended."""
        with self.log_lock:
            recorded = self.log.append(event)
            route, feeds = self.receivers(event)
            for feed in feeds:
                feed.offer(recorded)
        self.show(event, route)

    def impose(self, event: Event, *, vital: bool) -> None:
        if vital:
            super().impose(event, vital=True)  # vital signs are not recorded
        else:
            self.record(event)

    def concerns(self, cell: Cell, event: Event) -> bool:
        """Whether `event` is for `cell`, by type and filter."""
        return any(feed.cell is cell for feed in self.receivers(event)[1])


def feed_for(cell: Cell, bus: LogBus) -> Feed:
    return LogFeed(cell, bus, bus.log.head)
