"""What a participant emits: it says which steps of the case it stands on."""

from __future__ import annotations

from collections import Counter
from zlib import crc32

from choreia.runtime.delivery.emission import Emitter, Occurrence
from choreia.runtime.events.event import Event, Metadata, make_metadata
from choreia.runtime.events.payload import EMPTY, FrozenDict

BUFFERED = 1_000_000
"""Keeps the ids of what leaves with the handler apart from those of what leaves at once."""


class SagaEmitter(Emitter):
    """Says of each emission which steps it stands on."""

    __slots__ = ("_said", "causes", "instead", "salt", "standing")

    def __init__(self, plain: Emitter) -> None:
        super().__init__(plain.source, plain.declaration, plain.ids, plain.inherit)
        self._said: Counter[tuple[str, bytes]] = Counter()
        self.new_attempt()

    def new_attempt(self) -> None:
        """A handler is about to run, or to run again."""
        self._said.clear()
        self.standing: FrozenDict = EMPTY
        """The extension; empty: what the cause stands on."""
        self.causes: tuple[str, ...] = ()
        """Further causes, in a join."""
        self.instead: Event | None = None
        """What is answered, when it is not the event in hand: the failure of a case."""
        self.salt = 0
        """Tells apart what is said in several answers to it."""

    def buffered(
        self, cause: Event | None, type: object, payload: object, index: int, timestamp: float
    ) -> Event:
        # An id that follows from what is said, not from how much was said before. An event may have
        # been handled, but for one step, and come back for that: then it says other things.
        if cause is None:
            return super().buffered(cause, type, payload, index, timestamp)
        return self.early(cause, type, payload, self._occurrence, timestamp)

    def early(
        self, cause: Event, type: object, payload: object, occurrence: Occurrence, timestamp: float
    ) -> Event:
        def salted(type: str, said: bytes) -> int:
            return occurrence(type, said) + 2 * BUFFERED * self.salt

        return super().early(self.instead or cause, type, payload, salted, timestamp)

    def answer(self, failure: Event | None, step: str, in_hand: Event) -> None:
        """What is said from here on is said because of `failure`, whichever event has its turn: a
        step may have to wait until it may be undone, or not."""
        self.instead, self.salt = failure, crc32(step.encode())
        waited = failure is not None and failure.id != in_hand.id
        self.causes = (in_hand.id,) if waited else ()

    def answered(self) -> None:
        """And from here on because of the event in hand again."""
        self.instead, self.salt, self.causes = None, 0, ()

    def _occurrence(self, type: str, said: bytes) -> int:
        self._said[type, said] += 1
        return self._said[type, said] + BUFFERED

    def caused(self, cause: Event, version: str) -> Metadata:
        meta = super().caused(cause, version)
        if not self.standing and not self.causes:
            return meta
        extensions = FrozenDict({**meta.extensions, **self.standing})
        return make_metadata(
            meta.correlation_id, meta.causation_id, version, meta.hops, self.causes, extensions
        )
