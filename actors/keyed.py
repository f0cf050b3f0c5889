"""Keyed agents: an instance for each key, made when an event wants it, and put to sleep when idle.

(Orleans' "virtual actors", Bernstein et al. 2014, section 3: whoever speaks to a key need not know
whether it is there.) What an instance is survives its sleep: an event-sourced one is made anew,
with its state from the store, or from memory where there is none; the instance of any other class
is kept as it is, if it has attributes, and is the same when it wakes.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from choreia.actors.agent import Agent
from choreia.actors.base import ActorStop, Envelope
from choreia.actors.families import NoKey, Nursery, load_timers
from choreia.actors.folding import StateFold
from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.delivery.cell import COMMITTING, Cell
from choreia.runtime.delivery.family import KeyedFeed, MemberFeed
from choreia.runtime.delivery.feed import Feed
from choreia.runtime.delivery.mailbox import CLOSED, IDLE, OWNED
from choreia.runtime.delivery.overflow import queue_for
from choreia.runtime.delivery.shared import Front
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.durable.members.feeds import KeyedLogFeed, MemberLogFeed
from choreia.runtime.durable.members.ledger import MemberLedger
from choreia.runtime.events.keypath import key_reader, spelled

if TYPE_CHECKING:
    from choreia.actors.record import Record

TRIES = 16
"""When there are too many members, so many of those used longest ago are asked to sleep."""
BRIEF = 0.05
"""Seconds between two looks for those that may sleep, at least."""


class KeyedFamily:
    """Implements `Family`, and what the feeds must know of members. Thread-safe.

    Locks are taken in this order: the family's, then a mailbox's.
    """

    def __init__(self, nursery: Nursery, patterns: Callable[[], tuple[str, ...]]) -> None:
        self.front: Front = nursery.front
        self.front_works = True
        self.open = True
        self._nursery = nursery
        self._patterns = patterns
        self._engine = nursery.engine
        self._options = nursery.options
        self._lock = threading.RLock()
        self._awake: OrderedDict[str, Cell] = OrderedDict()
        """By key; who was used last is last."""
        self._resting: dict[str, object] = {}
        """By key: states, and instances, of those that sleep and have no store to remember them."""
        self._looking = inf
        """When somebody looks next who may sleep (monotonic seconds)."""
        key_of = key_reader(cast("str", self._options.key))
        bus, place = self._engine.bus, nursery.place
        self.feed: Feed
        if isinstance(bus, LogBus) and place is not None:
            lag = self._options.max_lag if self._options.max_lag is not None else bus.max_lag
            self.feed = KeyedLogFeed(self.front, bus, patterns, place, lag, key_of, self)
        else:
            self.feed = KeyedFeed(self.front, self._options.overflow, key_of, self)
        self.front.members = ()
        if nursery.alarms is not None:
            nursery.alarms.teller = self._teller

    # -- for those who have something for a member ------------------------------------------

    def member(self, key: str) -> Cell | None:
        """The member of that key, woken if need be; None when the family is at its end."""
        with self._lock:
            cell = self._awake.get(key)
            if cell is not None and cell.mailbox.state != CLOSED:
                self._awake.move_to_end(key)
                _record(cell).used = self._engine.clock.monotonic()
                return cell
            if not self.open:
                return None
            if len(self._awake) >= self._options.awake:
                self._make_room(self._options.awake - 1)
            cell = self._awake[key] = self._made(key)
            self._awake.move_to_end(key)
            self._look_later()
        cell.open()
        return cell

    def awake(self) -> Iterable[Cell]:
        with self._lock:
            return list(self._awake.values())

    def members(self) -> Sequence[Cell]:
        with self._lock:
            return tuple(self._awake.values())

    def _made(self, key: str) -> Cell:
        front, nursery, options = self.front, self._nursery, self._options
        part = spelled(key)
        cell = nursery.cell(self, f"{front.name}:{part}", f"{front.id}:{part}", key)
        bus, place = self._engine.bus, nursery.place
        if isinstance(bus, LogBus) and place is not None:
            cell.feed = MemberLogFeed(cell, bus, self._patterns, place, key, self)
        else:
            cell.feed = MemberFeed(cell, options.overflow, key, self)
            box = cell.mailbox
            box.items = queue_for(options.overflow, options.conflate_key, box.lock)
        cell.turn = nursery.dormant(cell)
        record = _record(cell)
        record.used = record.woken = self._engine.clock.monotonic()
        cell.post(partial(self._wake, cell))
        nursery.roster.add_member(cell)
        return cell

    def resting_state(self, key: str) -> object | None:
        with self._lock:
            return self._resting.get(unquote(key))

    def _teller(self, agent: str) -> Cell | None:
        return self.member(unquote(agent.partition(":")[2]))

    # -- waking -----------------------------------------------------------------------------

    def _wake(self, cell: Cell) -> None:
        """In the member's first turn."""
        record, nursery = _record(cell), self._nursery
        key = cast("str", record.key)
        resting = self._resting.get(key)
        old = cell.turn
        if isinstance(resting, Agent):
            cell.turn = nursery.turn_for(cell, resting)
        else:
            try:
                turn = cast("Turn", old.lend(nursery.instance, cell))
            except BaseException as error:
                if old.fenced:
                    raise
                self._not_woken(cell, error)
                return
            if resting is not None and isinstance(turn.fold, StateFold):
                turn.fold.resume(resting)
            cell.turn = turn
            cell.post(partial(nursery.lifecycle.begin_again, cell), first=True)
        self._resting.pop(key, None)  # by now it is to be had from the turn
        if self._options.sleep_after == inf:
            nursery.lifecycle.on_begin(cell)
        cell.interrupt = True
        cell.schedule(cell)

    def _not_woken(self, cell: Cell, error: BaseException) -> None:
        """Its factory raised. What waits for it is a dead letter; the next event tries again."""
        cell.turn.failed(error, "factory")
        cell.turn.report(logging.ERROR, "%s cannot be made", cell.name, exc_info=error)
        self._nursery.lifecycle.close(cell, "failed")

    # -- putting to sleep -------------------------------------------------------------------

    def _look_later(self) -> None:
        """See to it that somebody looks who may sleep: soon, if there are too many."""
        seconds = max(BRIEF, self._options.sleep_after / 2)
        if len(self._awake) > self._options.awake:
            seconds = BRIEF
        at = self._engine.clock.monotonic() + seconds
        if self.open and at < self._looking:
            self._looking = at
            self._engine.clock.call_later(seconds, partial(self._look, at), background=True)

    def _look(self, at: float) -> None:
        """Now and then: let those sleep that have had nothing to do for long enough."""
        now, patience = self._engine.clock.monotonic(), self._options.sleep_after
        before, long_ago = now - patience, now - patience / 4
        with self._lock:
            if at != self._looking:
                return  # somebody looked meanwhile
            self._looking = inf
            while self._make_room(self._options.awake):
                pass
            for key, cell in list(self._awake.items()):
                record = _record(cell)
                if record.watch is None and record.woken < long_ago and not cell.turn.interim:
                    # Watched over from now on: most are asleep again by then, and never were.
                    self._nursery.lifecycle.on_begin(cell)
                if record.used > before:
                    continue
                if not self._let_sleep(key, cell):
                    self._awake.move_to_end(key)  # it has something to do: that counts as use
                    record.used = self._engine.clock.monotonic()
            if self._awake:
                self._look_later()

    def _make_room(self, most: int) -> bool:
        """Put members to sleep that have nothing to do, until there are `most`: whether any of
        those that were asked sleeps, so that it is worth asking more."""
        before = len(self._awake)
        for _ in range(TRIES):
            if len(self._awake) <= most:
                break
            key, cell = next(iter(self._awake.items()))
            if not self._let_sleep(key, cell):
                self._awake.move_to_end(key)
        return len(self._awake) < before

    def _let_sleep(self, key: str, cell: Cell) -> bool:
        """Whether it sleeps now. Of one that has last words, whether it is about to."""
        if cell.mailbox.state != IDLE or _record(cell).timers or cell.feed.lagging():
            return False
        agent = cell.turn.agent
        if (
            cell.turn.fold is not None
            and cast("type[Agent]", type(agent)).on_stop is not Agent.on_stop
        ):
            return cell.post(partial(self._part, key, cell))
        return self._closed(cell, IDLE) and self._asleep(key, cell)

    def _part(self, key: str, cell: Cell) -> None:
        """In its turn: let it have its last words, if it still has nothing else to do."""
        turn = cell.turn
        if turn.frame is None and not turn.interim and not len(cell.mailbox):
            turn.begin(self._last_words(key, cell))

    def _last_words(self, key: str, cell: Cell) -> Frame:
        """In its turn. If something comes meanwhile, it is made anew at once."""
        turn = cell.turn
        yield from self._nursery.lifecycle.last_words(turn)
        yield from turn.settle()
        with self._lock:
            slept = self._closed(cell, OWNED) and self._asleep(key, cell)
        if not slept:
            self._once_more(key, cell)

    def _once_more(self, key: str, cell: Cell) -> None:
        fold = cell.turn.fold
        if cell.ledger is None and isinstance(fold, StateFold):
            self._resting[key] = fold.kept
        cell.turn = self._nursery.dormant(cell)
        cell.post(partial(self._wake, cell), first=True)
        cell.schedule(cell)

    def _closed(self, cell: Cell, state: int) -> bool:
        """Close its mailbox, unless there is something to do."""
        box = cell.mailbox
        with box.lock:
            if box.state != state or len(box) or box.waiting or cell.outbox or cell.holds:
                return False
            # In its last words it has no more to be asked than whether it is alive.
            if cell.feed.lagging() or _record(cell).timers or (state == IDLE and cell.controls):
                return False
            box.state, box.capacity, box.items = CLOSED, -1, None
            return True

    def _asleep(self, key: str, cell: Cell) -> bool:
        self._remember(key, cell)
        del self._awake[key]
        nursery = self._nursery
        nursery.roster.remove_member(cell)
        nursery.lifecycle.on_end(cell)
        self._let_go(cell)
        return True

    def _remember(self, key: str, cell: Cell) -> None:
        agent, fold, ledger = cell.turn.agent, cell.turn.fold, cell.ledger
        if isinstance(fold, StateFold):
            if ledger is None:
                self._resting[key] = fold.kept
        elif isinstance(agent, Agent) and (vars(agent) or _has_slots(type(agent))):
            self._resting[key] = agent
            agent._choreia_cell = None
        if ledger is not None and ledger.remembers and isinstance(self._engine.bus, LogBus):
            self._engine.bus.unfinished.add(cell.agent)

    def _let_go(self, cell: Cell) -> None:
        """Of all that refers to itself, so that memory is free at once, not when the collector has
        a day for it."""
        front = self.front
        cell.turn.forget()
        if cell.ledger is not None:
            cell.ledger.forget()
        cell.turn, cell.feed, cell.owner, cell.ledger = front.turn, front.feed, front.owner, None
        cell.mailbox.disown(front)

    # -- the family as a whole ----------------------------------------------------------------

    def settle(self, example: Agent, abilities: dict[str, Any]) -> None:
        self._nursery.stand_in(example, abilities, NoKey(cast("str", self._options.key)))
        example._choreia_cell = None

    def begin(self) -> None:
        place = self._nursery.place
        if place is not None and place.durable:
            place.take_seat()
        elif place is not None:
            place.feed.opened = True
        self._nursery.lifecycle.begin(self.front)
        if place is not None and place.durable:
            prefix = f"{self.front.name}:"
            load_timers(self._nursery, lambda agent: agent.startswith(prefix))
            self._return_letters(prefix)

    def _return_letters(self, prefix: str) -> None:
        """Dead letters that were on their way back wake who they are for."""
        bus = cast("LogBus", self._engine.bus)
        if any(agent.startswith(prefix) for agent in bus.unfinished):
            for letter in bus.store.letters():
                if letter.waiting and letter.agent.startswith(prefix):
                    self.member(unquote(letter.agent[len(prefix) :]))

    def ending(self, cell: Cell) -> None:
        # Before it is closed: then another one of its key may be made at any time.
        if isinstance(cell.feed, MemberLogFeed):
            cell.feed.orphan()

    def ended(self, cell: Cell, reason: str) -> None:
        if cell is self.front:
            self.close()
            for member in self.members():
                member.post(partial(self._nursery.lifecycle.kill, member), first=True)
            return
        with self._lock:
            key = cast("str", _record(cell).key)
            if self._awake.get(key) is cell:
                del self._awake[key]
        if isinstance(cell.feed, MemberLogFeed) and cell.feed.lagging() and self.open:
            self._see_to_the_rest(key, cell, cell.feed, reason)
        if not self._awake and not self.open:
            self.front.release(COMMITTING)

    def _see_to_the_rest(self, key: str, cell: Cell, feed: MemberLogFeed, reason: str) -> None:
        """It lagged: the next one of its key goes on, unless none can be made."""
        if reason in ("killed", "restarts", "fenced"):
            self.member(key)
            return
        ledger = cast("MemberLedger", cell.ledger)
        for recorded in feed.rest():
            cell.turn.bury(recorded.event, None, 0, reason)
            ledger.handled(recorded)
            if ledger.full:
                ledger.send()
        ledger.send()

    def wind_up(self, turn: Turn) -> Frame:
        if turn.cell is not self.front:
            return
        self.close()
        for member in self.members():
            member.feed.force(Envelope(ActorStop()))
        while self._awake:
            self.front.hold(COMMITTING)
            if not self._awake:
                self.front.release(COMMITTING)
                return
            yield

    def pause(self, paused: bool) -> None:
        self._nursery.paused = paused

    def close(self) -> None:
        with self._lock:
            self.open = False


def _has_slots(cls: type[Agent]) -> bool:
    return any(vars(base).get("__slots__") for base in cls.__mro__[: cls.__mro__.index(Agent)])


def _record(cell: Cell) -> Record:
    return cast("Record", cell.owner)
