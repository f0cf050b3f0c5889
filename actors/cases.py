"""`system.case` and `system.cases`: how cases stand, whenever one asks.

Nobody keeps cases: a case is what its events, and what is in flight of it, say it is. With a store
that is read in the log, without one in what the system remembers (`runtime/insight/`); whether an
agent can go on is asked of who watches over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from choreia.actors.blocking import check_timeout, forbid_on_loop
from choreia.actors.interests import KINDS, interest_of
from choreia.actors.requests import refuse_in_turn
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.errors import CaseTimeout, ChoreiaError, SystemStopped, UnknownCase
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event, case_of
from choreia.runtime.insight import reading
from choreia.runtime.insight.listing import CaseSummary, check, some, summary
from choreia.runtime.insight.matching import Listeners
from choreia.runtime.insight.memory import Memory, beside_the_log
from choreia.runtime.insight.story import Delivery, Interest, State, Story
from choreia.runtime.insight.verdict import Verdict, Word, judge
from choreia.runtime.stores.base import Selection
from choreia.runtime.stores.unit import CaseRecord, SetTimer

if TYPE_CHECKING:
    from choreia.actors.record import Record
    from choreia.actors.roster import Roster
    from choreia.runtime.delivery.cases import Cases, Tally
    from choreia.runtime.delivery.cell import Cell

Records = Callable[[str], Sequence[CaseRecord]]
"""What agents keep about a case."""


class Board:
    """Looks cases up, for one system."""

    def __init__(self, roster: Roster, records: Records) -> None:
        self._roster = roster
        self.engine = roster.engine
        self._records = records
        self.waiting: set[Patience] = set()
        self.stopped = False

    # -- one case -----------------------------------------------------------------------------

    def case(self, which: Event | str) -> Case:
        """The case of that id, or of that event, or of the event of that id. Raises
        `UnknownCase`."""
        if not isinstance(which, (Event, str)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ChoreiaError(
                f"a case is named by its id, or by an event of it, not by {plain(repr(which), 80)}"
            )
        id = which if isinstance(which, str) else case_of(which)
        counts, bus = self.counts, self.engine.bus
        if isinstance(which, Event) and counts.find(id) is not None:
            return Case(self, id)
        if isinstance(bus, LogBus):
            return Case(self, reading.case_of(bus.store, id))
        if counts.find(id) is not None:
            return Case(self, id)
        for event in counts.trail():
            if event.id == which:
                return Case(self, case_of(event))
        raise UnknownCase(
            f"no case and no event {plain(id, 80)!r} is remembered here; system.cases() lists "
            "the cases that are",
            id=id,
        )

    def story(self, case: str) -> Story:
        """All that is known of it now."""
        bus = self.engine.bus
        if isinstance(bus, LogBus):
            told = reading.story(bus.store, case, run_from=bus.before_run)
            return attrs.evolve(told, deliveries=tuple(self._live(self._beside(bus, told))))
        memory = Memory(self.engine, self._roster.all(), case)
        return self._remembered(memory, self._interests(memory), case)

    def verdict(self, case: str) -> Verdict:
        return judge(self.story(case))

    def end(self) -> None:
        """The system has stopped: nobody waits any longer."""
        self.stopped = True
        for patience in list(self.waiting):
            patience.end()

    def in_flight(self, case: str) -> bool:
        """Whether something of it certainly is; a quick look."""
        return self.counts.in_flight(case)

    # -- all of them --------------------------------------------------------------------------

    def cases(self, verdict: str | None, limit: int) -> list[CaseSummary]:
        """The newest first; those of the runtime's own news are left out."""
        check(verdict, limit)
        return some(map(summary, self._stories(limit)), verdict, limit)

    def _stories(self, together: int) -> Iterable[Story]:
        bus = self.engine.bus
        if isinstance(bus, LogBus):
            for told in reading.Reading(bus.store, run_from=bus.before_run).newest(together):
                yield attrs.evolve(told, deliveries=tuple(self._live(self._beside(bus, told))))
            return
        self.counts  # noqa: B018  # raises when nothing is remembered
        memory = Memory(self.engine, self._roster.all())
        interests = self._interests(memory)
        listeners = Listeners(interests)
        for case, events in reversed(memory.by_case.items()):
            if not all(_is_news(recorded.event) for recorded in events):
                yield self._remembered(memory, interests, case, listeners)

    # -- without a store ----------------------------------------------------------------------

    @property
    def counts(self) -> Cases:
        """Raises `ChoreiaError` when nobody counts."""
        if self.engine.cases is None:
            raise ChoreiaError(
                "this system remembers nothing (ActorSystem(remember=0)): leave that out to look "
                "at cases"
            )
        return self.engine.cases

    def _remembered(
        self,
        memory: Memory,
        interests: tuple[Interest, ...],
        case: str,
        listeners: Listeners | None = None,
    ) -> Story:
        events = memory.by_case.get(case, [])
        heard = listeners or Listeners(interests)
        wanted = [
            (recorded, interest.agent, interest.passive)
            for recorded in events
            for interest in heard.of(recorded)
        ]
        tally = self.counts.find(case)
        forgotten = self.counts.forgotten and not any(one.event.id == case for one in events)
        return Story(
            case,
            tuple(events),
            interests,
            tuple(self._live(memory.deliveries(case, wanted))),
            tuple(self._timers(case)),
            (*self._records(case), *_noted(case, tally)),
            tally is not None and tally.events <= memory.said[case] and not forgotten,
            None if tally is None else tally.outcome,
        )

    def _interests(self, memory: Memory) -> tuple[Interest, ...]:
        """Who listens, and who did, from where to where in what is remembered."""
        places = {id(event): place for place, event in enumerate(memory.trail, 1)}
        found: list[Interest] = []
        for interest, since, until in self._roster.past:
            end = places.get(id(until), 0)
            if end:
                begin = places.get(id(since), 0)
                found.append(attrs.evolve(interest, since=begin, until=end))
        for cell in self._roster.all():
            if cell.kind in KINDS:
                record: Record = cell.owner
                begin = places.get(id(record.since), 0)
                found.append(attrs.evolve(interest_of(cell), since=begin))
        return tuple(found)

    def _timers(self, case: str) -> Iterable[SetTimer]:
        for cell in self._roster.all():
            record: Record = cell.owner
            for key, timer in list((record.timers or {}).items()):
                if timer.event is not None and case_of(timer.event) == case:
                    yield SetTimer(cell.name, key, timer.due, timer.event)

    # -- beside a log -------------------------------------------------------------------------

    def _beside(self, bus: LogBus, told: Story) -> Iterable[Delivery]:
        """How deliveries stand in the log, and those of which it knows nothing: to who has no
        cursor, and what was told."""
        cases, case = self.engine.cases, told.correlation_id
        if cases is None:
            return told.deliveries
        last = told.events[-1].position if told.events else 0
        # In this order: what is not routed yet is not counted; and what is counted no more has had
        # in the log all that came of it.
        flying = last > bus.routed or cases.in_flight(case)
        if not flying and last > bus.before_run:
            flying = bool(bus.store.page(last, 1, Selection(correlation_id=case)))
        losses = [one for one in cases.losses() if case_of(one[1]) == case]
        return beside_the_log(told, losses, self._roster.all(), flying=flying)

    # -- who can go on ------------------------------------------------------------------------

    def _live(self, deliveries: Iterable[Delivery]) -> Iterable[Delivery]:
        for one in deliveries:
            if one.state.over or not one.agent:
                yield one
                continue
            cell = self._roster.there(one.agent)
            state = one.state
            if state is State.LAGGING and cell is not None and _has_in_hand(cell, one.event_id):
                state = State.IN_HAND
            yield attrs.evolve(one, state=state, stuck=_why_stuck(cell))


class Case:
    """One case, as it stands whenever it is asked: everything with one correlation id."""

    def __init__(self, board: Board, id: str) -> None:
        self._board = board
        self.id = id

    @property
    def verdict(self) -> Verdict:
        """How it stands now: ``case.verdict.word`` is ``completed``, ``compensated``, ``died``,
        ``waiting``, ``stuck`` or ``running``."""
        return self._board.verdict(self.id)

    @property
    def outcome(self) -> Event | None:
        """The last of its events whose type some agent declares `terminal`."""
        return self.verdict.outcome

    @property
    def story(self) -> Story:
        """All that is known of it."""
        return self._board.story(self.id)

    @property
    def events(self) -> list[Event]:
        """Its events, in order."""
        return [recorded.event for recorded in self.story.events]

    def wait(self, timeout: float | None = None) -> Verdict:
        """Block until it is over, and give its verdict: ``completed``, ``compensated`` or ``died``.

        That is known at once. Raises `CaseTimeout` after `timeout` seconds, which says how it
        stands then, and `SystemStopped`.
        """
        refuse_in_turn("wait")
        check_timeout(timeout)
        forbid_on_loop("wait", "await case.wait_async(…)")
        with Patience(self._board, self.id, timeout) as patience:
            while (verdict := patience.look()) is None:
                patience.opened(patience.dispatcher.wait(patience.gate, patience.left()))
        return verdict

    async def wait_async(self, timeout: float | None = None) -> Verdict:
        """`wait`, awaiting."""
        refuse_in_turn("wait_async")
        check_timeout(timeout)
        with Patience(self._board, self.id, timeout) as patience:
            while (verdict := patience.look()) is None:
                gate, left = patience.gate, patience.left()
                patience.opened(await patience.dispatcher.wait_async(gate, left))
        return verdict

    def __repr__(self) -> str:
        return f"Case({plain(self.id, 80)!r})"


class Patience:
    """Somebody waits for the end of a case."""

    def __init__(self, board: Board, case: str, timeout: float | None) -> None:
        self._board = board
        self._case = case
        self.dispatcher = board.engine.dispatcher
        self._monotonic = board.engine.clock.monotonic
        self._timeout = timeout
        self._deadline = None if timeout is None else self._monotonic() + timeout
        self.gate = Gate()
        self._stop = board.counts.watch(case, self._look_again)

    def _look_again(self) -> None:
        self.gate.open()

    def look(self) -> Verdict | None:
        """The verdict, when the case is over."""
        self.gate = Gate()  # first: what ends from here on opens this one
        if self._board.in_flight(self._case):
            return None
        verdict = self._board.verdict(self._case)
        # Of a case that dies of it that the system stops it is not said that it died.
        if verdict.over and not (verdict.word is Word.DIED and self._board.engine.refusing):
            return verdict
        if self._board.stopped:
            raise SystemStopped(f"the system stopped before case {plain(self._case, 80)} was over")
        return None

    def left(self) -> float | None:
        return None if self._deadline is None else self._deadline - self._monotonic()

    def opened(self, opened: bool) -> None:
        if not opened:
            verdict = self._board.verdict(self._case)
            raise CaseTimeout(
                f"case {plain(self._case, 80)} is not over after {self._timeout} s: it is "
                f"{verdict.word.value} ({verdict.reason})",
                correlation_id=self._case,
                verdict=verdict,
            )

    def __enter__(self) -> Patience:
        self._board.waiting.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._board.waiting.discard(self)
        self._stop()

    def end(self) -> None:
        """The system has stopped."""
        self.gate.open()


def _noted(case: str, tally: Tally | None) -> Iterable[CaseRecord]:
    notes = {} if tally is None else dict(tally.notes)
    return [CaseRecord(agent, case, name, value) for (agent, name), value in notes.items()]


def _is_news(event: Event) -> bool:
    """Whether the runtime says it of its agents, or of itself, on no occasion of theirs."""
    return event.type.startswith(("agent.", "system.")) and event.metadata.causation_id is None


def _has_in_hand(cell: Cell, event_id: str) -> bool:
    event = cell.turn.event
    return event is not None and event.id == event_id


def _why_stuck(cell: Cell | None) -> str:
    if cell is None:
        return "no agent of that name runs"
    record: Record = cell.owner
    if cell.paused:
        return "it is paused"
    suspicion = None if record.watch is None else record.watch.suspicion
    if suspicion is None:
        return "its thread has ended" if cell.state == "dead" else ""
    return f"it is {suspicion.reason}"
