"""Groups: several instances of one agent, each event for one of them, whoever is free first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from choreia.actors.agent import Agent
from choreia.actors.base import ActorStop, Envelope
from choreia.actors.families import Nursery, load_timers
from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.delivery.cell import COMMITTING, Cell
from choreia.runtime.delivery.feed import Feed, MemoryFeed
from choreia.runtime.delivery.mailbox import CLOSED, OWNED
from choreia.runtime.delivery.shared import Pool, Seat
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.durable.members.feeds import GroupLogFeed
from choreia.runtime.durable.memories import Memories

if TYPE_CHECKING:
    pass


class Group:
    """Implements `Family`. To the world, and to the store, its members are one agent: they have one
    DID, so that an event that one of them began and another finishes has the same effects."""

    front_works = False

    def __init__(self, nursery: Nursery, patterns: Callable[[], tuple[str, ...]]) -> None:
        front = self.front = nursery.front
        self._nursery = nursery
        self._engine = nursery.engine
        self._members: tuple[Cell, ...] = ()
        self._winding_up = False
        self._pool = Pool(front.mailbox)
        front.mailbox.state = OWNED  # nobody is idle yet
        front.schedule = self._pool.wake
        bus, place, options = self._engine.bus, nursery.place, nursery.options
        self.feed: Feed
        if isinstance(bus, LogBus) and place is not None:
            place.memories = Memories(front.agent)
            lag = options.max_lag if options.max_lag is not None else bus.max_lag
            self.feed = GroupLogFeed(front, bus, patterns, place, lag)
        else:
            self.feed = MemoryFeed(front, options.overflow)
        front.members = ()

    # -- beginning --------------------------------------------------------------------------

    def settle(self, example: Agent, abilities: dict[str, Any]) -> None:
        nursery, count = self._nursery, self._nursery.options.count
        can = {**abilities, "capacity": cast("int", abilities.get("capacity", 1)) * count}
        nursery.stand_in(example, can, None)
        first = self._place(1)
        first.turn = nursery.turn_for(first, example)
        self._subscribe_by_instance(first, example)
        cells = [first]
        for number in range(2, count + 1):
            cell = self._place(number)
            cell.turn = nursery.dormant(cell)
            cell.turn = nursery.instance(cell)
            cells.append(cell)
        self._members = self.front.members = tuple(cells)

    def _subscribe_by_instance(self, cell: Cell, agent: Agent) -> None:
        """Topics that name attributes: as the front has them."""
        if type(agent)._choreia_planner is None:
            cell.turn.planner = self.front.turn.planner

    def _place(self, number: int) -> Cell:
        front = self.front
        cell = self._nursery.cell(self, f"{front.name}:{number}", front.id, None)
        cell.agent = front.agent
        cell.mailbox = Seat(cell, front.mailbox, self._pool)
        cell.feed = self.feed
        return cell

    def begin(self) -> None:
        nursery, place = self._nursery, self._nursery.place
        if place is not None and place.durable:
            place.take_seat()
            load_timers(nursery, lambda agent: agent == self.front.agent)
        elif place is not None:
            place.feed.opened = True
        self.front.holds = 0
        self.front.interrupt = False
        nursery.lifecycle.introduce(self.front)
        for cell in self._members:
            nursery.roster.add_member(cell)
            nursery.lifecycle.begin(cell)

    # -- looking ----------------------------------------------------------------------------

    def members(self) -> Sequence[Cell]:
        return self._members

    def member(self, key: str) -> Cell | None:
        """Its members have numbers, not keys."""
        return None

    def resting_state(self, key: str) -> object | None:
        """Nobody sleeps."""
        return None

    # -- ending -----------------------------------------------------------------------------

    def wind_up(self, turn: Turn) -> Frame:
        """Who takes the stop takes it for all: the others get one each, and it goes last."""
        if self._winding_up:
            return
        self._winding_up = True
        for _ in self._members[1:]:
            self.feed.force(Envelope(ActorStop()))
        while len(self._members) > 1:
            turn.cell.hold(COMMITTING)
            if len(self._members) <= 1:
                turn.cell.release(COMMITTING)
                return
            yield

    def ending(self, cell: Cell) -> None:
        """What one leaves is for the others."""

    def ended(self, cell: Cell, reason: str) -> None:
        if cell is self.front:
            self.close()
            for member in self._members:
                member.post(partial(self._nursery.lifecycle.kill, member), first=True)
            return
        with self._engine.lock:
            self._members = tuple(one for one in self._members if one is not cell)
        self.front.members = self._members
        if len(self._members) == 1:
            self._members[0].release(COMMITTING)
        elif not self._members and self.front.mailbox.state != CLOSED:
            self._nursery.lifecycle.close(self.front, reason)

    def pause(self, paused: bool) -> None:
        """Nobody is woken: all are there."""

    def close(self) -> None:
        self._winding_up = True
