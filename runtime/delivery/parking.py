"""Parking: a sender that finds no room waits in line, and a circle of waiters is broken.

An agent that emits into a full mailbox blocks no thread. What it could not deliver stays in its
outbox, it is taken off the run queue, and a ticket for its next delivery stands in line at the
mailbox. When the mailbox's owner takes something, `release` moves the first ticket's item in and
sends that sender on its way; nobody who comes later can take the room first.

**Why it cannot deadlock.** A parked agent waits for exactly one mailbox, so "who waits for whom"
is a chain, and following it from the mailbox's owner tells whether parking would close a circle.
If it would, that one delivery is let in above capacity, counted as overflowed, and the circle is
named. (Parks 1995, "Bounded Scheduling of Process Networks", section 4: grow a buffer only on
artificial deadlock.) Every chain therefore ends at an agent that can go on, and finite work
always drains.

**Why one lock is enough.** Parking, waking and the search are the rare path: they share the lot's
lock, taken before any mailbox's. The taker takes without a lock: it pops, then reads `attention`.
A parker sets `attention`, then looks again whether there is room. One of the two sees the other
(Dekker's argument; the interpreter gives sequential consistency).

Rejected: waking all waiters and letting them race (starves the slow, reorders the line); a wait
queue per sender and target (memory per edge); letting `emit` raise (an exception from delivery
would rise into a handler that did nothing wrong).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from choreia.runtime.delivery.feed import FULL, GONE, PARKED, TAKEN, Feed
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.mailbox import CLOSED

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell


class Ticket:
    """One delivery that waits in line at a mailbox, and who is to be told when it is in.

    With a `gate`, a thread or coroutine waits; without, `cell` is parked. With `item` None the
    waiter only wants to hear of room (an outside publish to several mailboxes, which must find
    room in all at once): it is let through with the line held up behind it, and must call
    `ParkingLot.release` when it has tried.
    """

    __slots__ = ("admitted", "cell", "gate", "item")

    def __init__(self, item: object | None, cell: Cell | None, gate: Gate | None) -> None:
        self.item = item
        self.cell = cell
        self.gate = gate
        self.admitted = False


class ParkingLot:
    """Who waits for whom, in one system."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def park(self, cell: Cell, feed: Feed, item: object) -> int:
        """Hold `cell` and put it in line at `feed`'s mailbox with `item`.

        TAKEN when `item` is in after all (there was room, or waiting would have closed a
        circle), PARKED, or GONE.
        """
        return self.park_blocked(Ticket(item, cell, None), feed)

    def park_blocked(self, ticket: Ticket, feed: Feed) -> int:
        """The same for a `ticket` with a gate, at which a thread or a coroutine waits."""
        cell = ticket.cell
        with self._lock:
            circle = () if cell is None else _circle(cell, feed.cell)
            verdict = self._enter(ticket, feed, grant=bool(circle), front=False)
            if verdict == PARKED and cell is not None:
                cell.parked_on = feed.cell
                if ticket.gate is None:
                    cell.park()
        if verdict != GONE:
            feed.cell.engine.pressure(feed.cell, circle)
        return verdict

    def stand_in_line(self, feed: Feed, ticket: Ticket, *, front: bool = False) -> int:
        """Put an outside publisher's `ticket` in line: PARKED, TAKEN (there was room) or GONE."""
        with self._lock:
            verdict = self._enter(ticket, feed, grant=False, front=front)
        if verdict == PARKED:
            feed.cell.engine.pressure(feed.cell)
        return verdict

    def _enter(self, ticket: Ticket, feed: Feed, *, grant: bool, front: bool) -> int:
        box = feed.mailbox
        with box.lock:
            if box.state == CLOSED:
                return GONE
            line = box.waiting
            if line is None:
                line = box.waiting = deque()
            if not grant:
                if front:
                    line.appendleft(ticket)
                else:
                    line.append(ticket)
                box.attention = True
                if len(box) >= box.capacity or len(line) > 1:
                    return PARKED
                line.pop()  # the taker took something meanwhile
            ticket.admitted = True
            wake = ticket.item is not None and box.push(ticket.item)
        if wake:
            feed.cell.schedule(feed.cell)
        return TAKEN

    def leave(self, feed: Feed, ticket: Ticket) -> bool:
        """Give up waiting: False when `ticket` has been admitted meanwhile."""
        box = feed.mailbox
        with self._lock:
            if ticket.admitted:
                return False
            with box.lock:
                if box.waiting and ticket in box.waiting:
                    box.waiting.remove(ticket)
            if ticket.cell is not None:
                ticket.cell.parked_on = None
        self.release(feed)
        return True

    def leave_all(self, cell: Cell) -> None:
        """Take a parked `cell`, which is being closed, out of the line it stands in."""
        with self._lock:
            target, cell.parked_on = cell.parked_on, None
            if target is None:
                return
            with target.mailbox.lock:
                line = target.mailbox.waiting
                for ticket in list(line or ()):
                    if isinstance(ticket, Ticket) and ticket.cell is cell and line is not None:
                        line.remove(ticket)
        self.release(target.feed)

    def release(self, feed: Feed) -> None:
        """Use the room in `feed`'s mailbox for those in line, first come, first served."""
        box = feed.mailbox
        admitted: list[Ticket] = []
        wake = False
        with self._lock:
            with box.lock:
                line = box.waiting
                while line and len(box) < box.capacity:
                    ticket = line.popleft()
                    assert isinstance(ticket, Ticket)
                    ticket.admitted = True
                    admitted.append(ticket)
                    if ticket.item is None:
                        break  # it tries now, and calls again
                    wake = box.push(ticket.item) or wake
                if box.pressured and len(box) <= box.capacity // 2:
                    box.pressured = False
                box.attention = bool(line) or box.pressured
            for ticket in admitted:
                self._go_on(ticket)
        if wake:
            feed.cell.schedule(feed.cell)

    def _go_on(self, ticket: Ticket) -> None:
        cell = ticket.cell
        if cell is not None:
            cell.parked_on = None
            if ticket.gate is None:
                assert cell.outbox is not None
                cell.outbox.popleft()
                cell.unpark()
        if ticket.gate is not None:
            ticket.gate.open()

    def abandon(self, feed: Feed) -> list[object]:
        """The agent of `feed` is gone: everybody in line goes on. What did not get in."""
        lost: list[object] = []
        with self._lock:
            with feed.mailbox.lock:
                line, feed.mailbox.waiting = feed.mailbox.waiting, None
            for ticket in line or ():
                assert isinstance(ticket, Ticket)
                if ticket.gate is None and ticket.item is not None:
                    lost.append(ticket.item)
                self._go_on(ticket)
        return lost

    def circle_of(self, cell: Cell, target: Cell) -> Sequence[str]:
        """The names along the circle that `cell` waiting for `target` would close, or nothing."""
        with self._lock:
            return _circle(cell, target)


def _circle(cell: Cell, target: Cell) -> Sequence[str]:
    names = [cell.name]
    at: Cell | None = target
    while at is not None:
        names.append(at.name)
        if at is cell:
            return names
        at = at.parked_on
    return ()


__all__ = ["FULL", "GONE", "PARKED", "TAKEN", "ParkingLot", "Ticket"]
