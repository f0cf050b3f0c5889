"""Ids that were given from outside: an event of a given id is delivered once, however often it is
published. Without a store, as long as the id is among the last 10,000 given."""

from __future__ import annotations

import threading
from collections import OrderedDict

from choreia.runtime.delivery.gate import Gate
from choreia.runtime.errors import DuplicateId
from choreia.runtime.events.event import Event

REMEMBERED = 10_000


class Pending:
    """An event of a given id: on its way, or delivered."""

    __slots__ = ("delivered", "event", "gate")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.delivered = False
        self.gate = Gate()
        """Opens when it is known how the publish ended."""


class GivenIds:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Pending] = OrderedDict()

    def claim(self, event: Event) -> Pending | None:
        """None: this publish delivers it. Else the earlier one, which has, or still tries.

        Raises `DuplicateId` when that one has another type or payload.
        """
        with self._lock:
            earlier = self._known.get(event.id)
            if earlier is None:
                self._known[event.id] = Pending(event)
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
                return None
        if (earlier.event.type, earlier.event.payload) != (event.type, event.payload):
            raise DuplicateId(
                f"id {event.id!r} was published before, as {earlier.event.type!r} with another "
                "body: an id names one event for ever",
                id=event.id,
            )
        return earlier

    def delivered(self, event: Event) -> None:
        with self._lock:
            pending = self._known.get(event.id)
        if pending is not None and pending.event is event:
            pending.delivered = True
            pending.gate.open()

    def forget(self, event: Event) -> None:
        """The publish failed, and has reached nobody: the next one may try."""
        with self._lock:
            pending = self._known.get(event.id)
            if pending is None or pending.event is not event:
                return
            del self._known[event.id]
        pending.gate.open()

    def first(self, event: Event) -> Event:
        """The event that was delivered under the id of `event`."""
        with self._lock:
            pending = self._known.get(event.id)
        return event if pending is None else pending.event
