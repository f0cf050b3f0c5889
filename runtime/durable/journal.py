"""The journal: everything that is written to the store goes through here, in one order.

One thread takes whatever has queued up while it was busy with the last commit, and commits it
together: under load the disk is asked once for hundreds of events, and alone an event waits for
nobody. (Group commit, as in DeWitt et al. 1984, section 5.2, without the timer: every linger that
was tried made both throughput and latency worse.) Only when the commit is on disk are the events
routed, in log order, and those told who wait for it.

Rejected: committing on the threads that have something to commit (they would queue for the
connection's lock one by one: a commit each), and a thread per store operation.

**When the store fails** whoever waits outside is told at once. What a turn has done is kept, in its
order, and tried again: the agent has handled its events, so the only other way would be to lose
that or to do it twice.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from choreia.runtime.delivery.clock import Clock
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.errors import ChoreiaError, StoreError, StoreUnavailable, SystemStopped
from choreia.runtime.events.event import Event
from choreia.runtime.stores.unit import Committed, Outcome, Unit

if TYPE_CHECKING:
    from choreia.runtime.stores.base import EventStore

log = logging.getLogger("choreia.store")

MOST_EVENTS = 1_024
MOST_BYTES = 1_048_576
"""Of payloads, in one commit; a unit that is larger by itself goes alone."""
PATIENCE = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Seconds until a store that failed is tried again; the last one again and again."""


def unit_of(events: Sequence[Event], **rest: object) -> Unit:
    """A unit that appends `events`."""
    return Unit(events, [orjson.dumps(event.payload) for event in events], **rest)  # type: ignore[arg-type]


class Entry:
    """A unit on its way, and who is to be told of its end."""

    __slots__ = ("_gates", "_lock", "begun", "outcome", "patient", "tell", "unit")

    def __init__(
        self, unit: Unit, tell: Callable[[Outcome], None] | None = None, *, patient: bool = False
    ) -> None:
        self.unit = unit
        self.tell = tell
        """Called when it is known what became of it, and its events have been routed."""
        self.patient = patient
        """Whether it is tried again when the store fails."""
        self.begun = False
        """Whether it is being committed."""
        self.outcome: Outcome | None = None
        self._gates: list[Gate] = []
        self._lock = threading.Lock()

    def gate(self) -> Gate:
        """A gate that opens when it is known."""
        gate = Gate()
        with self._lock:
            if self.outcome is None:
                self._gates.append(gate)
                return gate
        gate.open()
        return gate

    def end(self, outcome: Outcome) -> None:
        try:
            if self.tell is not None:
                self.tell(outcome)
        finally:
            # Known only now: who finds an outcome relies on what `tell` has done. (Tried the other
            # way round: an agent that looked in between began before it had its place in the log,
            # and then waited for ever.)
            with self._lock:
                self.outcome = outcome
                gates = self._gates
            for gate in gates:
                gate.open()


class Journal:
    """See the module. Thread-safe."""

    def __init__(
        self, store: EventStore, clock: Clock, route: Callable[[Committed], None], *, inline: bool
    ) -> None:
        """`route` is told of each unit that happened, in log order. `inline`: commit on the thread
        that submits, as a simulation does."""
        self._store = store
        self._clock = clock
        self._route = route
        self._inline = inline
        self._changed = threading.Condition()
        self._queue: deque[Entry] = deque()
        self._thread: threading.Thread | None = None
        self._at_it = False
        self._failures = 0
        self._closing = False
        self._hopeless = False
        self.pending = 0
        """Entries that have not come to their end."""
        self.on_quiet: Callable[[], None] = lambda: None

    # -- for whoever has something to commit ------------------------------------------------

    def submit(self, entry: Entry) -> Entry:
        """Have `entry` committed, behind all that were submitted before."""
        with self._changed:
            refused = self._hopeless
            if not refused:
                self._queue.append(entry)
                self.pending += 1
                if not self._inline:
                    if self._thread is None:
                        self._thread = threading.Thread(
                            target=self._serve, name="choreia-journal", daemon=True
                        )
                        self._thread.start()
                    elif not self._at_it:
                        self._changed.notify()
        if refused:
            entry.end(SystemStopped("the system has stopped: its store is closed"))
        elif self._inline:
            self._commit_inline()
        return entry

    def withdraw(self, entry: Entry) -> bool:
        """Take `entry` back, if it is not being committed already: whether it was in time."""
        with self._changed:
            if entry not in self._queue:
                return False
            self._queue.remove(entry)
            self.pending -= 1
        self.on_quiet()
        return True

    def close(self, timeout: float) -> None:
        """Commit what is left, for `timeout` seconds at most, and end. What could not be committed
        has not happened."""
        with self._changed:
            self._closing = True
            self._changed.notify()
            thread = self._thread
        left_before = -1
        while thread is not None and thread.is_alive() and self.pending != left_before:
            left_before = self.pending  # as long as there is progress, it may take its time
            thread.join(timeout)
        with self._changed:
            self._hopeless = True
            self._changed.notify()
            left = list(self._queue)
            self._queue.clear()
            self.pending -= len(left)
        if thread is not None:
            thread.join(timeout)
        for entry in left:
            entry.end(SystemStopped("the store could not be written to until the system stopped"))
        if left:
            log.error("%d units could not be committed, and have not happened", len(left))

    # -- committing -------------------------------------------------------------------------

    def _serve(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._commit(batch)

    def _next_batch(self) -> list[Entry] | None:
        with self._changed:
            self._at_it = False
            while not self._ready():
                if self._hopeless or (self._closing and not self._queue):
                    return None
                # After a failure: until it is time for those who are patient, or somebody comes
                # who is to be told at once.
                self._changed.wait(self._pause() if self._queue else None)
                if self._queue and self._failures:
                    break
            if self._hopeless:
                return None
            self._at_it = True
            return self._cut()

    def _ready(self) -> bool:
        if not self._failures:
            return bool(self._queue)
        return any(not entry.patient for entry in self._queue)

    def _pause(self) -> float:
        return PATIENCE[min(self._failures, len(PATIENCE)) - 1]

    def _cut(self) -> list[Entry]:
        batch: list[Entry] = []
        events = size = 0
        while self._queue:
            unit = self._queue[0].unit
            events += max(1, len(unit.events))
            size += sum(map(len, unit.bodies))
            if batch and (events > MOST_EVENTS or size > MOST_BYTES):
                break
            entry = self._queue.popleft()
            entry.begun = True
            batch.append(entry)
        return batch

    def _commit_inline(self) -> None:
        if self._at_it:  # whoever is at it goes on with what was submitted meanwhile
            return
        self._at_it = True
        try:
            while self._queue:
                failures = self._failures
                self._commit(self._cut())
                if self._failures > failures:
                    self._clock.call_later(self._pause(), self._commit_inline)
                    break
        finally:
            self._at_it = False

    def _commit(self, batch: list[Entry]) -> None:
        try:
            outcomes = self._store.commit([entry.unit for entry in batch], self._clock.now())
        except Exception as error:
            self._failed(batch, error)
            return
        if self._failures:
            log.warning("the store works again")
            self._failures = 0
        # One after the other: an agent that took its seat between two events has not to look for
        # the first, and gets the second at once.
        for entry, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Committed) and outcome.recorded:
                self._safely(self._route, outcome)
            self._safely(entry.end, outcome)
        self._ended(len(batch))

    def _safely(self, call: Callable[[Any], None], outcome: Outcome) -> None:
        try:
            call(outcome)
        except Exception:  # a fault of the runtime, over which the others must not stand still
            log.critical("the journal failed", exc_info=True)

    def _failed(self, batch: list[Entry], error: Exception) -> None:
        known = isinstance(error, StoreError)
        if not known or not self._failures:
            log.error("nothing can be committed: %s", error, exc_info=not known)
        self._failures += 1
        refusal = error if isinstance(error, ChoreiaError) else _unknown(error)
        patient = [entry for entry in batch if entry.patient]
        with self._changed:
            self._queue.extendleft(reversed(patient))
        for entry in batch:
            if not entry.patient:
                entry.end(refusal)
        self._ended(len(batch) - len(patient))

    def _ended(self, count: int) -> None:
        with self._changed:
            self.pending -= count
            quiet = not self.pending
        if quiet:
            self.on_quiet()


def _unknown(error: Exception) -> StoreUnavailable:
    failure = StoreUnavailable(f"the store failed: {type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure
