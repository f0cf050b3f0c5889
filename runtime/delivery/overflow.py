"""What happens to an event when the mailbox it is meant for is full.

``park``         the sender waits: an agent off the run queue, an outside publisher blocked
``drop_newest``  the event is dropped for this agent, and counted
``drop_oldest``  the oldest waiting event (or `tell`) is dropped, and counted
``reject``       an outside publish fails at once with `MailboxFull`; an agent's emission becomes
                 a dead letter, since an exception from delivery never rises into a sender
``conflate``     the newest event per ``(type, source)``, or per `conflate_key`, takes the place of
                 the one that waits; a new key in a full mailbox parks
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Final, Literal, cast, get_args

from choreia.runtime.errors import InvalidAgent
from choreia.runtime.events.event import Event

Overflow = Literal["park", "drop_newest", "drop_oldest", "reject", "conflate"]
POLICIES: Final = cast("tuple[Overflow, ...]", get_args(Overflow))

ConflateKey = Callable[[Event], object]


def check_policy(policy: str) -> Overflow:
    """`policy`, if there is such a one; else `InvalidAgent` with the list of them."""
    if policy not in POLICIES:
        raise InvalidAgent(
            f"unknown overflow policy {policy!r}: choose one of {', '.join(POLICIES)}"
        )
    return policy


def check_capacity(capacity: object) -> int:
    """`capacity` as a mailbox's size in items: a whole number from 1 up, else `InvalidAgent`."""
    if not isinstance(capacity, int) or isinstance(capacity, bool) or capacity < 1:
        raise InvalidAgent(
            f"mailbox={capacity!r} is no capacity: give a whole number of items, 1 or more"
        )
    return capacity


def by_type_and_source(event: Event) -> object:
    return (event.type, event.source)


def queue_for(
    policy: Overflow, conflate_key: ConflateKey | None, lock: Lock
) -> ConflatingQueue | DroppingQueue | None:
    """The queue that a mailbox with `lock` needs for `policy`; None: a deque will do."""
    if policy == "conflate":
        return ConflatingQueue(conflate_key, lock)
    return DroppingQueue(lock) if policy == "drop_oldest" else None


# With these two policies senders take items out as well, so the agent that owns the mailbox is not
# its only taker any more: here taking needs the mailbox's lock, which senders hold anyway.


class DroppingQueue(deque[object]):
    """A deque that can let go of the oldest item that nobody waits for an answer to."""

    __slots__ = ("_lock",)

    def __init__(self, lock: Lock) -> None:
        super().__init__()
        self._lock = lock

    def popleft(self) -> object:
        with self._lock:
            return super().popleft()

    def drop_oldest(self) -> object:
        """Drop the oldest event or `tell`, no ask and no stop: it, or None. Hold the lock."""
        for index, item in enumerate(self):
            if item.__class__ is Event or getattr(item, "reply_to", None) is None:
                del self[index]
                return item
        return None


class ConflatingQueue:
    """First in, first out, with one place per key: a newer event takes over the older's place.

    A dict keeps the order, and replacing a value does not move its key. What cannot be conflated
    (messages, asks) gets a key of its own. Save for `popleft`, hold the lock.
    """

    __slots__ = ("_items", "_key", "_lock", "replaced")

    def __init__(self, key: ConflateKey | None, lock: Lock) -> None:
        self._items: dict[object, object] = {}
        self.replaced: object = None
        """What gave up its place last."""
        self._key: ConflateKey = key or by_type_and_source
        self._lock = lock

    def _place(self, item: object) -> object:
        if not isinstance(item, Event):
            return object()
        try:
            key = self._key(item)
            hash(key)
        except Exception:
            # A user's function, called on the sender's thread: it must not hurt the sender.
            return by_type_and_source(item)
        return key

    def has_place_for(self, item: object) -> bool:
        return self._place(item) in self._items

    def replace(self, item: object) -> bool:
        """Put `item` in the place of one with the same key: whether there was one."""
        key = self._place(item)
        if key not in self._items:
            return False
        self.replaced, self._items[key] = self._items[key], item
        return True

    def append(self, item: object) -> bool:
        """Put `item` last, or in the place of one with the same key: whether there was one."""
        if self.replace(item):
            return True
        self._items[self._place(item)] = item
        return False

    def popleft(self) -> object:
        with self._lock:
            if not self._items:
                raise IndexError("the queue is empty")
            return self._items.pop(next(iter(self._items)))

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[object]:
        return iter(list(self._items.values()))

    def clear(self) -> None:
        self._items.clear()
