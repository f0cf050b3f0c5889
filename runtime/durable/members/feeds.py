"""The windows on the log of families.

A keyed front deals out what is routed, in log order, each event to the member of its key. It waits
for nobody in particular: a member whose mailbox is full lags by itself, and reads its own events
from the log, up to where the front has dealt. The front only waits when members that do go on have
more than enough to do; so one key that cannot go on holds up no other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from choreia.runtime.delivery.family import Members, Moving
from choreia.runtime.delivery.feed import GONE, TAKEN
from choreia.runtime.delivery.mailbox import HELD
from choreia.runtime.durable.feed import LogFeed
from choreia.runtime.events.keypath import KeyReader
from choreia.runtime.events.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.durable.bus import LogBus
    from choreia.runtime.durable.members.place import Place

WINDOW = 2_048
"""Events in the mailboxes of members beyond which the front waits."""
SHARE = 64
"""As many of them count for one member: what a slow one has besides is its own affair."""
LOOKS = 256
"""Events that are dealt between two looks at all members."""

Patterns = Callable[[], tuple[str, ...]]


class Household(Members, Protocol):
    """The awake members of a keyed agent, as their front must know them. Thread-safe."""

    def awake(self) -> Iterable[Cell]: ...


class GroupLogFeed(LogFeed):
    """One window for all members of a group. They refill it in their turns."""

    __slots__ = ("_place", "_refilling")

    def __init__(
        self, cell: Cell, bus: LogBus, patterns: Patterns, place: Place, max_lag: int | None
    ) -> None:
        super().__init__(cell, bus, "park", patterns, durable=True, max_lag=max_lag)
        self._place = place
        self._refilling = threading.Lock()
        place.feed = self

    def admit(self, item: object) -> None:
        if isinstance(item, Recorded):
            self._place.taken(item.position)
        super().admit(item)

    def relieve(self) -> None:
        with self._refilling:
            super().relieve()

    def _concerns(self, recorded: Recorded) -> bool:
        return recorded.position not in self._place.completions.done and super()._concerns(recorded)


class KeyedLogFeed(LogFeed):
    """The front's: it deals out."""

    __slots__ = ("_key_of", "_left", "_members", "_place", "_waiting")

    def __init__(
        self,
        cell: Cell,
        bus: LogBus,
        patterns: Patterns,
        place: Place,
        max_lag: int | None,
        key_of: KeyReader,
        members: Household,
    ) -> None:
        super().__init__(cell, bus, "park", patterns, durable=True, max_lag=max_lag)
        self._key_of = key_of
        self._members = members
        self._place = place
        self._left = LOOKS
        self._waiting = False
        """Whether it waits until members have done more."""
        place.feed = self
        place.on_room = self._on_room

    def key_of(self, recorded: Recorded) -> str | None:
        return self._key_of(recorded.event)

    def _offer_recorded(self, recorded: Recorded) -> int:
        """Called in log order, with the bus's `routing` held."""
        if not self.opened or recorded.position <= self.fetched:
            return TAKEN
        if self.max_lag is not None:
            self.owed += 1
        if self._behind:
            return TAKEN
        if self._must_wait():
            self._behind = True
            self._waits()
        elif self._deal(recorded):
            self.fetched = recorded.position
        return TAKEN

    def _push(self, recorded: Recorded) -> bool:
        """Of what was read from the log."""
        if self._must_wait():
            self._waits()
            return False
        # In one step, as live events are dealt: a member that lagged, and finds that it has all
        # that was dealt, must not miss what is being dealt at that moment.
        with self._bus.routing:
            dealt = self._deal(recorded)
            if dealt:
                self.fetched = recorded.position
        return dealt

    def _deal(self, recorded: Recorded) -> bool:
        """Give it to the member of its key. False when the family is at its end: then nothing is
        dealt any more, and it stays in the log."""
        key = self._key_of(recorded.event)
        if key is not None:
            while (member := self._members.member(key)) is not None:
                if cast("MemberLogFeed", member.feed).offer(recorded) != GONE:
                    return True
            self._behind = self._waiting = True  # for ever
            return False
        with self.mailbox.lock:  # it has no key: the front buries it
            self._place.taken(recorded.position)
            self.mailbox.push(recorded)
        return True

    def _concerns(self, recorded: Recorded) -> bool:
        return recorded.position not in self._place.completions.done and super()._concerns(recorded)

    # -- waiting for members ----------------------------------------------------------------

    def _must_wait(self) -> bool:
        if self._place.completions.pending < WINDOW:
            return False
        self._left -= 1
        if self._left > 0:
            return False
        waits = self._crowded()
        self._left = 1 if waits else LOOKS
        return waits

    def _crowded(self) -> bool:
        """Whether those that go on have more than enough. Who is held (it backs off, is paused,
        awaits) or has more than its share does not count."""
        burden = 0
        for member in self._members.awake():
            if member.mailbox.state != HELD:
                burden += min(SHARE, len(member.mailbox))
        return burden >= WINDOW

    def _waits(self) -> None:
        self._waiting = True
        # Looked at again: what came to its end meanwhile has not seen that somebody waits.
        if not self._crowded():
            self._go_on()

    def _on_room(self) -> None:
        """From the journal: members have come to the end of something."""
        if (self._waiting and self._place.completions.pending <= WINDOW // 2) or (
            self._waiting and not self._crowded()
        ):
            self._go_on()

    def _go_on(self) -> None:
        if self._waiting:
            self._waiting = False
            self.cell.post(lambda: None)

    def lagging(self) -> bool:
        """Whether its turn has something to read: not while it waits."""
        return self._behind and not self._waiting


class MemberLogFeed(Moving, LogFeed):
    """A member's: its part of what the front has dealt."""

    __slots__ = ("_front", "_place", "key", "members")

    def __init__(
        self,
        cell: Cell,
        bus: LogBus,
        patterns: Patterns,
        place: Place,
        key: str,
        members: Members,
    ) -> None:
        super().__init__(cell, bus, "park", patterns, durable=True, max_lag=None)
        self.members = members
        self._place = place
        self._front = cast("KeyedLogFeed", place.feed)
        self.key = key
        place.begin(self)
        self.opened = True
        before = place.orphans.pop(key, None)
        if before is not None:  # it goes on where that one was
            self.fetched = before.fetched
            self._lag()
            place.completions.lagging.pop(before, None)

    def _lag(self) -> None:
        self._behind = self.mailbox.attention = True
        self._place.completions.lagging[self] = self._taken

    def rest(self) -> Iterator[Recorded]:
        """What it has not fetched, to be buried: nobody of its key can be made."""
        self._place.orphans.pop(self.key, None)
        frontier = self._frontier()
        for recorded in self._bus.store.read(
            self.fetched, pattern=self._patterns(), up_to=frontier
        ):
            if self._concerns(recorded):
                self._place.taken(recorded.position)
                self.fetched = recorded.position
                yield recorded
        self.fetched = max(self.fetched, frontier)
        self._behind = False
        self._place.completions.lagging.pop(self, None)

    def orphan(self) -> None:
        """The member is gone. What it had not fetched is for the next one of its key."""
        if self._behind:
            self._place.orphans[self.key] = self

    def _offer_recorded(self, recorded: Recorded) -> int:
        verdict = super()._offer_recorded(recorded)
        if self._behind:  # before the front says that it has dealt this
            self._place.completions.lagging[self] = self._taken
        return verdict

    def _taken(self) -> int:
        return self.fetched

    def admit(self, item: object) -> None:
        if isinstance(item, Recorded):
            self._place.taken(item.position)
        super().admit(item)

    def _refill(self) -> bool:
        more = super()._refill()
        with self._bus.routing:  # or it lags again between the look and the step
            if not self._behind:
                self._place.completions.lagging.pop(self, None)
        return more

    def _frontier(self) -> int:
        return self._front.fetched

    def _concerns(self, recorded: Recorded) -> bool:
        return self._front.key_of(recorded) == self.key and self._front._concerns(recorded)
