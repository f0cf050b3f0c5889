"""Which event of another run is which event of this one.

What agents emit has ids that follow from the events they handle, so the same cause gives the same
id. What the runtime makes of its own accord (a tick of `@every`, the notice of a dead letter) has
an id drawn by chance, which shows in the ids of all that follows from it: that is known again by
its place among what its cause brought about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from choreia.actors.reconstructing import name_in
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded

Key = tuple[object, ...]


class Recogniser:
    """Knows the events of one log, and is shown those of another in their order."""

    def __init__(self, log: Iterable[Recorded]) -> None:
        self._by_id: dict[str, Recorded] = {}
        self._by_key: dict[Key, Recorded] = {}
        counts: Counter[Key] = Counter()
        for one in log:
            self._by_id[one.event.id] = one
            for key in _keys(one.event, one.event.metadata.causation_id, counts):
                self._by_key.setdefault(key, one)
        self._counts: Counter[Key] = Counter()
        self._known: dict[str, str] = {}
        self.found: dict[str, Event] = {}
        """What was shown and recognised: by the id that it has here."""

    def show(self, event: Event) -> Recorded | None:
        """The event that it is here; None when it is new."""
        cause = event.metadata.causation_id
        keys = _keys(event, self.id_of(cause) if cause else None, self._counts)
        candidates = (self._by_id.get(event.id), *map(self._by_key.get, keys))
        free = (one for one in candidates if one and one.event.id not in self.found)
        here = next(free, None)
        if here is not None:
            self._known[event.id] = here.event.id
            self.found[here.event.id] = event
        return here

    def knows(self, id: str) -> bool:
        """Whether there is an event of that id here."""
        return id in self._by_id

    def id_of(self, id: str) -> str:
        """The id that an event which was shown has here; its own, if it is new."""
        return self._known.get(id, id)


def _keys(event: Event, cause: str | None, counts: Counter[Key]) -> list[Key]:
    """What an event can be known by, apart from its id."""
    if cause is None:
        tick = event.type.startswith("timer.") and name_in(event.source) is not None
        return [("tick", event.source, event.type, event.payload.get("due"))] if tick else []
    effect: Key = ("effect", event.source, event.type, cause)
    counts[effect] += 1
    return [(*effect, counts[effect])]
