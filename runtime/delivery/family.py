"""Families: many agents behind one subscription.

The *front* has the name, the subscriptions and a place in routing, and handles nothing. Its
*members* do: one for each key that is awake, or as many of a group as were asked for.

**Keyed, in memory.** Routing asks the front for the feed of the event's member
(`KeyedFeed.choose`), which is woken if need be; everything else (parking, admission, overflow) is
between the sender and that member's own mailbox, as with any agent. So keys cannot disturb each
other.

**How a member is put to sleep** while others may be about to deliver to it: its mailbox is closed,
under its lock, when it is idle and empty. Who comes too late finds it closed, and asks the front
again (`latest`). At any moment at most one mailbox of a key is open, and nothing gets into a closed
one, so nothing is lost, and the order of each sender is kept.

Rejected: one mailbox for all keys, sorted by the front (a key that cannot go on would fill it for
all), and counting who is about to deliver (a locked counter for every event).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from choreia.runtime.delivery.feed import GONE, MOVED, MemoryFeed
from choreia.runtime.delivery.mailbox import CLOSED
from choreia.runtime.delivery.overflow import Overflow
from choreia.runtime.events.event import Event
from choreia.runtime.events.keypath import KeyReader

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell


class Members(Protocol):
    """The awake members of a keyed agent, as far as their feeds must know. Thread-safe."""

    @property
    def open(self) -> bool:
        """Whether there may be members."""
        ...

    def member(self, key: str) -> Cell | None:
        """The member of that key, woken if need be; None when the family is at its end."""
        ...


class KeyedFeed(MemoryFeed):
    """The front's feed: knows whose an event is."""

    __slots__ = ("_key_of", "_members")

    def __init__(self, cell: Cell, policy: Overflow, key_of: KeyReader, members: Members) -> None:
        super().__init__(cell, policy)
        self._key_of = key_of
        self._members = members

    def choose(self, event: Event) -> MemoryFeed:
        """The feed that `event` belongs into: the front's own if it has no key."""
        key = self._key_of(event)
        if key is None:
            return self
        member = self._members.member(key)
        return self if member is None else member.feed  # type: ignore[return-value]


if TYPE_CHECKING:
    _Feed = MemoryFeed
else:  # it is mixed into whatever feed there is
    _Feed = object


class Moving(_Feed):
    """What the feed of a member has that may be asleep by the time something is offered."""

    __slots__ = ()

    if TYPE_CHECKING:
        key: str
        members: Members

    def offer(self, item: object) -> int:
        verdict = super().offer(item)
        if verdict in (GONE, MOVED):
            latest = self.latest()
            return verdict if latest is self else latest.offer(item)
        return verdict

    def force(self, item: object) -> int:
        verdict = super().force(item)
        if verdict in (GONE, MOVED):
            latest = self.latest()
            return verdict if latest is self else latest.force(item)
        return verdict

    def would(self, item: object) -> int:
        verdict = super().would(item)
        return MOVED if verdict == GONE and self.members.open else verdict

    def latest(self) -> MemoryFeed:
        if self.mailbox.state == CLOSED:
            member = self.members.member(self.key)
            if member is not None:
                return cast("MemoryFeed", member.feed)
        return self


class MemberFeed(Moving, MemoryFeed):
    """The feed of one key's member."""

    __slots__ = ("key", "members")

    def __init__(self, cell: Cell, policy: Overflow, key: str, members: Members) -> None:
        super().__init__(cell, policy)
        self.key = key
        self.members = members
