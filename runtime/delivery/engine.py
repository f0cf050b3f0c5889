"""The machinery of one system, in one place: what cells and turns need of each other.

No actors here: cells, turns, bus, clock and dispatcher work without any, and are tested so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from random import Random

from choreia.runtime.delivery.budget import Budget
from choreia.runtime.delivery.bus import Bus
from choreia.runtime.delivery.cases import Cases, event_of
from choreia.runtime.delivery.cell import DEAD, PAUSED, Cell
from choreia.runtime.delivery.clock import Clock
from choreia.runtime.delivery.deadletter import (
    DeadLetter,
    DeadLetters,
    format_error,
    let_go_of_frames,
    name_error,
)
from choreia.runtime.delivery.dispatcher import Dispatcher
from choreia.runtime.delivery.entrance import Entrance
from choreia.runtime.delivery.entrance import stopped_error as stopped_error
from choreia.runtime.delivery.failure import Failure
from choreia.runtime.delivery.feed import REJECTED
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.parking import ParkingLot
from choreia.runtime.delivery.progress import Progress
from choreia.runtime.errors import Deadlock, IdleTimeout
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event, make_event, make_metadata
from choreia.runtime.events.identity import IdSource, agent_did
from choreia.runtime.events.limits import CaseLimits, Limits
from choreia.runtime.events.payload import freeze

VITAL = frozenset({"agent.heartbeat", "agent.backpressure"})
CIRCLES_NAMED = 1_000
# A runtime event may quote a whole payload, which was held to the limit already.
_QUOTING = Limits(payload_bytes=2**31, payload_depth=100)


class Engine(Entrance):
    """Holds the parts, and does the few things that need several of them."""

    def __init__(
        self,
        clock: Clock,
        dispatcher: Dispatcher,
        *,
        node: str = "local",
        limits: CaseLimits | None = None,
        inherit: Sequence[str] = (),
        random: Random | None = None,
        cases: Cases | None = None,
    ) -> None:
        super().__init__(clock, dispatcher)
        self.node = node
        self.limits = limits or CaseLimits()
        self.inherit = tuple(dict.fromkeys((*inherit, "saga")))
        """Extensions that pass from cause to effect; that of sagas always does."""
        self.random = random or Random()
        self.ids = IdSource(clock.now, self.random.getrandbits)
        self.id = agent_did(node, "system")
        self.events_per_turn = 1 if dispatcher.simulated else 64
        """Under simulation one, so that the seed decides who comes between any two events."""
        self.log = logging.getLogger("choreia.system")
        self.lock = threading.Lock()
        self.bus: Bus = Bus(self)
        if cases is None and self.limits.counted:
            cases = Cases()
        self.cases = cases
        """Counts what is in flight of each case; None: nobody does."""
        self.budget: Budget | None = None
        """What cases may use, if that is limited."""
        if cases is not None and self.limits.counted:
            self.budget = Budget(self.limits, cases, self._tell_of_excess)
        self.lot = ParkingLot()
        self.letters = DeadLetters()
        self.on_failure: Callable[[Failure], None] | None = None
        """Told of each attempt that fails."""
        self.fencing = threading.Lock()
        """Decides whose a turn is; see `fencing.py`."""
        self.orphans: dict[Cell, str] = {}
        """Cells whose thread ended in their turn, and how: nobody serves them."""
        self.held: dict[int, Cell] = {}
        """Cells off the run queue that have something to go on with (or are paused)."""
        self.draining = False
        """Timers of agents do not fire any more."""
        self.elsewhere: Callable[[], bool] = lambda: False
        """Whether something is in flight that no cell has: on its way to a store."""
        self.timed = False
        """Whether somebody looks how long handlers take."""
        self._circles: set[tuple[str, ...]] = set()
        self._waiters: list[Gate] = []
        dispatcher.when_quiet(self.settled)

    # -- what the runtime says --------------------------------------------------------------

    def announce(
        self,
        type: str,
        payload: Mapping[str, object],
        source: str | None = None,
        cause: Event | None = None,
        *,
        always: bool = False,
    ) -> None:
        """Publish an event of the runtime's own. It blocks nobody; unwanted, it is not made, unless
        it is `always` to be there for whoever looks back."""
        if always or self.bus.wanted(type):
            self.bus.impose(self._made(type, payload, source, cause), vital=type in VITAL)

    def _made(
        self, type: str, payload: Mapping[str, object], source: str | None, cause: Event | None
    ) -> Event:
        id = self.ids.next()
        if cause is None:
            metadata = make_metadata(id, None)
        else:
            meta = cause.metadata
            correlation = meta.correlation_id or cause.id
            metadata = make_metadata(correlation, cause.id, hops=meta.hops + 1)
        frozen = freeze(payload, _QUOTING)
        return make_event(id, type, source or self.id, self.clock.now(), frozen, metadata)

    def pressure(self, cell: Cell, circle: Sequence[str] = ()) -> None:
        """`cell`'s mailbox refused something, or let it in to break a `circle`: say so, once."""
        box = cell.mailbox
        with box.lock:
            first = not box.pressured
            # It may have been worked off by now: then the next refusal is a new edge.
            box.pressured = bool(box.waiting) or len(box) > box.capacity // 2
            box.attention = box.attention or box.pressured
        if circle:
            with self.lock:
                named = tuple(circle)
                if named in self._circles or len(self._circles) >= CIRCLES_NAMED:
                    circle = ()
                else:
                    self._circles.add(named)
        if not first and not circle:
            return
        payload: dict[str, object] = {
            "agent": cell.name,
            "queue_size": len(box),
            "capacity": box.capacity,
            "dropped": box.dropped,
            "policy": getattr(cell.feed, "policy", "park"),
        }
        if circle:
            payload["cycle"] = list(circle)
        self.announce("agent.backpressure", payload, cell.id)

    def _tell_of_excess(self, event: Event, facts: Mapping[str, object]) -> None:
        self.log.error("case %s has used up its budget", plain(str(facts["correlation_id"]), 80))
        self.announce("case.budget_exceeded", facts, cause=event)

    # -- dead letters -----------------------------------------------------------------------

    def undeliverable(self, event: Event, cell: Cell, verdict: int) -> None:
        reason = "rejected" if verdict == REJECTED else "stopped"
        self.bury(event, cell, None, 0, reason)
        self.over(cell, event)

    @contextmanager
    def counted(self, cell: Cell, item: object) -> Generator[None, None, None]:
        """`item` is about to be given to `cell`, and to nobody else; not, when that raises."""
        event = event_of(item) if self.cases is not None and cell.holding else None
        if event is None or self.cases is None:
            yield
            return
        self.cases.more(event)
        try:
            yield
        except BaseException:
            self.cases.less(event)
            raise

    def over(self, cell: Cell, *items: object) -> None:
        """`cell` will not have `items` in hand any more, whatever became of them."""
        if self.cases is not None and cell.holding:
            events = [event for item in items if (event := event_of(item)) is not None]
            if events:
                self.cases.ended(events)

    def bury(
        self,
        item: object,
        cell: Cell,
        error: BaseException | None,
        attempts: int,
        reason: str,
        progress: Progress | None = None,
        where: str = "",
    ) -> None:
        """Make a dead letter of `item`, and let it be known. `where` stands in for the traceback
        of an error that nothing raised: the stack of a handler that hangs."""
        letter = self.letter(item, cell, error, attempts, reason, progress, where)
        cell.failed += 1
        self.letters.add(letter)
        notice = self.notice(letter, cell)
        if notice is not None:
            self.bus.impose(notice, vital=False)

    def letter(
        self,
        item: object,
        cell: Cell,
        error: BaseException | None,
        attempts: int,
        reason: str,
        progress: Progress | None,
        where: str,
    ) -> DeadLetter:
        event = item if isinstance(item, Event) else None
        letter = DeadLetter(
            event=event,
            agent=cell.agent,
            error=error,
            traceback=where or format_error(error),
            attempts=attempts,
            reason=reason,
            time=self.clock.now(),
            message=None if event is not None else item,
            progress=progress,
        )
        if error is not None:
            let_go_of_frames(error)
        return letter

    def notice(self, letter: DeadLetter, cell: Cell) -> Event | None:
        """The event that makes a dead letter known; None when nobody is to be told."""
        event = letter.event
        # A dead letter about a dead letter would never end; nor would agents that, told of a case
        # that went too far, say something that goes further still.
        if event is None or event.type == "event.dead_lettered":
            return None
        if event.metadata.hops > self.limits.hops + 1 or not self.bus.wanted("event.dead_lettered"):
            return None
        payload = {
            "event_id": event.id,
            "event_type": event.type,
            "agent": cell.agent,
            "agent_id": cell.id,
            "reason": letter.reason,
            "error": None if letter.error is None else name_error(letter.error),
            "attempts": letter.attempts,
            "payload": event.payload,
        }
        return self._made("event.dead_lettered", payload, cell.id, event)

    # -- settling ---------------------------------------------------------------------------

    def idle(self) -> bool:
        """Whether nothing is in flight: queued, running, awaiting, parked, backing off, blocked."""
        while (lull := self.dispatcher.lull()) is not None and not self.blocked:
            if any(_in_flight(cell) for cell in list(self.held.values())):
                return False
            if self.elsewhere():
                return False
            # What was held may have gone on meanwhile, and be held again: only an unbroken lull
            # counts.
            if self.dispatcher.lull() == lull:
                return True
        return False

    def settled(self) -> None:
        """Something ended that may have been the last: wake those who wait for idleness."""
        while self._waiters:
            # Taken before it is looked: who begins to wait afterwards has published something
            # that this look knows nothing of.
            with self.lock:
                waiters, self._waiters = self._waiters, []
            if self.idle():
                for gate in waiters:
                    gate.open()
                return
            with self.lock:
                self._waiters = waiters + self._waiters
            # Somebody else may have ended something while nobody seemed to wait.
            if not self.idle():
                return

    def when_idle(self) -> Gate:
        """A gate that opens when nothing is in flight any more."""
        gate = Gate()
        with self.lock:
            self._waiters.append(gate)
        self.settled()
        return gate

    def idle_timeout(self, timeout: float | None, cells: Sequence[Cell]) -> IdleTimeout:
        """The error that names what is in flight."""
        lines, shown = self._in_flight(cells)
        return IdleTimeout(
            f"still in flight after {timeout} s: "
            f"{shown or 'nothing now, but it was not idle before the time ran out'}",
            in_flight=tuple(lines),
        )

    def never_idle(self, cells: Sequence[Cell]) -> Deadlock:
        """The same under simulation, where it is known that waiting is in vain."""
        _, shown = self._in_flight(cells)
        return Deadlock(
            "the system cannot become idle: no agent can go on, and no timer is set. In flight: "
            f"{shown}"
        )

    def _in_flight(self, cells: Sequence[Cell]) -> tuple[list[str], str]:
        lines = [cell.describe() for cell in cells if cell.state not in ("idle", "stopped")]
        lines = [line for line in lines if not line.endswith(": paused")]
        lines += [f"{who}: blocked publisher" for who in list(self.blocked.values())]
        more = f"; and {len(lines) - 20} more" if len(lines) > 20 else ""
        return lines, "; ".join(lines[:20]) + more


def _in_flight(cell: Cell) -> bool:
    if cell.holds & ~(PAUSED | DEAD):
        return not (cell.holds & DEAD and cell.engine.draining)
    if cell.engine.draining:  # nobody will resume it any more
        return False
    return bool(len(cell.mailbox)) or cell.feed.lagging() or cell.unfinished
