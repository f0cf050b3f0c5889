"""A feed stands between routing and a mailbox: it decides how an event gets in.

Turns, settling and inspection know mailbox and feed, not which feed. Two implement the contract:
`MemoryFeed` (here) parks the sender when there is no room; `LogFeed` (`durable/feed.py`) marks the
agent as lagging and refills its mailbox from the log.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from choreia.runtime.delivery.cases import event_of
from choreia.runtime.delivery.mailbox import CLOSED, OWNED, Mailbox
from choreia.runtime.delivery.overflow import ConflatingQueue, DroppingQueue, Overflow

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell

# What became of an offer. Plain integers, with 0 for the common case: `if feed.offer(event):` is
# the whole test on the hot path.
TAKEN: Final = 0  # in the mailbox, or dropped by a policy that said so and counted it
FULL: Final = 1  # no room: the sender must park
REJECTED: Final = 2  # no room, and the policy is `reject`
GONE: Final = 3  # the agent is no more
PARKED: Final = 4  # the sender waits in line (only from `ParkingLot.park`)
MOVED: Final = 5  # the agent was put to sleep: ask for the `latest` feed (`family.py`)


class Feed(Protocol):
    """How items get into one agent's mailbox. All methods are thread-safe.

    An item is an `Event` (memory) or a `Recorded` event (log), or what pykka sends.
    """

    cell: Cell
    mailbox: Mailbox

    def offer(self, item: object) -> int:
        """Let `item` in if there is room, and see to it that the agent gets a turn: a verdict."""
        ...

    def would(self, item: object) -> int:
        """The verdict that `offer` would give. Hold the mailbox's lock."""
        ...

    def admit(self, item: object) -> None:
        """Let `item` in after `would` said TAKEN. Hold the lock."""
        ...

    def force(self, item: object) -> int:
        """Let `item` in above capacity, counted: for asks, stops, and the runtime's own events."""
        ...

    def latest(self) -> Feed:
        """The feed that has taken this one's place, after `MOVED`; itself as a rule."""
        ...

    def relieve(self) -> None:
        """The taker took something while `mailbox.attention` was set: use the room."""
        ...

    def lagging(self) -> bool:
        """Whether events for the agent wait outside its mailbox."""
        ...


def by_number(feed: Feed) -> int:
    """In this order events are delivered, and locks are taken."""
    return feed.cell.number


class MemoryFeed:
    """Events live in the mailbox only; without room, the overflow policy decides."""

    __slots__ = ("cell", "mailbox", "policy")

    def __init__(self, cell: Cell, policy: Overflow) -> None:
        self.cell = cell
        self.mailbox = cell.mailbox
        self.policy: Overflow = policy

    def offer(self, item: object) -> int:
        box = self.mailbox
        # The hot path of the whole project (0.25 µs): no call but the lock's and the queue's.
        # A first put, a conflating or closed mailbox, and every refusal take the slow path.
        with box.lock:
            items: Any = box.items
            if items.__class__ is not deque or box.waiting:
                taken = False
            else:
                size = len(items)
                taken = size < box.capacity
                if taken:
                    items.append(item)
                    if size >= box.high_water:
                        box.high_water = size + 1
                    if box.state:  # OWNED or HELD: it will look for itself
                        return TAKEN
                    box.state = OWNED
                    cell = self.cell
                    cell.schedule(cell)
                    return TAKEN
        return self._offer_slowly(item)

    def _offer_slowly(self, item: object) -> int:
        box = self.mailbox
        with box.lock:
            verdict = self.would(item)
            if verdict == TAKEN:
                self.admit(item)
            refused = verdict != TAKEN or box.attention
        if refused and verdict != GONE and not box.pressured:
            self.cell.engine.pressure(self.cell)
        return verdict

    def would(self, item: object) -> int:
        box = self.mailbox
        if not box.full:
            return TAKEN
        if box.state == CLOSED:
            return GONE
        if isinstance(box.items, ConflatingQueue) and box.items.has_place_for(item):
            return TAKEN
        if self.policy in ("park", "conflate"):
            return FULL
        return REJECTED if self.policy == "reject" else TAKEN

    def admit(self, item: object) -> None:
        box = self.mailbox
        items = box.items
        if isinstance(items, ConflatingQueue) and items.replace(item):
            box.dropped += 1
            self._let_go(items.replaced)
            return
        while len(box) >= box.capacity:
            box.dropped += 1
            box.attention = True
            oldest = items.drop_oldest() if isinstance(items, DroppingQueue) else None
            self._let_go(item if oldest is None else oldest)
            if oldest is None:
                return
        box.push(item)

    def _let_go(self, item: object) -> None:
        """The policy says so. Hold the lock."""
        engine, event = self.cell.engine, event_of(item)
        if engine.cases is not None and event is not None and self.cell.holding:
            # Who waits for the end of its case is told from the clock, and holds no lock then.
            later = partial(engine.clock.call_later, 0.0)
            engine.cases.lost(self.cell.agent, event, "dropped", later)

    def force(self, item: object) -> int:
        box = self.mailbox
        with box.lock:
            if box.state == CLOSED:
                return GONE
            dropped = box.dropped
            box.push(item)
            if box.dropped > dropped and isinstance(box.items, ConflatingQueue):
                self._let_go(box.items.replaced)
        return TAKEN

    def latest(self) -> MemoryFeed:
        return self

    def relieve(self) -> None:
        # Read without the lock, after taking: see the argument in `parking.py`.
        box = self.mailbox
        size = len(box)
        if size <= box.low_water if box.waiting else size <= box.capacity // 2:
            self.cell.engine.lot.release(self)

    def lagging(self) -> bool:
        return False
