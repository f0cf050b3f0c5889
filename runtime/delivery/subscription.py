"""Who gets events of a type: subscriptions, and the table that resolves types to them.

Resolving is the first step of every delivery, so its result is cached per type, compiled
by the owner into whatever it delivers from. A hit takes no lock. A change of subscriptions
forgets only the cached types that its pattern selects.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from operator import attrgetter
from threading import Lock
from typing import Generic, TypeVar

import attrs

from choreia.runtime.delivery.trie import PatternTrie
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.topic import TopicPattern

T = TypeVar("T")
R = TypeVar("R", bound=object)

_order = count().__next__
_by_order = attrgetter("order")

# A wildcard pattern is tried on this many cached types (about 0.4 µs each) before it is
# cheaper to forget them all: a thousand wildcard subscriptions must not cost a second.
_TRIED = 128


# Fields are frozen by on_setattr, not by frozen=True: that makes the constructor half as fast.
@attrs.define(eq=False, weakref_slot=False, on_setattr=attrs.setters.frozen)
class Subscription(Generic[T]):
    """`target` gets the events whose type `pattern` selects and which `filter` lets through.

    Compared by identity. `order` sorts the subscriptions of one type, so that the same
    program always delivers in the same order; by default that is the order of creation.
    """

    pattern: TopicPattern
    filter: Filter | None
    target: T
    order: int = attrs.field(factory=_order)


class SubscriptionTable(Generic[T, R]):
    """All subscriptions of a bus. Safe from any thread.

    `compile(type, subscriptions)` makes what `resolve` returns and caches; it is called
    without a lock held, perhaps twice for one type, and must not return None.

    `hot` is the cache itself, for the caller whom even one method call costs too much:
    ``table.hot.get(type) or table.resolve(type)`` (if the compiled thing is never falsy).
    It is always the same dict; only read it.

    A million subscriptions with an exact pattern each take 300 bytes apiece, pattern text
    included, without their targets (CPython 3.11, tracemalloc).
    """

    def __init__(
        self, compile: Callable[[str, tuple[Subscription[T], ...]], R], cache_size: int = 4096
    ) -> None:
        self.hot: dict[str, R] = {}
        self._compile = compile
        self._cache_size = cache_size
        self._lock = Lock()
        self._trie: PatternTrie[Subscription[T]] = PatternTrie()
        self._size = 0
        # Counts changes. What was looked up before a change must not be cached after it.
        self._generation = 0

    def __len__(self) -> int:
        return self._size

    def add(self, subscription: Subscription[T]) -> bool:
        """Add; False when it was there already. Events published from now on see it."""
        with self._lock:
            added = self._trie.add(subscription.pattern, subscription)
            if added:
                self._size += 1
                self._forget(subscription.pattern)
        return added

    def remove(self, subscription: Subscription[T]) -> bool:
        """Remove; False when it was not there. Events published from now on do not see it."""
        with self._lock:
            removed = self._trie.remove(subscription.pattern, subscription)
            if removed:
                self._size -= 1
                self._forget(subscription.pattern)
        return removed

    def resolve(self, type: str) -> R:
        """The compiled form of the subscriptions that select `type`, a valid event type."""
        plan = self.hot.get(type)
        return self._resolve_new(type) if plan is None else plan

    def forget(self) -> None:
        """What was compiled may be compiled otherwise now."""
        with self._lock:
            self._generation += 1
            self.hot.clear()

    def matching(self, type: str) -> tuple[Subscription[T], ...]:
        """The subscriptions that select `type`, by `order`. Not cached: for inspection."""
        with self._lock:
            found = self._trie.matching(type)
        found.sort(key=_by_order)
        return tuple(found)

    def _resolve_new(self, type: str) -> R:
        # The generation is read first: a change in between makes the result uncacheable.
        generation = self._generation
        plan = self._compile(type, self.matching(type))
        with self._lock:
            if generation == self._generation:
                if len(self.hot) >= self._cache_size:
                    # All of it: an LRU would make every hit pay for what types with ids do.
                    self.hot.clear()
                self.hot[type] = plan
        return plan

    def _forget(self, pattern: TopicPattern) -> None:
        self._generation += 1
        if pattern.exact:
            self.hot.pop(pattern.pattern, None)
        elif len(self.hot) > _TRIED:
            self.hot.clear()
        else:
            for type in [type for type in self.hot if pattern.matches(type)]:
                del self.hot[type]
