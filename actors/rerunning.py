"""The rest of history, run once more: in a simulation that keeps to the order in which it happened.

An agent's answers follow from what it handles and in which order, and that order is the log's. So a
run that has its log in the same order says the same. The score for that is the log itself: it tells
which answer came when, and an agent may handle an event when its answer is due, and not before.
What the log knows no answer to is handled at once: it was handled in silence, or it is new.

Time is the log's, too: it is moved on to when each thing was said, and a timer that fired between
two events fires between them again, though it may be due a little earlier here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any, cast

from choreia.actors.branching import Branch, news
from choreia.actors.recognising import Recogniser
from choreia.actors.system import ActorSystem
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.context import running_turn
from choreia.runtime.delivery.dispatcher import Runnable
from choreia.runtime.errors import MailboxFull
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.simulation.clock import SimulatedClock
from choreia.runtime.simulation.dispatcher import SimulatedDispatcher
from choreia.runtime.stores.memory import MemoryStore

A_HAIR = 0.000_000_1
"""Seconds by which a timer that is to fire may miss its time, as floating point goes."""
JUST_BEFORE = 0.002
"""Seconds by which time stops short of a timer that is not to fire yet; it may be early by half of
that."""


class Score:
    """What was said when, and how far the rerun has come in it."""

    def __init__(self, branch: Branch, store: MemoryStore) -> None:
        self._store = store
        self._after = branch.at - 1
        stood = branch.past.log[branch.at - 1]
        log = (stood, *branch.kept, *branch.ahead)
        self.recogniser = Recogniser(log)
        self.place = 0.0
        """Answers are due up to this position of the log that stood."""
        self.fresh: list[tuple[Recorded, Recorded | None]] = []
        """What the rerun has in its log, each with what it was before; without news."""
        self._answers: dict[tuple[str, str], int] = {}
        for one in branch.ahead:
            cause = branch.in_hand(one.event)
            if cause is not None and not branch.past.fires(one.event):
                place = 0 if _took_several_attempts(one.event) else one.position
                self._answers.setdefault((one.event.source, cause), place)

    def read_on(self) -> None:
        """Take note of what was said meanwhile."""
        for one in self._store.page(self._after, self._store.head - self._after):
            self._after = one.position
            if not news(one):
                self.fresh.append((one, self.recogniser.show(one.event)))

    def due(self, agent: str, event: Event) -> bool:
        """Whether the agent may handle `event` now."""
        if self._store.head > self._after:
            self.read_on()
        return self._answers.get((agent, self.recogniser.id_of(event.id)), 0) <= self.place

    def may_take(self, cell: Cell) -> bool:
        """Whether an agent may take what is next in its mailbox."""
        items = cell.mailbox.items
        item = next(iter(items), None) if items else None
        event = item.event if isinstance(item, Recorded) else item
        return item is not None and (not isinstance(event, Event) or self.due(cell.id, event))


class Withheld(set[Runnable]):
    """For the dispatcher: who gets no turn, for nothing that it has before it is due."""

    def __init__(self, score: Score) -> None:
        super().__init__()
        self._score = score

    def __bool__(self) -> bool:
        return True

    def __contains__(self, runnable: object) -> bool:
        cell = cast("Cell", runnable)
        box = cell.mailbox
        return not cell.interrupt and bool(box.items) and not self._score.may_take(cell)


class Pace(Random):
    """The chance of the rerun, which leaves it nothing to decide of the length of a turn: that is
    one event, if it is due, and otherwise none."""

    score: Score

    def randrange(self, *given: Any, **named: Any) -> int:
        turn = running_turn()
        return 0 if turn is None or self.score.may_take(turn.cell) else -1


def conduct(system: ActorSystem, score: Score, seed: int) -> None:
    """Have the agents of a simulated system keep to the score."""
    # The run before may have had the same seed, and an id that is drawn twice is refused.
    system._engine.random.seed(f"fork {seed}")
    pace = Pace(seed)
    pace.score = score
    system._engine.random = pace
    dispatcher = cast("SimulatedDispatcher", system._dispatcher)
    dispatcher.withheld = Withheld(score)


def set_clock(system: ActorSystem, time: float) -> None:
    """Have time begin at a moment (Unix seconds), before anything has happened."""
    cast("SimulatedClock", system.clock).go_on_from(time)


class Rerun:
    """Takes a system through what lies ahead of a branch."""

    def __init__(self, system: ActorSystem, branch: Branch, store: MemoryStore) -> None:
        self._system = system
        self._branch = branch
        self._store = store
        self.score = Score(branch, store)
        self._firing = {
            _tick(one.event) or one.event.id: one.position
            for one in reversed(branch.ahead)
            if branch.past.fires(one.event)
        }
        """When the next of each timer fires, by the event's id or the ticks' type."""

    def run(self) -> None:
        """Until all that was ahead has happened, and nothing more follows from it."""
        for recorded in self._script():
            self.score.place = recorded.position
            self._wait_for(recorded)
            if self._branch.past.player(recorded.event) is None:
                self._publish(recorded)
            self._system.advance(0)
        self.score.place = math.inf
        self._system.wait_idle()
        self.score.read_on()

    def _script(self) -> Iterator[Recorded]:
        branch = self._branch
        if not branch.copied:
            stood = branch.past.log[branch.at - 1]
            yield Recorded(stood.position, branch.event, stood.at)
        yield from branch.ahead

    # -- time -------------------------------------------------------------------------------------

    def _wait_for(self, recorded: Recorded) -> None:
        """Let it be the time at which it happened."""
        event, past = recorded.event, self._branch.past
        if past.fires(event):
            self._fire(event)
            return
        said = past.player(event) is not None
        time = min(event.timestamp, recorded.at) if said else recorded.at
        self._advance_to(min(time, self._next_to_fire(recorded.position)))

    def _fire(self, event: Event) -> None:
        timers = self._store.timers()
        tick = _tick(event)
        for timer in timers:
            if timer.event.id == event.id or (tick and _tick(timer.event) == tick):
                self._advance_to(timer.due + A_HAIR)
                return

    def _next_to_fire(self, place: int) -> float:
        """Just before the first timer that is to fire, but not yet."""
        later = [
            timer.due for timer in self._store.timers() if self._firing_of(timer.event) > place
        ]
        return min(later, default=math.inf) - JUST_BEFORE

    def _firing_of(self, event: Event) -> int:
        known = self._firing.get(event.id, 0)
        return known or self._firing.get(_tick(event) or "", 0)

    def _advance_to(self, time: float) -> None:
        self._system.advance(max(0.0, time - self._system.clock.now()))

    # -- what comes from outside ------------------------------------------------------------------

    def _publish(self, recorded: Recorded) -> None:
        cause = recorded.event.metadata.causation_id
        if recorded.erased or (cause is not None and not self._happened(cause)):
            return
        try:
            self._system.publish(recorded.event, timeout=0)
        except MailboxFull:  # somebody has more before it than its `max_lag` lets it
            self.score.place, place = math.inf, self.score.place
            self._system.publish(recorded.event)
            self.score.place = place

    def _happened(self, cause: str) -> bool:
        """Who answers something that was never said, says nothing. What the log does not know
        happened elsewhere."""
        self.score.read_on()
        known = self.score.recogniser
        return cause in known.found or not known.knows(cause)


def _took_several_attempts(event: Event) -> bool:
    """Whether it tells of a dead letter for which there was some waiting: then its handler had
    begun long before."""
    return event.type == "event.dead_lettered" and event.payload.get("attempts", 0) > 1


def _tick(event: Event) -> str | None:
    """The type of the ticks that it is one of."""
    return event.type if event.metadata.causation_id is None else None
