"""An agent's durable timers: they stand in the store, and are set on the clock while it is alive.

Firing is one unit: the timer is removed and its event appended, if it still stands. So whatever
happens in between (a crash, a turn that cancels it at that moment), it fires once in effect.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, cast

import orjson

from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.clock import Timer
from choreia.runtime.durable.journal import Entry
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.event import Event, make_event, make_metadata
from choreia.runtime.events.upcasting import upcast_if_possible
from choreia.runtime.stores.unit import CancelTimer, Outcome, SetTimer, Unit

if TYPE_CHECKING:
    from choreia.runtime.durable.bus import LogBus
    from choreia.runtime.durable.ledger import Ledger

AGAIN = 0.01
"""Seconds until a timer is looked at again whose agent is just beginning."""
LONGEST = 3_600.0
"""Seconds after which a timer that is far off looks at the wall clock again, which may have been
set meanwhile, or have gone on while the machine slept."""


class Repeats(Protocol):
    """Knows when a timer that repeats is due next."""

    def after_firing(self, timer: SetTimer, now: float) -> SetTimer | None:
        """The next one, once `timer` has fired; None when it does not repeat."""
        ...


class Alarms:
    """Of one agent, or of all members of a family. Thread-safe."""

    __slots__ = ("_bus", "_cell", "_lock", "_set", "repeats", "sourced", "teller")

    def __init__(self, cell: Cell, bus: LogBus) -> None:
        self._cell = cell
        self._bus = bus
        self._lock = threading.Lock()
        self._set: dict[tuple[str, str], tuple[SetTimer, Timer]] | None = {}
        self.repeats: Repeats | None = None
        self.sourced = False
        """Whether states are made of what they say."""
        self.teller: Callable[[str], Cell | None] = lambda agent: cell
        """The cell of the agent of that name; of a family the member, woken if need be."""

    def load(self, timers: Iterable[SetTimer]) -> None:
        """What an earlier run has left."""
        for timer in timers:
            self.set(timer)

    def set(self, timer: SetTimer) -> None:
        """It stands in the store: set it on the clock."""
        clock = self._cell.engine.clock
        delay = min(max(0.0, timer.due - clock.now()), LONGEST)
        with self._lock:
            if self._set is None:
                return
            before = self._set.pop((timer.agent, timer.key), None)
            self._set[timer.agent, timer.key] = (
                timer,
                clock.call_later(delay, lambda: self._due(timer)),
            )
        if before is not None:
            before[1].cancel()

    def cancel(self, key: str, agent: str | None = None) -> None:
        """`agent`: whose, if they are those of a family."""
        with self._lock:
            owner = self._cell.agent if agent is None else agent
            before = None if self._set is None else self._set.pop((owner, key), None)
        if before is not None:
            before[1].cancel()

    def rest(self) -> None:
        """The agent is gone; its timers stand in the store until it comes again."""
        with self._lock:
            left, self._set = self._set, None
        for _, timer in (left or {}).values():
            timer.cancel()

    def _due(self, timer: SetTimer) -> None:
        engine = self._cell.engine
        with self._lock:
            stands = None if self._set is None else self._set.get((timer.agent, timer.key))
            if stands is None or stands[0] is not timer or engine.draining:
                return
        now = engine.clock.now()
        if now < timer.due - 0.001:
            self.set(timer)
            return
        following = None if self.repeats is None else self.repeats.after_firing(timer, now)
        event = upcast_if_possible(fired(timer.event, now))  # it may be older than the code
        # A state is made of what its agent says, in the order of the log: so it says this itself,
        # and one that sleeps is woken for it.
        teller = self.teller(timer.agent) if self.sourced else None
        if teller is None or not self._have_said(teller, timer, event, following):
            self._submit(timer, event, following)

    def _have_said(
        self, cell: Cell, timer: SetTimer, event: Event, following: SetTimer | None
    ) -> bool:
        """Have the agent say it, now if it is at rest: False if it is not there any more."""
        if not cell.claim():
            return cell.post(lambda: self._say(cell, timer, event, following))
        self._say(cell, timer, event, following)
        ledger = cast("Ledger", cell.ledger)
        if ledger.pending:
            ledger.commit()
        if not cell.rest():
            cell.schedule(cell)
        return True

    def _say(self, cell: Cell, timer: SetTimer, event: Event, following: SetTimer | None) -> None:
        """In the agent's turn."""
        turn = cell.turn
        ledger = cast("Ledger | None", cell.ledger)
        if turn.starting or turn.interim or ledger is None or turn.fold is None:
            cell.engine.clock.call_later(AGAIN, lambda: self._due(timer))
            return
        with self._lock:
            stands = None if self._set is None else self._set.get((timer.agent, timer.key))
        if stands is None or stands[0] is not timer:
            return  # cancelled, or replaced, at the last moment
        try:
            turn.fold.said(event)
        except Exception as error:  # of the user's own: its state cannot take it
            turn.report(logging.ERROR, "%s is not said", event.type, exc_info=error)
            turn.bury(event, error, 1, "failed")
        else:
            cell.emitted += 1
            ledger.emit(event)
        if following is not None:
            ledger.set_timer(following)
        else:
            ledger.change(CancelTimer(timer.agent, timer.key))
            self._gone(timer)

    def _submit(self, timer: SetTimer, event: Event, following: SetTimer | None) -> None:
        unit = Unit(
            [event],
            [orjson.dumps(event.payload)],
            changes=() if following is None else (following,),
            fires=timer,
        )

        def tell(outcome: Outcome) -> None:
            if isinstance(outcome, ChoreiaError):
                return  # cancelled, or replaced, at the last moment
            self._cell.emitted += 1
            if following is not None:
                self.set(following)
            else:
                self._gone(timer)

        self._bus.journal.submit(Entry(unit, tell, patient=True))

    def _gone(self, timer: SetTimer) -> None:
        with self._lock:
            place = (timer.agent, timer.key)
            if self._set is not None and self._set.get(place, (None,))[0] is timer:
                del self._set[place]


def fired(event: Event, now: float) -> Event:
    """What a timer emits. It keeps cause and correlation and starts again at 0 hops: waiting is
    not looping."""
    meta = event.metadata
    metadata = make_metadata(
        meta.correlation_id, meta.causation_id, meta.version, 0, (), meta.extensions
    )
    return make_event(event.id, event.type, event.source, now, event.payload, metadata)
