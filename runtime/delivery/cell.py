"""A cell is one agent's place in the machinery; it outlives restarts of the agent in it.

(Akka's word, `ActorCell`.) It has the mailbox, the feed, the outbox, the counters, and knows
whether the agent may run. The agent's own unit of work, handler and all, is the `Turn`.

    IDLE ──put──▶ OWNED ──nothing left──▶ IDLE
                  OWNED ──must wait────▶ HELD ──may go on──▶ OWNED

`OWNED` means: on a run queue, or in its turn on one thread. Only then may anybody touch what has
no lock: outbox, turn, counters.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from choreia.runtime.delivery.mailbox import CLOSED, HELD, IDLE, OWNED, Mailbox
from choreia.runtime.events.event import Event

if TYPE_CHECKING:
    from choreia.runtime.delivery.engine import Engine
    from choreia.runtime.delivery.feed import Feed
    from choreia.runtime.delivery.keeping import Ledger
    from choreia.runtime.delivery.timing import Times
    from choreia.runtime.delivery.turn import Turn

Control = Callable[[], None]
"""What the system lane carries: called in the agent's turn, between two events."""

# Why a cell is held off the run queue; several may hold at once.
PARKING = 1
BACKING_OFF = 2
AWAITING = 4
PAUSED = 8
STARTING = 16
COMMITTING = 64
"""What it has done is on its way to the store."""
DEAD = 32
"""The thread that served it has ended, in its turn: nobody serves it, until it is restarted."""

_STATES = {
    DEAD: "dead",
    PARKING: "parked",
    BACKING_OFF: "backoff",
    AWAITING: "awaiting",
    COMMITTING: "committing",
}


class Cell:
    """See the module. Made by the system, one per name; `turn` and `feed` are set right after."""

    __slots__ = (
        "agent",
        "controls",
        "emitted",
        "engine",
        "failed",
        "feed",
        "handled",
        "holding",
        "holds",
        "id",
        "interrupt",
        "kind",
        "ledger",
        "mailbox",
        "name",
        "number",
        "outbox",
        "owner",
        "parked_on",
        "schedule",
        "since",
        "times",
        "turn",
    )

    feed: Feed
    turn: Turn

    def __init__(
        self, engine: Engine, number: int, name: str, id: str, kind: str, capacity: int
    ) -> None:
        self.engine = engine
        self.number = number
        """Order of spawning; routing goes in this order, and locks are taken in it."""
        self.name = name
        self.agent = name
        """Under which name things are kept for it; that of the group, for the members of one."""
        self.id = id
        self.kind = kind
        self.holding = kind != "system"
        """Whether what is on its way to it holds a case open; False for who only looks on."""
        self.mailbox = Mailbox(capacity, self)
        self.mailbox.state = HELD
        self.schedule: Callable[[Cell], None] = engine.dispatcher.schedule
        self.owner: Any = None
        """What the layer above keeps about the agent."""
        self.holds = STARTING
        self.controls: deque[Control] | None = None
        self.interrupt = True
        """Whether the turn must look at controls, holds or unfinished work before the mailbox."""
        self.outbox: deque[tuple[Feed, Event]] | None = None
        """Deliveries that found no room; made when needed, like all that most agents never use."""
        self.parked_on: tuple[Cell, ...] = ()
        """Whose mailboxes it waits for: one, unless a coroutine awaits several at once."""
        self.handled = 0
        self.failed = 0
        self.emitted = 0
        self.ledger: Ledger | None = None
        """What it has done since the last commit, when there is a store."""
        self.since = 0.0
        """When the handler that runs now was called (monotonic seconds)."""
        self.times: Times | None = None
        """How long its handlers take, as far as somebody looked."""

    # -- for whoever serves the cell ------------------------------------------------------

    def rest(self) -> bool:
        """End the turn, unless there is something to do: whether it has ended."""
        box = self.mailbox
        with box.lock:
            if self.controls:
                return False
            if box.state == CLOSED:
                return True
            if self.holds:
                box.state = HELD
                self.engine.held[self.number] = self
                return True
            if self.interrupt or box.items:
                return False
            box.state = IDLE
            return True

    def open(self) -> None:
        """The agent is in its place: give it its first turn, if there is anything to do."""
        box = self.mailbox
        with box.lock:
            self.holds &= ~STARTING
            if box.state == CLOSED:  # the system stopped, and did not wait for it
                return
            if self.holds or self.controls or box.items:
                box.state = OWNED
                self.schedule(self)
            else:
                self.interrupt = False
                box.state = IDLE

    def claim(self) -> bool:
        """Take an idle cell off everybody's hands, to close it: whether it was idle."""
        box = self.mailbox
        with box.lock:
            if box.state != IDLE or len(box) or self.controls:
                return False
            box.state = OWNED
            return True

    # -- the system lane ------------------------------------------------------------------

    def post(self, control: Control, *, first: bool = False) -> bool:
        """Have `control` called in the agent's turn, before any event: False if it is gone."""
        box = self.mailbox
        with box.lock:
            if box.state == CLOSED:
                return False
            if self.controls is None:
                self.controls = deque()
            if first:
                self.controls.appendleft(control)
            else:
                self.controls.append(control)
            self.interrupt = True
            if self.holds & STARTING:
                return True  # `open` will see it
            if box.state != OWNED:
                box.state = OWNED
                box.wake()
        return True

    def lost(self, how: str) -> None:
        """The thread that was serving the cell has ended: it stays OWNED, and nobody's."""
        box = self.mailbox
        with box.lock:
            if box.state == CLOSED:
                return
            self.holds |= DEAD
            self.engine.orphans[self] = how
            self.engine.held[self.number] = self

    def found(self) -> None:
        """It is to be served again: take back `lost`."""
        with self.mailbox.lock:
            self.holds &= ~DEAD
            self.engine.orphans.pop(self, None)

    # -- the outbox -----------------------------------------------------------------------

    def put_by(self, feed: Feed, event: Event) -> None:
        """Keep a delivery that found no room, behind those that wait already."""
        if self.outbox is None:
            self.outbox = deque()
        self.outbox.append((feed, event))

    # -- holding and going on -------------------------------------------------------------

    def hold(self, reason: int) -> None:
        """Take the agent off the run queue when its turn ends, until `release(reason)`."""
        with self.mailbox.lock:
            self.holds |= reason
            self.interrupt = True

    def release(self, reason: int) -> None:
        """Take back `hold(reason)`; with no other reason left, the agent goes on."""
        box = self.mailbox
        with box.lock:
            self.holds &= ~reason
            if box.state == HELD and not self.holds:
                box.state = OWNED
                # Scheduled first, let go second: never "all idle" between the two. And under the
                # lock, so that it cannot be held again before it is let go.
                self.schedule(self)
                self.engine.held.pop(self.number, None)
            elif box.state == CLOSED:
                self.engine.held.pop(self.number, None)

    def park(self) -> None:
        self.hold(PARKING)

    def unpark(self) -> None:
        self.release(PARKING)

    def waits_for(self, asking: Cell) -> Sequence[Cell]:
        """Those without whom it cannot go on, now that `asking` is about to wait, too."""
        return self.parked_on

    # -- for whoever looks ----------------------------------------------------------------

    @property
    def paused(self) -> bool:
        return bool(self.holds & PAUSED)

    @property
    def state(self) -> str:
        """One word: stopped, dead, parked, backoff, awaiting, committing, paused, running, queued
        or idle."""
        if self.mailbox.state == CLOSED:
            return "stopped"
        for reason, word in _STATES.items():
            if self.holds & reason:
                return word
        if self.paused:
            return "paused"
        if self.turn.step is not None:
            return "running"
        return "idle" if self.mailbox.state == IDLE else "queued"

    @property
    def unfinished(self) -> bool:
        """Whether something other than the mailbox is left to do."""
        return self.turn.frame is not None or bool(self.outbox) or bool(self.controls)

    @property
    def busy(self) -> int:
        """How many events it has: queued, and in hand."""
        return len(self.mailbox) + (self.turn.event is not None)

    def describe(self) -> str:
        """What it is at, for people: ``inventory: awaiting in reserve, 3 queued``."""
        words = [f"{self.name}: {self.state}"]
        if self.turn.step is not None:
            words[0] += f" in {getattr(self.turn.step, '__name__', self.turn.step)}"
        if self.turn.event is not None:
            words[0] += f" with {self.turn.event.type}"
        if self.parked_on:
            words[0] += f" on {', '.join(cell.name for cell in self.parked_on)}"
        if len(self.mailbox):
            words.append(f"{len(self.mailbox)} queued")
        if self.feed.lagging():
            words.append("lagging")
        return ", ".join(words)
