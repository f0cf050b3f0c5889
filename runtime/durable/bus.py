"""A bus that routes what the journal has committed: an agent's input is a part of the log."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from choreia.runtime.delivery.admission import Admission
from choreia.runtime.delivery.bus import Bus
from choreia.runtime.delivery.engine import VITAL, Engine
from choreia.runtime.delivery.feed import REJECTED, TAKEN
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.durable.feed import LogFeed
from choreia.runtime.durable.journal import Entry, Journal, unit_of
from choreia.runtime.durable.letters import StoreLetters
from choreia.runtime.durable.suspects import OneAtATime
from choreia.runtime.errors import ChoreiaError, MailboxFull
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import LIVE, Recorded
from choreia.runtime.stores.unit import Committed, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.feed import Feed
    from choreia.runtime.stores.base import EventStore, Opened

RECENT = 4_096
"""Events that are kept in memory after they were routed, for those who lag; up to twice as many."""
SWEEP = 4_096
"""Events after which agents that had nothing to do have their cursors moved on."""


class LogBus(Bus):
    """See the module."""

    def __init__(self, engine: Engine, store: EventStore, opened: Opened) -> None:
        super().__init__(engine)
        self.store = store
        self.clean = opened.clean
        """Whether the run before this one ended in order."""
        self.before_run = self.routed = opened.head
        """What earlier runs recorded ends here. And, of `routed`: what agents that listen have
        been offered. Written with `routing` held."""
        self.routing = threading.RLock()
        self._recent: list[Recorded] = []
        """The last events that were routed, in order and without gaps: who lags only a little need
        not ask the store."""
        self.unfinished = store.unfinished() if opened.head else set[str]()
        """Agents of which there is more than a cursor."""
        self._last = store.last_of_types() if opened.head else dict[str, int]()
        """By type, where it was last recorded before this run."""
        self.journal = Journal(
            store, engine.clock, self._route_committed, inline=engine.dispatcher.simulated
        )
        self.journal.on_quiet = engine.settled
        self.on_sweep: Callable[[], None] = lambda: None
        self.on_fenced: Callable[[Cell], None] = lambda cell: None
        """Told of agents whose place another process has taken."""
        self.letters = StoreLetters(self)
        engine.letters = self.letters
        self.max_lag: int | None = None
        """Of agents that do not say it themselves; see `LogFeed.max_lag`."""
        self.suspects = OneAtATime(store.in_hand)
        self.was_in_hand = opened.in_hand
        """What handlers had in hand when the last run was killed; None: it is not known."""
        self.max_crashes = 5
        """Times a process may die over one event before that is a dead letter."""
        engine.elsewhere = lambda: self.journal.pending > 0

    # -- what agents and the runtime say ----------------------------------------------------

    def wanted(self, type: str) -> bool:
        """Whatever happens is recorded; vital signs are not."""
        return type not in VITAL or super().wanted(type)

    def route(self, event: Event, sender: Cell) -> None:
        """Nobody waits for it: what agents emit in their turns goes through their ledgers."""
        self.journal.submit(Entry(unit_of([event]), patient=True))

    def impose(self, event: Event, *, vital: bool) -> None:
        if vital:
            super().impose(event, vital=True)
            return
        own = event.type.startswith(("agent.", "system."))
        self.journal.submit(Entry(unit_of([event], flags=LIVE if own else 0), patient=True))

    # -- what comes from outside ------------------------------------------------------------

    def publish_at_once(self, event: Event) -> bool:
        return False

    def admission(self, event: Event, *, revocable: bool, given: bool) -> Admission:
        return self.admit((event,))

    def admit(self, events: Sequence[Event]) -> Admission:
        """Record `events`, all or none, and come back when they are on disk and routed."""
        for event in events:
            yield from self._room(event)
        entry = self.journal.submit(Entry(unit_of(events, strict=True)))
        while entry.outcome is None:
            gate = entry.gate()
            # What is being committed is not taken back: then the publish takes as long as that.
            gate.certain = entry.begun
            gate.brief = True
            opened = yield gate
            if not opened and self.journal.withdraw(entry):
                raise MailboxFull("the store did not get round to it in time; nobody has the event")
        if isinstance(entry.outcome, ChoreiaError):
            raise entry.outcome
        return TAKEN

    def _room(self, event: Event) -> Admission:
        """Wait until no agent that is to have `event` lags more than its `max_lag`."""
        while True:
            gate = Gate()
            with self.routing:
                slow = self._congested(event)
                if slow is None:
                    return TAKEN
                slow.queueing.append(gate)
            opened = yield gate
            if not opened:
                with self.routing:
                    if gate in slow.queueing:
                        slow.queueing.remove(gate)
                raise MailboxFull(
                    f"agent {slow.cell.name!r} has more than max_lag={slow.max_lag} events before "
                    "it and did not catch up in time; nobody got the event. Publish more slowly, "
                    "wait longer (timeout=), or allow it more",
                    agent=slow.cell.name,
                    capacity=slow.max_lag or 0,
                )

    def _congested(self, event: Event) -> LogFeed | None:
        for feed in self.meant(event)[1]:
            if isinstance(feed, LogFeed) and feed.max_lag is not None and feed.congested():
                return feed
        return None

    # -- from the journal -------------------------------------------------------------------

    def _route_committed(self, committed: Committed) -> None:
        repeated = committed.repeated
        with self.routing:
            if len(self._recent) > 2 * RECENT:
                del self._recent[:-RECENT]
            for recorded in committed.recorded:
                if recorded.position in repeated:
                    continue
                event = recorded.event
                route, feeds = self.receivers(event)
                if self._engine.cases is not None:
                    self._count_live(recorded, feeds)
                if self._engine.budget is not None:
                    self._engine.budget.count(event)
                if route.watchers or self.taps or self.cases:
                    self.show(event, route)
                for feed in feeds:
                    if feed.offer(recorded) == REJECTED:
                        self._engine.undeliverable(event, feed.cell, REJECTED)
                self.routed = recorded.position
                if self._recent and self._recent[-1].position != recorded.position - 1:
                    self._recent.clear()  # somebody wrote past the journal: then ask the store
                self._recent.append(recorded)
                if not recorded.position % SWEEP:
                    self.on_sweep()

    def _count_live(self, recorded: Recorded, feeds: Sequence[Feed]) -> None:
        """What is for agents without a cursor is counted as it is without a store; where the others
        are, the log says."""
        cases, event = self._engine.cases, recorded.event
        if cases is not None and not feeds and not recorded.live:
            cases.nobody(event)
        live = [feed for feed in feeds if not getattr(feed, "durable", True) and feed.cell.holding]
        if cases is not None and live:
            cases.more(event, len(live))

    def nothing_since(self, position: int, types: frozenset[str]) -> bool:
        """Whether none of `types` was recorded between `position` and this run, as far as known."""
        if not self._last:
            return position >= self.before_run
        return all(self._last.get(type, 0) <= position for type in types)

    def recent(self, after: int, limit: int) -> list[Recorded] | None:
        """Up to `limit` events behind `after`, if they were routed a short while ago."""
        with self.routing:
            if not self._recent or after < self._recent[0].position - 1:
                return None
            first = after + 1 - self._recent[0].position
            return self._recent[first : first + limit]

    def concerns(self, cell: Cell, event: Event) -> bool:
        """Whether `event` is for `cell`, by type and filter."""
        return any(feed.cell is cell for feed in self.receivers(event)[1])

    def keep(self, unit: Unit) -> None:
        """Have `unit` happen, sooner or later, with nobody waiting."""
        self.journal.submit(Entry(unit, patient=True))
