"""The records of a moment of a log, from what was said until then.

A store keeps how steps stand now, not how they stood. But each agent hears the log in its order,
and what it did with what it heard it said. (What left no trace, a compensation that says nothing,
counts as still to be done.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from choreia.actors.agent import Agent
from choreia.actors.handlers import Topic
from choreia.actors.reconstructing import name_in
from choreia.actors.sagas.delivery import SagaStep
from choreia.actors.sagas.participant import SagaParticipant
from choreia.actors.sagas.records import Place, StepRecord, StepState, places_of
from choreia.runtime.events.event import Event, case_of
from choreia.runtime.events.keypath import key_reader, spelled
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.stores.unit import KeepRecord

WOKEN = ("saga.compensated", "saga.resumed")
Heard = Callable[[str, int], bool]
"""Whether the agent of that name had handled what stands at that position."""


def rebuilt(
    cast: Mapping[str, type[Agent]], log: Iterable[Recorded], heard: Heard
) -> Iterator[KeepRecord]:
    """How the steps of all participants of `cast` stood at the end of `log`."""
    players = {name: cls for name, cls in cast.items() if issubclass(cls, SagaParticipant)}
    if not players:
        return
    book = _Rebuilding(players)
    for recorded in log:
        for name in players:
            if heard(name, recorded.position):
                book.hear(name, recorded.event)
        book.say(recorded.event)
    for (case, place), record in book.records.items():
        yield KeepRecord(place[0], case, place[1], record.value())


class _Rebuilding:
    def __init__(self, players: Mapping[str, type[SagaParticipant]]) -> None:
        self._players = players
        self._events: dict[str, Event] = {}
        """All that was said, by id."""
        self._heard: set[tuple[str, str]] = set()
        """By whom, and which."""
        self.records: dict[tuple[str, Place], StepRecord] = {}

    def hear(self, name: str, event: Event) -> None:
        if (name, event.id) in self._heard:
            return
        self._heard.add((name, event.id))
        cls = self._players[name]
        agent = name
        if event.type in WOKEN and event.payload.get("for") != name:
            return
        if cls.key is not None:
            key = key_reader(cls.key)(event)
            if key is None:
                return
            agent = f"{name}:{spelled(key)}"
        fails = _matches(cls._choreia_compensate_on, event)
        withdrawn = fails or _matches(cls._choreia_withdraw_on, event)
        for step in cls._choreia_saga.steps:
            record = self.records.get((case_of(event), (agent, step.name)))
            after = self._after(cls, agent, step, record, event, fails, withdrawn)
            if after is not None:
                self.records[case_of(event), after.place] = after

    def _after(
        self,
        cls: type[SagaParticipant],
        agent: str,
        step: SagaStep,
        record: StepRecord | None,
        event: Event,
        fails: bool,
        withdrawn: bool,
    ) -> StepRecord | None:
        """How a step stands when `event` has been heard."""
        refusable = step.mark.kind == "pivot" or step.mark.compensate is not None
        if record is not None and record.owed and _tells_of(event, record):
            upper = str(event.payload.get("agent")), f"step:{event.payload.get('step')}"
            record = attrs.evolve(record, heard=(*record.heard, upper))
        if fails and record is not None and record.compensates:
            if record.state in (StepState.DOING, StepState.DONE) and record.failure is None:
                record = attrs.evolve(record, owed=True, failure=(event.id, event.type))
        elif withdrawn and record is None and refusable:
            record = attrs.evolve(_blank(cls, agent, step, event), state=StepState.TOMBSTONED)
            record = attrs.evolve(record, event_id=None, after=())
        place = _place(cls, step.mark.on, event, record)
        if place is None:
            return record
        if step.mark.kind == "join":
            record = record or _blank(cls, agent, step, event)
            if record.state is not StepState.DOING:
                return record
            joined = (*record.joined[:place], event.id, *record.joined[place + 1 :])
            state = StepState.DOING if None in joined else StepState.DONE
            after = tuple(dict.fromkeys((*record.after, *places_of(event))))
            return attrs.evolve(record, joined=joined, state=state, after=after)
        if record is None:
            return _blank(cls, agent, step, event)
        if record.state is StepState.TOMBSTONED and record.event_id is None:
            return attrs.evolve(record, event_id=event.id, after=places_of(event))
        return record

    def say(self, event: Event) -> None:
        self._events[event.id] = event
        agent = name_in(event.source) or ""
        name, case = agent.partition(":")[0], case_of(event)
        cls = self._players.get(name)
        if cls is None:
            return
        meta = event.metadata
        cause = self._events.get(meta.causation_id or "")
        for id in (*meta.causes, meta.causation_id or ""):
            if id in self._events:  # it has answered that
                self.hear(name, self._events[id])
        steps = cls._choreia_saga.by_emission.get(event.type, ())
        for step in steps:
            record = self.records.get((case, (agent, step.name)))
            if record is not None and record.state is StepState.DOING:
                failed = event.type == step.mark.fails
                state = StepState.FAILED if failed else StepState.DONE
                owed = record.owed and not failed
                self.records[case, record.place] = attrs.evolve(
                    record, state=state, until=None, owed=owed
                )
        if cause is None or steps or event.type.startswith("saga."):
            return
        if cause.type in WOKEN or _matches(cls._choreia_compensate_on, cause):
            self._undone(cls, agent, case, _failure(cause))

    def _undone(
        self, cls: type[SagaParticipant], agent: str, case: str, failure: tuple[str, str]
    ) -> None:
        for step in cls._choreia_saga.steps:
            record = self.records.get((case, (agent, step.name)))
            if record is not None and record.compensates and record.state is StepState.DONE:
                self.records[case, record.place] = attrs.evolve(
                    record, state=StepState.COMPENSATED, owed=False, failure=failure, tells=True
                )


def _blank(cls: type[SagaParticipant], agent: str, step: SagaStep, event: Event) -> StepRecord:
    mark, undone = step.mark, step.mark.compensate is not None
    seconds = mark.deadline if mark.within is None else mark.within
    return StepRecord(
        agent,
        step.name,
        StepState.DOING,
        event.id,
        mark.kind,
        undone,
        places_of(event),
        step.on if undone else (),
        until=None if seconds is None else event.timestamp + seconds,
        awaits=mark.awaits,
        key=cls.key,
        joined=(None,) * len(mark.on) if mark.kind == "join" else (),
    )


def _failure(cause: Event) -> tuple[str, str]:
    """What the case failed with, as far as what was heard tells."""
    if cause.type not in WOKEN:
        return cause.id, cause.type
    return str(cause.payload.get("failure")), str(cause.payload.get("failure_type"))


def _tells_of(event: Event, record: StepRecord) -> bool:
    """Whether it says that something is undone which a step has to wait for."""
    failure = None if record.failure is None else record.failure[0]
    return event.type == "saga.compensated" and event.payload.get("failure") == failure


def _matches(patterns: tuple[TopicPattern, ...], event: Event) -> bool:
    return any(pattern.matches(event.type) for pattern in patterns)


def _place(
    cls: type, topics: tuple[Topic, ...], event: Event, record: StepRecord | None
) -> int | None:
    """The first of `topics`, of those that a join still waits for, that selects `event`."""
    for place, topic in enumerate(topics):
        came = record is not None and record.joined and record.joined[place] is not None
        fits = topic.filter is None or topic.filter.matches(event)
        if not came and fits and not topic.templated and topic.pattern(cls).matches(event.type):
            return place
    return None
