"""The contract of an event store.

A store keeps one log of events, in one order for all, and beside it what has to be as durable as
the log: how far each agent has come (cursors, and what is done above them), what it is by then
(snapshots), what is to happen later (timers), what failed
(dead letters), what a delivery has done so far (attempts, and the results of `once`), and what
agents note about cases (records), and what they listen to (interests).

**Promises.**

- *All or nothing.* `commit` takes units. Each unit happens as a whole, or is refused as a whole
  with an error; one that is refused does not touch the others. When `commit` itself raises, none
  of its units has happened.
- *On disk.* When `commit` returns, what it has taken survives the process, and, unless the store
  was told otherwise, a power cut.
- *Order.* Units happen in the order given, their events get consecutive positions, and positions
  count from 1 without gaps.
- *One writer.* A store is open for writing in one process at a time. `commit` and whatever else
  writes may be called from any thread; they take turns.
- *Readers* see whole commits, wait for no writer, and may be any number.
- *Ids are unique.* An event whose id is in the log already is not recorded twice: with the same
  type and payload the unit is told of the one that stands there; with another, see `Unit.strict`.
- *Text is kept exactly*: what is read equals what was written, field by field.

`conformance.py` tests every one of these for any implementation.

Rejected: one call per kind of change (a turn must commit once: its emissions, its cursor, its
timers in *one* transaction, or a crash in between shows), and giving stores the agents' positions
in memory (they would have to know when a turn ends).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.unit import (
    CaseRecord,
    Completed,
    Cursor,
    KeepAttempts,
    KeptInterest,
    Letter,
    Outcome,
    Result,
    SetTimer,
    Snapshot,
    Unit,
)

When = datetime | float | int | str
"""A moment of a log: a time (a `datetime` with a zone, or Unix seconds as a float), a position (an
int), or the id of an event. All inclusive."""

# -- reading -----------------------------------------------------------------------------------


@attrs.frozen
class Selection:
    """Which events of the log are wanted; what is not said does not matter."""

    patterns: tuple[str, ...] = ("#",)
    """Topic patterns, one of which the type must match."""
    source: str | None = None
    correlation_id: str | None = None
    """Of a case: the event that began it has its own id as correlation."""
    live: bool | None = None
    """Only the runtime's own news, or all but them."""


EVERYTHING = Selection()


@attrs.frozen
class Erasure:
    """Somebody asked for something to be forgotten."""

    time: float
    what: str
    reason: str
    events: int


Contents = Iterator[object]
"""What an export holds: ``(Recorded, digest or None)`` in order, `Cursor`, `Completed`, `Snapshot`,
`SetTimer`, `Letter`, `KeepAttempts`, ``(agent, Result)``, `CaseRecord`, `KeptInterest`,
`Erasure`."""


@attrs.frozen
class Opened:
    """A store that was opened for a run."""

    clean: bool
    """Whether the last run ended in order. If not, what was in hand may have been the cause."""
    head: int
    """The last position that an earlier run recorded."""
    in_hand: frozenset[tuple[str, str]] | None = None
    """What `EventStore.in_hand` was told last by that run; None when this is not known."""


@attrs.frozen
class Info:
    """A store, looked at."""

    kind: str
    """``memory``, ``sqlite``, ``postgres``."""
    where: str
    events: int
    head: int
    chain: str
    """The hash chain's last link, hexadecimal; whoever keeps it can tell later whether the log up
    to here was changed."""
    agents: int
    timers: int
    dead_letters: int
    erasures: int
    bytes: int
    """On disk, or an estimate of it."""
    clean: bool
    """Whether the last run ended in order (or one is running)."""
    durability: str
    """``full`` (survives a power cut), ``relaxed`` (survives a killed process), ``none``."""


@attrs.frozen
class CaseSpan:
    """Where a case stands in the log. What is `LIVE` does not count."""

    correlation_id: str
    first: int
    """The position of its first event."""
    last: int
    events: int
    began: float
    """When the first was recorded: Unix seconds."""
    ended: float
    """When the last was, so far."""


@attrs.frozen
class Fault:
    """Something that `verify` found wrong."""

    position: int
    """Where in the log; 0 when it is not about one event."""
    what: str


@attrs.frozen
class Verdict:
    """What `verify` found."""

    checked: int
    """Events whose links were recomputed."""
    head: int
    chain: str
    faults: tuple[Fault, ...]

    @property
    def whole(self) -> bool:
        return not self.faults


class EventStore(Protocol):
    """See the module for the promises. Every method is thread-safe.

    Raises `StoreUnavailable` when the medium fails for now, `StoreDamaged` when what is read is
    not what was written.
    """

    @property
    def durability(self) -> str:
        """``full``, ``relaxed`` or ``none``; see `Info`."""
        ...

    # -- a run

    def open_run(self, now: float) -> Opened:
        """A system begins to work with the store. `now`: Unix seconds.

        What agents that are not durable listened to ends here, if it has not ended: the process in
        which they did is gone.
        """
        ...

    def close_run(self) -> None:
        """It ends in order: all that it had in hand is committed."""
        ...

    def in_hand(self, deliveries: frozenset[tuple[str, str]]) -> None:
        """Note which suspects (agent and event id) are in their handlers' hands now.

        A few microseconds, and never fails: it has to survive a killed process, not a power cut. So
        a process that was killed while a commit was on its way does not count against the event.
        A store that cannot do so cheaply does nothing.
        """
        ...

    def close(self) -> None:
        """Let go of files, locks and connections. Closing twice does nothing."""
        ...

    # -- writing

    def commit(self, units: Sequence[Unit], now: float) -> list[Outcome]:
        """Have `units` happen, in order, in one transaction; for each what became of it."""
        ...

    def erase(
        self,
        *,
        correlation_id: str | None = None,
        subject: str | None = None,
        reason: str,
        now: float,
    ) -> int:
        """Blank the payloads of a case, or of all events whose metadata says `subject`: how many.

        Also in dead letters, timers and results that quote them. The hash chain still holds, and
        the erasure is kept with its reason. What is blanked is delivered to nobody.
        """
        ...

    def compact(self) -> int:
        """Give back the room that nothing needs any more: how many bytes."""
        ...

    # -- reading the log

    @property
    def head(self) -> int:
        """The last position; 0 when the log is empty."""
        ...

    def page(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Recorded]:
        """Up to `limit` selected events behind position `after`, in order, at one moment."""
        ...

    def read(
        self,
        after: int = 0,
        limit: int | None = None,
        *,
        pattern: str | Sequence[str] = "#",
        source: str | None = None,
        correlation_id: str | None = None,
        up_to: int | None = None,
    ) -> Iterator[Recorded]:
        """The events behind position `after`, as many as `limit`, up to and with `up_to`.

        Reads page by page, so memory stays flat however long the log is.
        """
        ...

    def find(self, id: str) -> Recorded | None:
        """The event of that id."""
        ...

    def position_at(self, time: float) -> int:
        """The last position that was recorded at or before that time (Unix seconds); or 0."""
        ...

    def get_events(
        self, agent_id: str, up_to: When | None = None, *, after: int = 0
    ) -> Iterator[Event]:
        """What an agent (its DID) has said behind position `after`, up to a moment, in order.

        Raises `InvalidStore` for a moment that is none: no zone, or an id that nothing has.
        """
        ...

    def cases(self, *, before: int | None = None, limit: int = 100) -> list[CaseSpan]:
        """The newest cases first, by where they began; only those that did `before` a position.

        An event without a correlation is a case of its own. Takes no longer for a longer log.
        Raises `InvalidStore` for numbers that make no sense.
        """
        ...

    # -- reading what is kept beside it

    def cursors(self) -> list[Cursor]: ...

    def completed(self, agent: str | None = None) -> list[Completed]:
        """What stands above the cursors of families, in order."""
        ...

    def snapshot(self, source: str) -> Snapshot | None:
        """The last one of an agent (its DID)."""
        ...

    def snapshots(self) -> Iterator[Snapshot]:
        """All, by source."""
        ...

    def timers(self, agent: str | None = None) -> list[SetTimer]:
        """By due time."""
        ...

    def letters(self, agent: str | None = None) -> list[Letter]:
        """Oldest first."""
        ...

    def attempts(self, agent: str) -> list[KeepAttempts]: ...

    def results(self, agent: str) -> list[Result]: ...

    def unfinished(self) -> set[str]:
        """Agents that have timers, dead letters on their way back, attempts, or results."""
        ...

    def records(
        self, correlation_id: str | None = None, agent: str | None = None
    ) -> Iterator[CaseRecord]:
        """What is kept about a case, by an agent, or both; by agent, case and name.

        Of one case it is asked again and again (a few microseconds); memory stays flat for all.
        """
        ...

    def interests(self) -> list[KeptInterest]:
        """What agents listen to, and listened to before; by position and agent."""
        ...

    def last_of_types(self) -> dict[str, int]:
        """By type, the last position that has it; empty when there are so many types that asking
        would take long. For thousands of agents that begin, this saves a query each."""
        ...

    def erasures(self) -> list[Erasure]:
        """Oldest first."""
        ...

    def history(self) -> Iterator[tuple[Recorded, bytes | None]]:
        """The whole log, and of what was erased the payload's digest."""
        ...

    def restore(self, contents: Contents, expected: Callable[[], tuple[int, str]]) -> int:
        """Fill this store, which is empty, with an export: how many events.

        `expected`, asked at the end, is how many events there must be, and the chain's last link.
        Raises `InvalidStore` when that differs, and then nothing is in it.
        """
        ...

    def info(self) -> Info: ...

    def verify(self) -> Verdict:
        """Recompute the hash chain, and compare it with what stands in the log and its anchor."""
        ...
