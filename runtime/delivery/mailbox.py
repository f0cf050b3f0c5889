"""The mailbox: bounded and strict. It holds what waits for one agent, and counts.

Two lanes (Pekko calls the first "system messages"): the system lane, served first and never
full; and one first-in-first-out lane for events, `tell`, `ask`, proxy calls and `stop`, as pykka
promises. Who may put what when there is no room is the feed's business (`feed.py`), what happens
to what does not fit the overflow policy's (`overflow.py`).

Putting takes the mailbox's lock; taking from a deque does not. The agent that owns the mailbox is
served by one thread at a time, so there is a single taker, and `deque.popleft` is atomic. Going to
sleep takes the lock again, so that no put is missed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

# What the agent behind a mailbox is doing, as far as a sender must know.
IDLE = 0  # nothing to do: whoever puts something schedules the agent
OWNED = 1  # on a run queue, or in its turn: it will look again before it sleeps
HELD = 2  # off the run queue (parked, backing off, awaiting, paused): a put must not wake it
CLOSED = 3  # the agent is gone


class Queue(Protocol[T]):
    """What a mailbox needs of its queue; a `deque` has it, and the queues in `overflow.py`."""

    def append(self, item: T, /) -> bool | None:
        """Put `item` last; True when it took another's place instead."""
        ...

    def popleft(self) -> T: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[T]: ...
    def clear(self) -> None: ...


class Mailbox:
    """Passive: a queue with a capacity, the owner's state, and counters. See the module."""

    __slots__ = (
        "_owner",
        "attention",
        "capacity",
        "dropped",
        "high_water",
        "items",
        "lock",
        "low_water",
        "overflowed",
        "pressured",
        "state",
        "waiting",
    )

    def __init__(self, capacity: int, owner: Any) -> None:
        self.lock = threading.Lock()
        self._owner = owner  # a cell; Any, for some checkers take its `schedule` for a method
        # Made at the first put: an empty deque is 769 bytes, and most of a million agents idle.
        self.items: Queue[object] | None = None
        self.capacity = capacity
        self.low_water = capacity - max(1, capacity // 8)
        """Down to here the mailbox is emptied before those who wait for room are let in: in small
        mailboxes that is one place, in large ones an eighth, since going on costs a sender (a
        blocked thread above all) far more than an event does."""
        self.state = IDLE
        self.waiting: deque[object] | None = None
        """Senders parked here for want of room, first come first served (`parking.py`)."""
        self.attention = False
        """Whether the taker should look at `waiting`, lag or pressure: one test on the hot path."""
        self.pressured = False
        """Set at the first refusal, cleared when the mailbox is half empty again."""
        self.high_water = 0
        self.dropped = 0
        self.overflowed = 0

    def wake(self) -> None:
        """Give the owner a turn; it has just become OWNED. Hold the lock."""
        self._owner.schedule(self._owner)

    def disown(self, successor: Any) -> None:
        """Its owner is gone for good, and is not to be kept in memory for a late sender."""
        self._owner = successor

    def __len__(self) -> int:
        return 0 if self.items is None else len(self.items)

    @property
    def full(self) -> bool:
        """No room for one more, or others were first in asking for it. Hold the lock."""
        return len(self) >= self.capacity or bool(self.waiting)

    def push(self, item: object) -> None:
        """Append whatever the capacity says, and see to it that the agent gets a turn. Hold the
        lock."""
        items = self.items
        if items is None:
            items = self.items = deque()
        if items.append(item):
            self.dropped += 1
        size = len(items)
        if size > self.high_water:
            self.high_water = size
            if size > self.capacity:
                self.overflowed += 1
        elif size > self.capacity:
            self.overflowed += 1
        if self.state == IDLE:
            self.state = OWNED
            # Under the lock, here and wherever an agent becomes OWNED: another sender, who finds
            # it so, may rely on its being on the run queue. (Tried: after the lock. Then there
            # was a moment in which nothing was queued, nobody ran, and events waited.)
            self.wake()

    def close(self) -> list[object]:
        """Let nothing in any more; what was still waiting is handed to the caller."""
        with self.lock:
            self.state = CLOSED
            self.capacity = -1  # so the hot path's one comparison refuses, with no further test
            left = [] if self.items is None else list(self.items)
            self.items = None
            return left
