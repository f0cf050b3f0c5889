"""How a publisher that must not park gets in: all mailboxes or none, waiting at a gate.

Each function is a generator that yields gates to wait at and is sent whether the gate opened; the
engine drives it with a blocking wait, an `await`, or no wait at all. So the three kinds of publish
(`publish`, `publish_async`, `try_publish`) share one algorithm.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from choreia.runtime.delivery.feed import (
    FULL,
    GONE,
    MOVED,
    PARKED,
    REJECTED,
    TAKEN,
    Feed,
    by_number,
)
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.mailbox import OWNED
from choreia.runtime.delivery.parking import Ticket
from choreia.runtime.errors import MailboxFull

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell

Admission = Generator[Gate, bool, int]
"""Yields gates, is sent whether each opened in time, returns a verdict: TAKEN or GONE."""


def admit_everywhere(
    feeds: Sequence[Feed], item: object, before: Callable[[], None] | None = None
) -> Admission:
    """Let `item` into all of `feeds`, or, with `MailboxFull`, into none.

    `before` is called when it is certain to get in, and nobody has it yet: whoever watches sees
    causes before effects. It must not block.

    Room is looked for in all of them under all their locks at once, taken in the order of the
    agents' numbers. Without room the publisher waits in line at the full mailbox *holding
    nothing*: holding places in other mailboxes meanwhile could close a circle of waits that no
    chain of parked agents shows.
    """
    last: Feed | None = None
    try:
        while True:
            verdict, feed = try_everywhere(feeds, item, last, before)
            if verdict in (TAKEN, GONE):
                return verdict
            if verdict == MOVED:
                feeds = sorted((one.latest() for one in feeds), key=by_number)
                continue
            if verdict == REJECTED:
                raise _full(feed, "it rejects what does not fit")
            gate = Gate()
            ticket = Ticket(None, None, gate)
            entered = feed.cell.engine.lot.stand_in_line(feed, ticket, front=feed is last)
            if entered == GONE:
                return GONE
            if entered == MOVED:
                continue
            if last is not None and last is not feed:
                last.cell.engine.lot.release(last)
            last = feed
            if entered == PARKED:
                yield from _at(gate, feed, ticket)
    finally:
        # Those behind in the line were held up while this one tried.
        if last is not None:
            last.cell.engine.lot.release(last)


def try_everywhere(  # noqa: C901  # one critical section, in place for its speed
    feeds: Sequence[Feed],
    item: object,
    first_in_line: Feed | None = None,
    before: Callable[[], None] | None = None,
) -> tuple[int, Feed]:
    """Let `item` into all of `feeds`, or tell the verdict of the first that has no room."""
    boxes = [feed.mailbox for feed in feeds]
    gone: list[Feed] = []
    held = 0
    try:
        roomy = True
        for box in boxes:
            box.lock.acquire()
            held += 1
            items: Any = box.items
            if items.__class__ is not deque or len(items) >= box.capacity or box.waiting:
                roomy = False
        if roomy and before is not None:
            before()
        if roomy:  # plain and in place: fan-out to a hundred agents passes here for each of them
            for box in boxes:
                items = box.items
                items.append(item)
                size = len(items)
                if size > box.high_water:
                    box.high_water = size
                if not box.state:
                    box.state = OWNED
                    box.wake()
        else:
            for feed in feeds:
                verdict = feed.would(item)
                if verdict == FULL and feed is first_in_line:
                    # It was called from the line: those still in it come after.
                    verdict = TAKEN if len(feed.mailbox) < feed.mailbox.capacity else FULL
                if verdict != TAKEN and verdict != GONE:
                    return verdict, feed
            if before is not None:
                before()
            gone = [feed for feed in feeds if feed.would(item) == GONE]
            for feed in feeds:
                if feed not in gone:
                    feed.admit(item)
    finally:
        for box in boxes[:held] if held < len(boxes) else boxes:
            box.lock.release()
    if not roomy:
        for feed in gone:
            feed.cell.engine.over(feed.cell, item)
        for feed in feeds:
            if feed.mailbox.attention and not feed.mailbox.pressured:
                feed.cell.engine.pressure(feed.cell)
    return TAKEN, feeds[0]


def admit_one(feed: Feed, item: object, sender: Cell | None = None) -> Admission:
    """Let `item` into one mailbox, for an outside caller or from within `sender`'s handler.

    A handler that blocks here counts as parked in the search for circles.
    """
    while True:
        verdict = feed.offer(item)
        if verdict == REJECTED:
            raise _full(feed, "it rejects what does not fit")
        if verdict != FULL:
            return verdict
        gate = Gate()
        lot = feed.cell.engine.lot
        ticket = Ticket(item, sender, gate)
        while (verdict := lot.park_blocked(ticket, feed)) == MOVED:
            feed = feed.latest()
        if verdict != PARKED:
            return verdict
        yield from _at(gate, feed, ticket)
        if ticket.admitted:
            return TAKEN
        latest = feed.latest()  # its agent is gone; there may be another one of its key
        if latest is feed:
            return GONE
        feed = latest


def _at(gate: Gate, feed: Feed, ticket: Ticket) -> Generator[Gate, bool, None]:
    opened = False
    try:
        opened = yield gate
    finally:
        # Timed out, cancelled, or the system stops: out of the line, unless admitted just now.
        if not opened:
            opened = not feed.cell.engine.lot.leave(feed, ticket)
    if not opened:
        raise _full(feed, "it found no room in time")


def _full(feed: Feed, why: str) -> MailboxFull:
    name, capacity = feed.cell.name, feed.mailbox.capacity
    return MailboxFull(
        f"the mailbox of agent {name!r} is full ({capacity} items) and {why}; nobody got the "
        "event. Publish more slowly, wait longer (timeout=), or give the agent a larger mailbox=",
        agent=name,
        capacity=capacity,
    )
