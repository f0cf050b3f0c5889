"""A family's place in the log: its seat, its mark, and whom to suspect after an unclean end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from choreia.runtime.durable.journal import Entry
from choreia.runtime.durable.members.completions import Completions
from choreia.runtime.stores.unit import Change, Committed, Outcome, Seat, Start, Unit

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.durable.bus import LogBus
    from choreia.runtime.durable.feed import LogFeed
    from choreia.runtime.durable.memories import Memories

SUSPECTS = 256
"""Events behind the mark that are tried one at a time after an unclean end."""


class Place:
    """Thread-safe."""

    def __init__(self, front: Cell, bus: LogBus, *, durable: bool, start: Start) -> None:
        self._front = front
        self._bus = bus
        self.durable = durable
        self._start: Start = start
        self.completions = Completions(front.agent, lambda: self.feed.fetched)
        self.suspects: set[int] = set()
        """Positions."""
        self._suspicious = 0
        self.seat: Entry | None = None
        self.remembering = threading.Lock()
        self.remembered = False
        """Whether one of a group has taken up what an earlier run has left."""
        self._opening = threading.Lock()
        self._early: list[LogFeed] = []
        """Members that were made before the family had its seat."""
        self.orphans: dict[str, LogFeed] = {}
        """By key: feeds of members that ended while they lagged."""
        self.memories: Memories | None = None
        """What the members of a group share: any of them may go on with what another began."""
        self.announced: Sequence[Change] = ()
        """What happens when the seat is taken."""
        self.on_room: Callable[[], None] = lambda: None
        """Told when members have come to the end of something."""

    feed: LogFeed
    """The front's."""

    def take_seat(self) -> Entry:
        """In the order of publishes and spawns: what is published later is for the family."""
        unit = Unit(seat=Seat(self._front.agent, self._start), changes=self.announced)
        self.seat = Entry(unit, self._seated, patient=True)
        return self._bus.journal.submit(self.seat)

    def _seated(self, outcome: Outcome) -> None:
        """On the journal's thread, before anything is routed that was published later."""
        seated = outcome.seated if isinstance(outcome, Committed) else None
        if seated is None:
            return
        done: Sequence[int] = ()
        if not seated.created:
            done = [one.position for one in self._bus.store.completed(self._front.agent)]
            self._suspicious = 0 if self._bus.clean else SUSPECTS
        self.completions.begin(seated.epoch, seated.position, done)
        with self._opening:
            self.feed.open_at(seated.position)
            for early in self._early:
                early.fetched = self.feed.fetched
            self._early.clear()

    def begin(self, member: LogFeed) -> None:
        """A member has been made: it gets what is dealt from now on. One that is made before the
        family has its seat (a timer of an earlier run is due) does not know yet what that is."""
        with self._opening:
            member.fetched = self.feed.fetched
            if not self.feed.opened:
                self._early.append(member)

    def taken(self, position: int) -> None:
        """An event is in a member's mailbox."""
        self.completions.take(position)
        if self._suspicious and position <= self._bus.before_run:
            self._suspicious -= 1
            self.suspects.add(position)

    def completed(self, positions: Sequence[int]) -> None:
        """That is on disk."""
        self.completions.completed(positions)
        self.feed.worked_off(len(positions))
        self.on_room()
        if self.completions.quiet:
            self.move_on()

    def move_on(self) -> None:
        """From the journal, now and then: write the mark, if it has moved."""
        complete = self.completions.moved_on() if self.durable else None
        if complete is not None:
            self._bus.keep(Unit(complete=complete))
