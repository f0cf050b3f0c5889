"""A group's mailbox: several agents take from one queue.

So an event goes to whoever is free first, and none waits behind a slow one while another is idle.
(Competing consumers; Hohpe & Woolf 2003, p. 502. Rejected: dealing events out to mailboxes of their
own, to the shortest: what was dealt to an agent that then takes long waits there.)

The queue, its capacity, its counters and its line of senders are the front's mailbox. Each member
has a `Seat` at it: a state of its own, under the same lock. The front counts as idle while some
member is; giving it a turn gives that member one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.mailbox import CLOSED, HELD, IDLE, OWNED, Mailbox, Queue

if TYPE_CHECKING:
    from collections.abc import Sequence


class Front(Cell):
    """The cell of a family: it has the name, and its members do the work."""

    __slots__ = ("members",)

    members: Sequence[Cell]
    """Those that are there now; a copy, for whoever looks."""

    @property
    def busy(self) -> int:
        in_hand = sum(member.turn.event is not None for member in self.members)
        return len(self.mailbox) + in_hand

    def waits_for(self, asking: Cell) -> Sequence[Cell]:
        """A group can go on as long as one of its members can."""
        members = self.members
        if members and all(one is asking or one.parked_on for one in members):
            return members
        return ()


class Pool:
    """The idle members of a group. Use with the front's mailbox's lock held."""

    def __init__(self, front: Mailbox) -> None:
        self._front = front
        self._idle: dict[Seat, None] = {}

    def rests(self, seat: Seat) -> None:
        """It has nothing to do."""
        self._idle[seat] = None
        if self._front.state == OWNED:
            self._front.state = IDLE

    def rises(self, seat: Seat) -> None:
        """It has, or is held, or gone."""
        self._idle.pop(seat, None)
        if not self._idle and self._front.state == IDLE:
            self._front.state = OWNED

    def wake(self, front: Cell) -> None:
        """In the place of the front's `schedule`: have somebody take what was put there."""
        if self._idle:
            seat = next(iter(self._idle))
            seat.state = OWNED
            seat.wake()
            if self._idle:
                self._front.state = IDLE


class Seat(Mailbox):
    """A member's mailbox: the front's queue, and the member's own state."""

    __slots__ = ("_front", "_pool", "_state")

    _front: Mailbox

    def __init__(self, owner: Cell, front: Mailbox, pool: Pool) -> None:
        self._front, self._pool, self._state = front, pool, HELD
        super().__init__(front.capacity, owner)
        self._state = HELD
        pool.rises(self)
        self.lock = front.lock

    def _shared_items(self) -> Queue[object] | None:
        return self._front.items

    def _ignore(self, items: Queue[object] | None) -> None:
        """Only the front's are to be had."""

    items: Any = property(_shared_items, _ignore)

    @property
    def attention(self) -> bool:
        return self._front.attention

    @attention.setter
    def attention(self, attention: bool) -> None:
        """Only the front's is to be had."""

    @property
    def state(self) -> int:
        return self._state

    @state.setter
    def state(self, state: int) -> None:
        before, self._state = self._state, state
        if state == IDLE:
            self._pool.rests(self)
        elif before == IDLE:
            self._pool.rises(self)

    def close(self) -> list[object]:
        """The member is gone; what waits is for the others."""
        with self.lock:
            self.state = CLOSED
            return []
