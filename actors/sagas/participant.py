"""`SagaParticipant`: an agent that takes steps of cases, and knows how to undo them."""

from __future__ import annotations

from typing import Any, ClassVar

from choreia.actors.agent import Agent
from choreia.actors.handlers import HandlerSpec
from choreia.actors.sagas.declaring import (
    OWN_EVENTS,
    check_names,
    check_step,
    saga_specs,
    topics_of,
)
from choreia.actors.sagas.delivery import Saga, SagaStep
from choreia.actors.sagas.marks import mark_in
from choreia.actors.sagas.wrapping import failure_of, turn_of
from choreia.runtime.events.event import Event
from choreia.runtime.events.topic import TopicPattern


class SagaParticipant(Agent):
    """Derive from it (and from ``EventSourcedAgent[State]`` too, if you like, behind it), and mark
    methods with `@step`, `@pivot` or `@join`.

    `compensate_on`: topics of the failures of a case at which what this agent has done for it is
    undone. It undoes its own steps, in reverse causal order; where a done step of another agent
    stands on them, and is to be undone by the same failure, it waits for that. A step that comes
    after the failure is refused. `withdraw_on`: topics at which steps that have not been taken will
    be refused, while those that are done stay.

    An agent keeps one record for each case and step. Without a store records live as long as the
    system; with one they are committed with what the agent emits, and are there after a restart.
    """

    __slots__ = ()

    compensate_on: ClassVar[tuple[str | type, ...]] = ()
    withdraw_on: ClassVar[tuple[str | type, ...]] = ()

    _choreia_saga: ClassVar[Saga] = Saga()
    _choreia_compensate_on: ClassVar[tuple[TopicPattern, ...]] = ()
    _choreia_withdraw_on: ClassVar[tuple[TopicPattern, ...]] = ()

    def failure(self, step: str, event: Event, reason: str) -> Any:
        """The payload of what says that `step` has failed (its `fails`), where `StepFailed` gives
        none: a mapping, or an instance of an `@event_type` class. Override it."""
        return {"step": step, "reason": reason}

    @property
    def because(self) -> Event | None:
        """In a method that undoes a step: the event that the case failed with."""
        turn = turn_of(self)
        failure = None if turn.event is None else failure_of(turn)
        return None if failure is None else turn.because(failure)

    # -- what a class is made of ------------------------------------------------------------

    @classmethod
    def _choreia_specs(cls) -> tuple[HandlerSpec, ...]:
        specs = super()._choreia_specs()
        check_names(cls)
        failures = topics_of(cls, "compensate_on")
        withdrawals = topics_of(cls, "withdraw_on")
        cls._choreia_compensate_on = tuple(topic.pattern(cls) for topic in failures)
        cls._choreia_withdraw_on = tuple(topic.pattern(cls) for topic in withdrawals)
        on = tuple(pattern.pattern for pattern in cls._choreia_compensate_on)
        steps = tuple(
            SagaStep(spec.name, mark, on)
            for spec in specs
            if (mark := mark_in(cls, spec.name)) is not None
        )
        for step in steps:
            check_step(cls, step, bool(failures))
        cls._choreia_saga = Saga.of(steps)
        return saga_specs(cls, specs, failures, withdrawals)

    @classmethod
    def _choreia_more(cls) -> tuple[str, ...]:
        marks = [step.mark for step in cls._choreia_saga.steps]
        said = (one for mark in marks for one in (mark.fails, mark.expired) if one is not None)
        return (*OWN_EVENTS, *said)
