"""What a participant emits: it says which steps of the case it stands on."""

from __future__ import annotations

from collections import Counter

from choreia.runtime.delivery.emission import Emitter
from choreia.runtime.events.event import Event, Metadata, make_metadata
from choreia.runtime.events.payload import EMPTY, FrozenDict

BUFFERED = 1_000_000
"""Keeps the ids of what leaves with the handler apart from those of what leaves at once."""


class SagaEmitter(Emitter):
    """Says of each emission which steps it stands on."""

    __slots__ = ("_said", "causes", "standing")

    def __init__(self, plain: Emitter) -> None:
        super().__init__(plain.source, plain.declaration, plain.ids, plain.inherit)
        self.standing: FrozenDict = EMPTY
        """The extension; empty: what the cause stands on."""
        self.causes: tuple[str, ...] = ()
        """Further causes, in a join."""

        self._said: Counter[tuple[str, bytes]] = Counter()

    def buffered(
        self, cause: Event | None, type: object, payload: object, index: int, timestamp: float
    ) -> Event:
        # An id that follows from what is said, not from how much was said before. An event may have
        # been handled, but for one step, and come back for that: then it says other things.
        if cause is None:
            return super().buffered(cause, type, payload, index, timestamp)
        return self.early(cause, type, payload, self._occurrence, timestamp)

    def _occurrence(self, type: str, said: bytes) -> int:
        self._said[type, said] += 1
        return self._said[type, said] + BUFFERED

    def new_attempt(self) -> None:
        self._said.clear()
        self.standing, self.causes = EMPTY, ()

    def caused(self, cause: Event, version: str) -> Metadata:
        meta = super().caused(cause, version)
        if not self.standing and not self.causes:
            return meta
        extensions = FrozenDict({**meta.extensions, **self.standing})
        return make_metadata(
            meta.correlation_id, meta.causation_id, version, meta.hops, self.causes, extensions
        )
