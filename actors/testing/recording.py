"""The record of a test: what was published, in order, and what of it still counts.

A tap on the bus. It sees causes before their effects, whoever published them, and keeps everything:
a test is short.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import attrs

from choreia.runtime.delivery.clock import Clock
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.events.event import Event


@attrs.frozen
class Seen:
    """One event, as it was published."""

    event: Event
    at: float
    """Seconds since the system was made, virtual or real. Not the event's timestamp, which its
    author may have written by another clock."""


class Record:
    """Implements `Watcher`. Written by any thread, read by the test's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock.monotonic()
        self._lock = threading.Lock()
        self._seen: list[Seen] = []
        self._news: Gate | None = None
        self._simulated: set[str] = set()
        self._returned: set[str] = set()
        self._taken: set[str] = set()

    # -- writing --------------------------------------------------------------------------

    def see(self, event: Event) -> None:
        seen = Seen(event, self.now())
        with self._lock:
            self._seen.append(seen)
        self.wake()

    def wake(self) -> None:
        """Let whoever waits for news look again."""
        with self._lock:
            news, self._news = self._news, None
        if news is not None:
            news.open()

    def simulated(self, event: Event) -> None:
        """The test itself said `event`. What it was given before is answered, and taken."""
        self._simulated.add(event.id)
        self._taken |= self._returned

    def returned(self, event: Event) -> None:
        """The test was given `event`: it expected it."""
        self._returned.add(event.id)

    # -- reading --------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the system was made."""
        return self._clock.monotonic() - self._start

    def __len__(self) -> int:
        return len(self._seen)

    def since(self, place: int = 0) -> Sequence[Seen]:
        """What was seen, from the `place`-th on; the first is 0."""
        return self._seen[place:]

    def news(self) -> Gate:
        """A gate that opens with the next event. Ask for it before you look at what is there."""
        with self._lock:
            if self._news is None:
                self._news = Gate()
            return self._news

    def is_simulated(self, event: Event) -> bool:
        return event.id in self._simulated

    def is_taken(self, event: Event) -> bool:
        """Whether the test was given `event`, and has simulated something since."""
        return event.id in self._taken

    def expected(self) -> list[Event]:
        """All that the test was given, in order."""
        return [seen.event for seen in self._seen if seen.event.id in self._returned]
