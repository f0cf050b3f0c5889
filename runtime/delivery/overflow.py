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

from collections.abc import Callable, Iterator
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


class ConflatingQueue:
    """First in, first out, with one place per key: a newer event takes over the older's place.

    A dict keeps the order; what cannot be conflated (messages, asks) gets a key of its own.
    Single taker, puts under the mailbox's lock; replacing a value does not move its key, so
    `popleft` needs no lock.
    """

    __slots__ = ("_items", "_key")

    def __init__(self, key: ConflateKey | None) -> None:
        self._items: dict[object, object] = {}
        self._key: ConflateKey = key or by_type_and_source

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
        self._items[key] = item
        return True

    def append(self, item: object) -> None:
        self._items[self._place(item)] = item

    def popleft(self) -> object:
        while True:
            try:
                key = next(iter(self._items))
                return self._items.pop(key)
            except StopIteration:
                raise IndexError from None
            except RuntimeError:  # the dict grew under the iterator: look again
                continue

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[object]:
        return iter(list(self._items.values()))

    def clear(self) -> None:
        self._items.clear()
