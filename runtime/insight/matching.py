"""Whom an event was for: interests, compiled, at a place in the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from choreia.runtime.delivery.trie import PatternTrie
from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.keypath import KeyReader, key_reader
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.insight.story import Ask, Interest

_CACHED = 4_096


@attrs.frozen(eq=False)
class Ear:
    """One `Ask`, compiled."""

    ask: Ask
    pattern: TopicPattern
    filter: Filter | None

    def hears(self, event: Event) -> bool:
        return self.pattern.matches(event.type) and self.lets_through(event)

    def lets_through(self, event: Event) -> bool:
        return self.filter is None or self.filter.matches(event)


@attrs.frozen(eq=False)
class Listener:
    """One `Interest`, compiled. `place` orders them."""

    place: int
    interest: Interest
    ears: tuple[Ear, ...]
    key_of: KeyReader | None

    def there(self, position: int) -> bool:
        """Whether it was there for what stands at `position`."""
        until = self.interest.until
        return self.interest.since < position and (until is None or position <= until)

    def has_key(self, event: Event) -> bool:
        return self.key_of is None or self.key_of(event) is not None


class Listeners:
    """Many interests. Asking costs nothing for those whose patterns do not select the type.

    Raises `InvalidPattern` and `InvalidFilter` for what cannot be compiled here, because another
    version of this runtime wrote it.
    """

    def __init__(self, interests: Iterable[Interest]) -> None:
        self._compiled: dict[str, Ear] = {}
        self._trie: PatternTrie[tuple[Listener, Ear]] = PatternTrie()
        self._known: dict[str, list[tuple[Listener, Ear]]] = {}
        self.all: Sequence[Listener] = [
            self._listener(place, one) for place, one in enumerate(interests)
        ]
        for listener in self.all:
            for ear in listener.ears:
                self._trie.add(ear.pattern, (listener, ear))

    def of(self, recorded: Recorded) -> list[Interest]:
        """Those for whom an event of a log was, each once."""
        event = recorded.event
        found = {
            listener.place: listener.interest
            for listener, ear in self._selecting(event.type)
            if listener.there(recorded.position)
            and ear.lets_through(event)
            and listener.has_key(event)
        }
        return [found[place] for place in sorted(found)]

    def there(self, position: int) -> list[Listener]:
        """All that were there for what stands at `position`, whatever they wanted."""
        return [listener for listener in self.all if listener.there(position)]

    def _selecting(self, type: str) -> list[tuple[Listener, Ear]]:
        found = self._known.get(type)
        if found is None:
            if len(self._known) >= _CACHED:
                self._known.clear()
            found = self._known[type] = self._trie.matching(type)
        return found

    def _listener(self, place: int, interest: Interest) -> Listener:
        ears = tuple(map(self._ear, interest.asks))
        key_of = None if interest.key is None else key_reader(interest.key)
        return Listener(place, interest, ears, key_of)

    def _ear(self, ask: Ask) -> Ear:
        text = repr(ask)  # agents of one class ask for the same, thousands of times
        ear = self._compiled.get(text)
        if ear is None:
            filter = None if ask.filter is None else Filter(ask.filter)
            ear = self._compiled[text] = Ear(ask, TopicPattern(ask.pattern), filter)
        return ear
