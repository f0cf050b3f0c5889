"""Parking: a sender that finds no room waits in line, and a circle of waiters is broken.

An agent that emits into a full mailbox blocks no thread. What it could not deliver stays in its
outbox, it is taken off the run queue, and a ticket for its next delivery stands in line at the
mailbox. When the mailbox's owner takes something, `release` moves the first ticket's item in and
sends that sender on its way; nobody who comes later can take the room first.

**Why it cannot deadlock.** A parked agent waits for exactly one mailbox (only a coroutine that
awaits several `emit_now_async` at once waits for more), so "who waits for whom" is a chain, and
following it from the mailbox's owner tells whether parking would close a circle. If it would, that
one delivery is let in above capacity, counted as overflowed, and the circle is named. (Parks 1995,
"Bounded Scheduling of Process Networks", section 4: grow a buffer only on artificial deadlock.)
Every chain therefore ends at an agent that can go on, and finite work always drains.

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

from choreia.runtime.delivery.feed import FULL, GONE, MOVED, PARKED, TAKEN, Feed
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.mailbox import CLOSED

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.events.event import Event


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
        self._asking: list[Cell] = []
        """Whose handlers block until somebody answers, once for each ask."""

    def park(self, cell: Cell, feed: Feed, item: object) -> int:
        """Hold `cell` and put it in line at `feed`'s mailbox with `item`.

        TAKEN when `item` is in after all (there was room, or waiting would have closed a
        circle), PARKED, GONE, or MOVED.
        """
        return self.park_blocked(Ticket(item, cell, None), feed)

    def park_blocked(self, ticket: Ticket, feed: Feed) -> int:
        """The same for a `ticket` with a gate, at which a thread or a coroutine waits."""
        cell = ticket.cell
        with self._lock:
            circle = () if cell is None else _circle(cell, feed.cell)
            verdict = self._enter(ticket, feed, grant=bool(circle), front=False)
            if verdict == PARKED and cell is not None:
                cell.parked_on += (feed.cell,)
                if ticket.gate is None:
                    cell.park()
        if verdict not in (GONE, MOVED):
            feed.cell.engine.pressure(feed.cell, circle)
        return verdict

    def stand_in_line(self, feed: Feed, ticket: Ticket, *, front: bool = False) -> int:
        """Put an outside publisher's `ticket` in line: PARKED, TAKEN (there was room), GONE or
        MOVED."""
        with self._lock:
            verdict = self._enter(ticket, feed, grant=False, front=front)
        if verdict == PARKED:
            feed.cell.engine.pressure(feed.cell)
        return verdict

    def _enter(self, ticket: Ticket, feed: Feed, *, grant: bool, front: bool) -> int:
        box = feed.mailbox
        with box.lock:
            if box.state == CLOSED:
                return MOVED if feed.would(ticket.item) == MOVED else GONE
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
            if ticket.item is not None:
                box.push(ticket.item)
        return TAKEN

    def leave(self, feed: Feed, ticket: Ticket) -> bool:
        """Give up waiting: False when `ticket` has been admitted meanwhile."""
        box = feed.mailbox
        with self._lock:
            if ticket.admitted:
                return False
            with box.lock:
                waited = box.waiting is not None and ticket in box.waiting
                if box.waiting is not None and waited:
                    box.waiting.remove(ticket)
            if waited and ticket.cell is not None:
                _waits_no_more(ticket.cell, feed.cell)
        self.release(feed)
        return True

    def leave_all(self, cell: Cell) -> list[tuple[Feed, Event]]:
        """Let go of a parked `cell`, which is being closed: nobody waits in its name any more.

        What it emitted has happened, and keeps its place in line without it; what of its outbox
        got no place (the agent is gone) is back.
        """
        with self._lock:
            self._asking = [asking for asking in self._asking if asking is not cell]
            targets, cell.parked_on = cell.parked_on, ()
            for target in targets:
                box = target.mailbox
                with box.lock:
                    line = [t for t in box.waiting or () if isinstance(t, Ticket)]
                    hanging = [t for t in line if t.cell is cell and t.gate is not None]
                    for ticket in line:
                        if ticket.cell is cell and ticket.gate is None and cell.outbox:
                            ticket.cell = None
                            cell.outbox.popleft()
                    box.waiting = deque(ticket for ticket in line if ticket not in hanging)
                for ticket in hanging:  # a thread may hang there still: let it go
                    if ticket.gate is not None:
                        ticket.gate.open()
        for target in targets:
            self.release(target.feed)
        left, cell.outbox = list(cell.outbox or ()), None
        return [(feed, event) for feed, event in left if self._leave_behind(feed, event) == GONE]

    def _leave_behind(self, feed: Feed, event: Event) -> int:
        """Have it wait in line with nobody behind it."""
        while True:
            verdict = self.stand_in_line(feed, Ticket(event, None, None))
            if verdict != MOVED:
                return verdict
            feed = feed.latest()

    def release(self, feed: Feed) -> None:
        """Use the room in `feed`'s mailbox for those in line, first come, first served."""
        box = feed.mailbox
        admitted: list[Ticket] = []
        with self._lock:
            with box.lock:
                line = box.waiting
                roomy = len(box) <= box.low_water
                while roomy and line and len(box) < box.capacity:
                    ticket = line.popleft()
                    assert isinstance(ticket, Ticket)
                    ticket.admitted = True
                    admitted.append(ticket)
                    if ticket.item is None:
                        break  # it tries now, and calls again
                    box.push(ticket.item)
                if box.pressured and len(box) <= box.capacity // 2:
                    box.pressured = False
                box.attention = bool(line) or box.pressured or feed.lagging()
            for ticket in admitted:
                self._go_on(ticket, feed.cell)

    def _go_on(self, ticket: Ticket, target: Cell) -> None:
        cell = ticket.cell
        if cell is not None:
            _waits_no_more(cell, target)
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
                self._go_on(ticket, feed.cell)
        return lost

    # -- blocking asks ----------------------------------------------------------------------

    def begin_ask(self, cell: Cell, target: Cell) -> None:
        """`cell`'s handler blocks until `target` answers: it waits for it like one that is parked.

        Where `target` is itself parked, at last on `cell`, that delivery is let in: it could not
        answer otherwise.
        """
        with self._lock:
            cell.parked_on += (target,)
            self._asking.append(cell)
            circle = _circle(cell, target)
            if circle:
                self._let_in(cell.feed, circle[-2])

    def end_ask(self, cell: Cell, target: Cell) -> None:
        with self._lock:
            if cell in self._asking:  # or it was replaced meanwhile, and asks nobody any more
                self._asking.remove(cell)
                _waits_no_more(cell, target)

    def waits_for_room(self, cell: Cell) -> bool:
        """Whether `cell` waits for room in a mailbox, and not (only) for an answer."""
        with self._lock:
            return len(cell.parked_on) > self._asking.count(cell)

    def _let_in(self, feed: Feed, name: str) -> None:
        box = feed.mailbox
        with box.lock:
            line = [t for t in box.waiting or () if isinstance(t, Ticket)]
            chosen = [t for t in line if t.cell and t.cell.name == name and t.item is not None]
            for ticket in chosen:
                ticket.admitted = True
                box.push(ticket.item)
            box.waiting = deque(ticket for ticket in line if not ticket.admitted)
        for ticket in chosen:
            self._go_on(ticket, feed.cell)

    def chain(self, cell: Cell) -> list[str]:
        """Whom `cell` waits for, whom that one waits for, and so on; a circle is closed once."""
        with self._lock:
            names = [cell.name]
            at = cell
            while at.parked_on:
                at = at.parked_on[-1]
                names.append(at.name)
                if at.name in names[:-1]:
                    break
            return names


def _waits_no_more(cell: Cell, target: Cell) -> None:
    waits = list(cell.parked_on)
    if target in waits:
        waits.remove(target)
    cell.parked_on = tuple(waits)


def _circle(cell: Cell, target: Cell) -> Sequence[str]:
    came_from: dict[Cell, Cell] = {target: cell}
    ahead = [target]
    while ahead:
        at = ahead.pop()
        if at is cell:
            return _names(came_from, cell)
        for further in at.waits_for(cell):
            if further not in came_from:
                came_from[further] = at
                ahead.append(further)
    return ()


def _names(came_from: dict[Cell, Cell], cell: Cell) -> Sequence[str]:
    names = [cell.name]
    at = came_from[cell]
    while at is not cell:
        names.append(at.name)
        at = came_from[at]
    return [cell.name, *reversed(names[1:]), cell.name]


__all__ = ["FULL", "GONE", "PARKED", "TAKEN", "ParkingLot", "Ticket"]
