"""What happens in a store: units, each of them as a whole or not at all, and what becomes of them.

A unit is a turn, a publish, a timer that fires. It appends events, and changes what is kept beside
the log: cursors, timers, dead letters, attempts, results, records of cases, interests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded

Start = Literal["now", "beginning"] | int
"""Where a new agent begins to read: behind the last event, before the first, or behind a
position."""


# -- what a unit may change beside the log ----------------------------------------------------


@attrs.frozen
class Move:
    """An agent has handled what is for it up to `after`.

    Compare and set: the unit is refused with `StaleCursor` unless the cursor has this `epoch` and
    stands at `before`.
    """

    agent: str
    epoch: int
    before: int
    after: int


@attrs.frozen
class Complete:
    """A family of agents has handled the events at `positions`, not all of them in order.

    The cursor of the family moves on to `low`, below which nothing is left to do; of the positions
    above it the store keeps that they are done. The unit is refused with `StaleCursor` unless the
    cursor has this `epoch`.
    """

    agent: str
    epoch: int
    positions: tuple[int, ...]
    low: int


@attrs.frozen
class Seat:
    """An agent takes its place: its epoch goes up by one. A new name begins at `start`."""

    agent: str
    start: Start = "now"


@attrs.frozen
class Seated:
    """Where an agent goes on."""

    epoch: int
    position: int
    created: bool
    """Whether the name was new."""


@attrs.frozen
class SetTimer:
    """An agent is to emit `event` at a time. One timer per agent and key: it replaces."""

    agent: str
    key: str
    due: float
    """Unix seconds."""
    event: Event
    schedule: str = ""
    """What it was set by, if it repeats; compared when the agent begins again."""


@attrs.frozen
class CancelTimer:
    """The timer of that agent and key, if there is one, is no more."""

    agent: str
    key: str


@attrs.frozen
class KeepLetter:
    """An event that an agent could not handle. One letter per agent and event: it replaces."""

    letter: Letter


@attrs.frozen
class DropLetter:
    """It was handled after all, or nobody wants it any more."""

    agent: str
    event_id: str


@attrs.frozen
class KeepAttempts:
    """How often an agent has tried an event that it has not done with."""

    agent: str
    event_id: str
    failed: int
    """Attempts that raised."""
    crashes: int
    """Times the process may have died of it."""


@attrs.frozen
class KeepResult:
    """What a call made with `once` returned, as JSON."""

    agent: str
    event_id: str
    name: str
    value: bytes


@attrs.frozen
class Forget:
    """The event is done with: its attempts and results are not needed any more."""

    agent: str
    event_id: str


@attrs.frozen
class KeepRecord:
    """What an agent notes about a case. One record per agent, case and name: it replaces."""

    agent: str
    correlation_id: str
    name: str
    value: bytes
    """JSON, and it quotes no payload: erasing leaves it."""


@attrs.frozen
class DropRecord:
    """The record of that agent, case and name, if there is one, is not needed any more."""

    agent: str
    correlation_id: str
    name: str


@attrs.frozen
class KeepInterest:
    """What an agent listens to from now on: behind the position that it is seated at, if this unit
    seats it, else behind the last event of the unit. What it listened to there before is gone, for
    it has not handled anything of that. Nothing is written when it is what the agent listened to
    last."""

    agent: str
    value: bytes
    """JSON, whatever the one who keeps it needs; empty: it listens no longer."""
    durable: bool = True
    """If not, it ends with the run: the next `open_run` closes it."""


@attrs.frozen
class KeepSnapshot:
    """The state of an event-sourced agent, as it is when this unit has happened. It replaces the
    one before. Left out when an event of the unit conflicts, or stood in the log before (the state
    was made of it), and when something that the agent said was erased in this run (the state knows
    it still)."""

    source: str
    """The agent's DID."""
    code: str
    """Of the state's class; see `Snapshot`."""
    state: bytes


Change = (
    SetTimer
    | CancelTimer
    | KeepLetter
    | DropLetter
    | KeepAttempts
    | KeepResult
    | Forget
    | KeepRecord
    | DropRecord
    | KeepInterest
    | KeepSnapshot
)


# -- what is kept -------------------------------------------------------------------------------


@attrs.frozen
class Letter:
    """A dead letter, as it is kept. `number` counts letters of a store, for people."""

    agent: str
    event: Event
    reason: str
    error: str
    """The error in one line, or nothing."""
    traceback: str
    attempts: int
    time: float
    """When it died: Unix seconds."""
    waiting: bool = False
    """Whether it is on its way back to its agent."""
    crashes: int = 0
    """Times the process may have died of it on its way back."""
    number: int = 0


@attrs.frozen
class Cursor:
    """How far an agent has come: handled, or not for it, up to `position`."""

    agent: str
    epoch: int
    position: int


@attrs.frozen
class Snapshot:
    """The state of an event-sourced agent at a position, so that it need not be folded anew."""

    source: str
    """The agent's DID."""
    position: int
    """The events of the agent up to here are in it."""
    code: str
    """Tells apart the classes that states are made of: one of another code means nothing."""
    state: bytes
    """As JSON."""


@attrs.frozen
class Completed:
    """An event above a family's cursor that is done with."""

    agent: str
    position: int


@attrs.frozen
class CaseRecord:
    """What an agent keeps about a case, beside its state: a step of a saga, what it waits for.

    One for each agent, case and name. The value is JSON, and quotes no payload.
    """

    agent: str
    """Its own name: of a member of a family such as ``orders:42``."""
    correlation_id: str
    name: str
    value: bytes
    position: int = 0
    """The log's head when it was kept, with the events of the same unit."""


@attrs.frozen
class KeptInterest:
    """What an agent listens to behind a position, up to its next one; see `KeepInterest`."""

    agent: str
    since: int
    value: bytes
    durable: bool = True


@attrs.frozen
class Result:
    """What a call made with `once` returned; see `KeepResult`."""

    event_id: str
    name: str
    value: bytes


# -- units and what becomes of them --------------------------------------------------------------


@attrs.define(eq=False)
class Unit:
    """What happens together or not at all: a turn, a publish, a timer that fires."""

    events: Sequence[Event] = ()
    bodies: Sequence[bytes] = ()
    """The payloads of `events`, encoded as JSON."""
    flags: int = 0
    """Of its events: `LIVE` or 0."""
    strict: bool = False
    """An id that stands in the log with another body: refuse the unit with `DuplicateId`. Else
    that event is left out, and told of in `Committed.conflicts`."""
    move: Move | None = None
    complete: Complete | None = None
    seat: Seat | None = None
    changes: Sequence[Change] = ()
    fires: SetTimer | None = None
    """The timer that this unit stands for: it is set no more. Refused with `StaleCursor` unless
    the timer of that agent and key still stands, with an event of the same id."""


@attrs.frozen
class Committed:
    """A unit that happened."""

    recorded: tuple[Recorded, ...] = ()
    """Its events as they stand in the log, each once, in their order; without the conflicts."""
    repeated: frozenset[int] = frozenset()
    """Positions of those which had been recorded before: nobody is to get them again."""
    conflicts: tuple[Event, ...] = ()
    seated: Seated | None = None


Outcome = Committed | ChoreiaError
"""What became of one unit: it happened, or the error it was refused with."""
