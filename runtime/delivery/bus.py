"""The bus: from an event to the mailboxes it belongs in.

Nothing is decided here but *who*: the subscription table says it by type, filters by content. *How*
an event gets in is each mailbox's feed's decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import attrs

from choreia.runtime.delivery.admission import (
    Admission,
    admit_everywhere,
    admit_one,
    try_everywhere,
)
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.family import KeyedFeed
from choreia.runtime.delivery.feed import FULL, GONE, TAKEN, Feed, by_number
from choreia.runtime.delivery.multicast import MOST, Multicast
from choreia.runtime.delivery.subscription import Subscription, SubscriptionTable
from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.events.upcasting import UPCAST, outdated

if TYPE_CHECKING:
    from choreia.runtime.delivery.engine import Engine


class Watcher(Protocol):
    """Sees events as they are published: a listener, a request, a tap. Must not block or raise."""

    def see(self, event: Event) -> None: ...


Target = Cell | Watcher
Guard = Callable[[Event], bool]
Mishap = Callable[[Event, "Sequence[Feed]"], "Sequence[Feed]"]
"""Which feeds an event reaches in a simulation with faults, of those that it is for."""


@attrs.frozen
class Route:
    """Everybody who gets events of one type; compiled once per type, and cached."""

    feeds: tuple[Feed, ...]
    """All agents' feeds, by number; those with a guard get only what it lets through."""
    guards: tuple[Guard | None, ...] | None
    """Per feed what its agent's filters say, or None; None as a whole when there are none."""
    watchers: tuple[tuple[Watcher, Filter | None], ...]
    multicast: Multicast | None
    """All of the feeds at once, when they are several and nobody filters."""
    public: bool
    """Whether anybody but the runtime's own agents gets them."""
    keyed: bool
    """Whether some of the feeds are of keyed agents; then there are guards."""
    holding: int
    """How many of the feeds are of agents that hold a case open."""
    ending: bool
    """Whether events of the type end a case."""
    mishap: Mishap | None
    """What a simulation has happen to deliveries."""

    def select(self, event: Event) -> Sequence[Feed]:
        """The feeds that `event` goes to."""
        chosen = self.meant(event)
        return chosen if self.mishap is None else self.mishap(event, chosen)

    def meant(self, event: Event) -> Sequence[Feed]:
        """The feeds that it is for."""
        if self.guards is None:
            return self.feeds
        selected = [
            feed
            for feed, guard in zip(self.feeds, self.guards, strict=True)
            if guard is None or guard(event)
        ]
        return _of_members(selected, event) if self.keyed else selected


def compile_route(
    type: str,
    subscriptions: tuple[Subscription[Target], ...],
    ending: bool = False,
    mishap: Mishap | None = None,
) -> Route:
    """Several handlers of one agent are one delivery; one without a filter makes it certain."""
    cells: dict[Cell, list[Filter | None]] = {}
    watchers: list[tuple[Watcher, Filter | None]] = []
    for subscription in subscriptions:
        target = subscription.target
        if isinstance(target, Cell):
            cells.setdefault(target, []).append(subscription.filter)
        else:
            watchers.append((target, subscription.filter))
    ordered = sorted(cells, key=lambda cell: cell.number)
    guards = [_guard(cells[cell]) for cell in ordered]
    feeds = tuple(cell.feed for cell in ordered)
    keyed = any(isinstance(feed, KeyedFeed) for feed in feeds)
    everybody = mishap is None and not keyed and all(guard is None for guard in guards)
    return Route(
        feeds,
        None if everybody else tuple(guards),
        tuple(watchers),
        Multicast(feeds) if everybody and 1 < len(feeds) <= MOST else None,
        bool(watchers) or any(cell.kind != "system" for cell in ordered),
        keyed,
        _holding(feeds),
        ending,
        mishap,
    )


def _holding(feeds: Sequence[Feed]) -> int:
    """How many of `feeds` are of agents that hold a case open."""
    return sum(feed.cell.holding for feed in feeds)


def _of_members(feeds: Sequence[Feed], event: Event) -> Sequence[Feed]:
    """With the feeds of their members in place of keyed agents'; by number, as locks are taken."""
    chosen = [feed.choose(event) if isinstance(feed, KeyedFeed) else feed for feed in feeds]
    return sorted(chosen, key=by_number) if len(chosen) > 1 else chosen


def _guard(filters: Sequence[Filter | None]) -> Guard | None:
    """Whether one of `filters` matches; None when one is None, and so matches everything."""
    predicates = [filter.predicate for filter in filters if filter is not None]
    if len(predicates) < len(filters):
        return None
    if len(predicates) == 1:
        return predicates[0]
    return lambda event: any(predicate(event) for predicate in predicates)


class Bus:
    """Routes events. One per system."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.table: SubscriptionTable[Target, Route] = SubscriptionTable(self._compile)
        self._hot = self.table.hot
        self.taps: tuple[Watcher, ...] = ()
        """See every event, whatever its type."""
        self.cases: dict[str, tuple[Watcher, ...]] = {}
        """See the events of one correlation; a dict, so that a thousand requests cost no more."""

        self._mishap: Mishap | None = None
        self.terminals: frozenset[TopicPattern] = frozenset()
        """Types that some agent says end a case."""

    def _compile(self, type: str, subscriptions: tuple[Subscription[Target], ...]) -> Route:
        ending = any(pattern.matches(type) for pattern in self.terminals)
        return compile_route(type, subscriptions, ending, self._mishap)

    def suffer(self, mishap: Mishap | None) -> None:
        """Have this happen to all deliveries from now on."""
        self._mishap = mishap
        self.table.forget()

    def end_with(self, patterns: Iterable[TopicPattern]) -> None:
        """Events of these types end a case."""
        if not self.terminals.issuperset(patterns):
            self.terminals = self.terminals.union(patterns)
            self.table.forget()

    def wanted(self, type: str) -> bool:
        """Whether anybody would get an event of this type, content filters aside."""
        route = self._hot.get(type) or self.table.resolve(type)
        return bool(route.feeds or route.watchers or self.taps or self.cases)

    def heard(self, type: str) -> bool:
        """The same, but for the runtime's own agents and who watches over everything: heartbeats
        are made for those who ask for them."""
        return (self._hot.get(type) or self.table.resolve(type)).public

    def route(self, event: Event, sender: Cell) -> None:
        """Deliver what an agent emitted. What finds no room goes to its outbox, and so does all
        that comes after, to keep the order."""
        route = self._hot.get(event.type) or self.table.resolve(event.type)
        feeds = route.feeds if route.guards is None else route.select(event)
        cases = self._engine.cases
        if cases is not None:
            holding = route.holding if route.guards is None else _holding(feeds)
            cases.sent(event, holding, route.ending, bool(feeds))
        if route.watchers or self.taps or self.cases:
            self.show(event, route)
        for feed in feeds:
            if sender.outbox:
                sender.outbox.append((feed, event))
            elif verdict := feed.offer(event):
                if verdict == FULL:
                    sender.put_by(feed, event)
                else:
                    self._engine.undeliverable(event, feed.cell, verdict)

    def publish_at_once(self, event: Event) -> bool:
        """Deliver an outside publish that needs nothing special: False, and nobody got it, when
        somebody watches, or a mailbox has no room, or wants to be asked (`admission.py`)."""
        route = self._hot.get(event.type) or self.table.resolve(event.type)
        if route.watchers or self.taps or self.cases:
            return False
        feeds = route.feeds if route.guards is None else route.select(event)
        cases = self._engine.cases
        if cases is None:
            return self._put_at_once(event, route, feeds)
        holding = route.holding if route.guards is None else _holding(feeds)
        cases.sent(event, holding, route.ending, bool(feeds))
        if self._put_at_once(event, route, feeds):
            return True
        cases.retracted(event, holding)
        return False

    def _put_at_once(self, event: Event, route: Route, feeds: Sequence[Feed]) -> bool:
        if route.multicast is not None and route.multicast.put(event):
            return True
        if len(feeds) == 1:
            verdict = feeds[0].offer(event)
            if verdict == GONE:
                self._engine.over(feeds[0].cell, event)
            return verdict in (TAKEN, GONE)
        return not feeds or try_everywhere(feeds, event)[0] == TAKEN

    def admission(self, event: Event, *, revocable: bool, given: bool) -> Admission:
        """How an outside publish gets in. `revocable`: it may be cancelled while it waits, and then
        nobody got it. `given`: its id was given."""
        route, feeds = self.receivers(event)
        watched = bool(route.watchers or self.taps or self.cases)
        cases, holding = self._engine.cases, _holding(feeds)
        if cases is not None:
            cases.sent(event, holding, route.ending, bool(feeds))
        try:
            if not feeds:
                self.show(event, route)
            elif watched:
                yield from admit_everywhere(feeds, event, lambda: self.show(event, route))
            elif len(feeds) == 1 and not revocable:
                if (yield from admit_one(feeds[0], event)) == GONE:
                    self._engine.over(feeds[0].cell, event)
            else:
                yield from admit_everywhere(feeds, event)
        except BaseException:
            if cases is not None:
                cases.retracted(event, holding)
            raise
        return TAKEN

    def receivers(self, event: Event) -> tuple[Route, Sequence[Feed]]:
        """Who gets `event` if it is published now."""
        route, feeds = self.meant(event)
        return route, feeds if route.mishap is None else route.mishap(event, feeds)

    def meant(self, event: Event) -> tuple[Route, Sequence[Feed]]:
        """Whom it is for; they get it, unless a simulation has it otherwise."""
        route = self._hot.get(event.type) or self.table.resolve(event.type)
        if event.type in UPCAST and outdated(event):
            # From a store, and its upcaster fails: no filter can judge it. Whoever subscribes to
            # the type finds it among its dead letters.
            return route, route.feeds
        return route, route.meant(event)

    def impose(self, event: Event, *, vital: bool) -> None:
        """Deliver what the runtime itself says: it never parks. Without room a vital sign is
        dropped and counted, any other event admitted and counted as overflowed."""
        route, feeds = self.receivers(event)
        if vital:
            # The runtime's own agents listen to those of other nodes: of ours they know more.
            feeds = [feed for feed in feeds if feed.cell.kind != "system"]
        self.count(event, route, feeds)
        if route.watchers or self.taps or self.cases:
            self.show(event, route)
        for feed in feeds:
            taken = _offer_vital(feed, event) if vital else feed.force(event) == TAKEN
            if not taken:
                self._engine.over(feed.cell, event)

    def count(
        self, event: Event, route: Route, feeds: Sequence[Feed], *, by_one: bool = False
    ) -> None:
        """`event` is about to be offered to `feeds`: its case has that much more in flight.
        `by_one`: each of them is counted when its turn comes."""
        if self._engine.cases is not None:
            holding = 0 if by_one else _holding(feeds)
            self._engine.cases.sent(event, holding, route.ending, bool(feeds))

    def show(self, event: Event, route: Route) -> None:
        """Let those see `event` who only watch. They cannot hurt the observed: one that raises
        is switched off, and logged."""
        for watcher, filter in route.watchers:
            if filter is None or filter.matches(event):
                self._show_to(watcher, event)
        for watcher in self.taps:
            self._show_to(watcher, event)
        if self.cases:
            for watcher in self.cases.get(event.metadata.correlation_id or "", ()):
                self._show_to(watcher, event)

    def _show_to(self, watcher: Watcher, event: Event) -> None:
        try:
            watcher.see(event)
        except Exception:
            self.taps = tuple(tap for tap in self.taps if tap is not watcher)
            self._engine.log.exception("a watcher of events raised, and is switched off")

    # -- watching -------------------------------------------------------------------------

    def watch_case(self, correlation_id: str, watcher: Watcher) -> Callable[[], None]:
        """Show `watcher` the events of one correlation, until the returned function is called."""
        with self._engine.lock:
            self.cases[correlation_id] = (*self.cases.get(correlation_id, ()), watcher)

        def stop() -> None:
            with self._engine.lock:
                left = tuple(w for w in self.cases.get(correlation_id, ()) if w is not watcher)
                if left:
                    self.cases[correlation_id] = left
                else:
                    self.cases.pop(correlation_id, None)

        return stop


def _offer_vital(feed: Feed, event: Event) -> bool:
    # Not `feed.offer`: refusing this must not be announced by another one of its kind.
    box = feed.mailbox
    with box.lock:
        if box.full:
            box.dropped += 1
            return False
        feed.admit(event)
        return True
