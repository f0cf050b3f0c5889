"""What a class of participants declares, checked, and the handlers that follow from it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import attrs

from choreia.actors.agent import Agent
from choreia.actors.handlers import HandlerSpec, Topic, check_arguments, topic_of
from choreia.actors.sagas.delivery import SagaStep
from choreia.actors.sagas.marks import MARK, mark_of
from choreia.actors.sagas.records import StepState
from choreia.actors.sagas.wrapping import (
    Around,
    AroundCompensation,
    AroundJoin,
    AroundStep,
    give_up,
    turn_of,
    wrap,
)
from choreia.runtime.delivery.steps import Kind
from choreia.runtime.errors import InvalidAgent, StepFailed
from choreia.runtime.events.event import Event
from choreia.runtime.events.topic import TopicPattern

if TYPE_CHECKING:
    from choreia.actors.sagas.participant import SagaParticipant
    from choreia.runtime.delivery.steps import Handler

OWN_EVENTS = ("saga.deadline", "saga.compensated", "saga.resumed", "saga.stuck", "join.expired")
"""What participants say, whatever their class declares."""
_OWN_FIELDS = frozenset(
    {"agent", "event_id", "failure", "failure_type", "for", "record", "step", "owed", "error"}
)


def check_key(cls: type, key: str | None) -> None:
    """What a participant tells itself must come to the instance that it is about. Raises
    `InvalidAgent`."""
    if key is None or key in ("metadata.correlationId", "metadata.correlation_id"):
        return
    root, *segments = key.split(".")
    if root != "payload" or segments[0] in _OWN_FIELDS:
        raise InvalidAgent(
            f"{cls.__name__}: the key of a saga's participant is the correlation "
            "('metadata.correlationId') or a field of the payload other than "
            f"{', '.join(sorted(_OWN_FIELDS))}; not {key!r}"
        )


def check_names(cls: type[SagaParticipant]) -> None:
    """That what participants have is still there. Raises `InvalidAgent`."""
    if not callable(cls.failure):
        raise InvalidAgent(
            f"{cls.__name__}.failure must be a method: it gives the payload of what says that a "
            "step has failed"
        )
    if not isinstance(inspect.getattr_static(cls, "because"), property):
        raise InvalidAgent(
            f"{cls.__name__}.because: this name is SagaParticipant's own; call yours something else"
        )


def topics_of(cls: type[SagaParticipant], attribute: str) -> tuple[Topic, ...]:
    declared: object = getattr(cls, attribute)
    if isinstance(declared, (str, type)) or not isinstance(declared, Iterable):
        raise InvalidAgent(
            f"{cls.__name__}.{attribute} = {declared!r}: give a tuple, such as ({declared!r},)"
        )
    topics = (topic_of(one, None) for one in cast("Iterable[str | type]", declared))
    # A failure is handled as the event that it is, whatever its payload.
    failures = tuple(attrs.evolve(topic, payload_class=None) for topic in topics)
    for topic in failures:
        try:
            topic.pattern(cls)
        except InvalidAgent:
            raise InvalidAgent(
                f"{cls.__name__}.{attribute}: {topic.text!r} names what {cls.__name__} does not "
                "have; what its instances have is too late here"
            ) from None
    return failures


def check_step(cls: type[SagaParticipant], step: SagaStep, failures: bool) -> None:
    mark, where = step.mark, f"{cls.__name__}.{step.method}"
    if mark.compensate is not None:
        undo = inspect.getattr_static(cls, mark.compensate, None)
        if not inspect.isfunction(undo) or hasattr(Agent, mark.compensate):
            raise InvalidAgent(
                f"{where}: there is no method {mark.compensate!r} that could undo it (compensate)"
            )
        if mark_of(undo) is not None or mark.compensate == step.method:
            raise InvalidAgent(f"{where}: {mark.compensate!r} is a step itself (compensate)")
        check_arguments(cls, mark.compensate, undo, "compensation")
        if not failures:
            raise InvalidAgent(
                f"{where}: nothing would have it undone: say when, compensate_on = (…,)"
            )
        _check_not_undone_by_itself(cls, step)
    if cls.emits is None:
        return
    listed = [
        topic_of(one, None).pattern(cls) if isinstance(one, type) else TopicPattern(one)
        for one in cls.emits
    ]
    for type_ in mark.emits:
        if not any(pattern.matches(type_) for pattern in listed):
            raise InvalidAgent(f"{where} emits {type_!r}, which {cls.__name__}.emits does not list")


def _check_not_undone_by_itself(cls: type[SagaParticipant], step: SagaStep) -> None:
    for pattern in cls._choreia_compensate_on:
        for type_ in step.mark.emits:
            if pattern.matches(type_):
                raise InvalidAgent(
                    f"{cls.__name__}.{step.method}: {type_!r} says that it is done, and would have "
                    f"it undone at once (compensate_on = {pattern.pattern!r})"
                )


# -- the handlers of a class ------------------------------------------------------------------


def saga_specs(
    cls: type[SagaParticipant],
    specs: tuple[HandlerSpec, ...],
    failures: tuple[Topic, ...],
    withdrawals: tuple[Topic, ...],
) -> tuple[HandlerSpec, ...]:
    """First what turns a case back, so that a step which the same event would begin is refused."""
    steps = {step.method: step for step in cls._choreia_saga.steps}
    before: list[HandlerSpec] = []
    if failures or withdrawals:
        topics = (*failures, *withdrawals)
        before.append(HandlerSpec("withdraw", _withdraw, Kind.PLAIN, topics))
    woken = (Topic("saga.compensated", own=True), Topic("saga.resumed", own=True))
    # The last step first: most often that is the order in which they have to be undone.
    for step in reversed(steps.values()):
        if step.mark.compensate is not None:
            undo = cast("Handler", getattr(cls, step.mark.compensate))
            spec = HandlerSpec(step.mark.compensate, undo, Kind.of(undo), (*failures, *woken))
            before.append(_wrapped(spec, AroundCompensation(step)))
    own = [spec if spec.name not in steps else _marked(spec, steps[spec.name]) for spec in specs]
    after: list[HandlerSpec] = []
    if any(s.mark.deadline is not None or s.mark.within is not None for s in steps.values()):
        time_is_up = Topic("saga.deadline", own=True)
        after.append(HandlerSpec("time_is_up", _time_is_up, Kind.PLAIN, (time_is_up,)))
    return (*before, *own, *after)


def _around(step: SagaStep) -> Around:
    return AroundJoin(step) if step.mark.kind == "join" else AroundStep(step)


def _marked(spec: HandlerSpec, step: SagaStep) -> HandlerSpec:
    wrapped = _wrapped(spec, _around(step))
    setattr(wrapped.function, MARK, step.mark)
    return wrapped


def _wrapped(spec: HandlerSpec, around: Around) -> HandlerSpec:
    return attrs.evolve(spec, function=wrap(spec.function, spec.kind, around))


def _withdraw(agent: SagaParticipant, event: Event) -> None:
    """The case has failed, or is to: refuse what has not come yet."""
    turn = turn_of(agent)
    for step in agent._choreia_saga.steps:
        refusable = step.mark.kind == "pivot" or step.mark.compensate is not None
        if refusable and turn.record(step.name) is None:
            tombstone = turn.blank(step, StepState.TOMBSTONED)
            turn.note(attrs.evolve(tombstone, event_id=None, after=(), events=()))


def _time_is_up(agent: SagaParticipant, event: Event) -> None:
    """A step or a join has had its time: if it is not done, it has failed."""
    turn = turn_of(agent)
    name, of = event.payload.get("record"), event.payload.get("event_id")
    step = next((one for one in agent._choreia_saga.steps if one.name == name), None)
    record = None if step is None else turn.record(step.name)
    if step is None or record is None or record.state is not StepState.DOING:
        return
    if event.payload.get("agent") != turn.cell.name or record.until is None:
        return
    if step.mark.kind == "join":
        came = list(zip(step.mark.on, record.joined, strict=True))
        missing = [topic.text for topic, id in came if id is None]
        turn.note(attrs.evolve(record, state=StepState.FAILED, until=None, events=()))
        agent.emit(
            step.mark.expired or "join.expired",
            {"join": step.method, "agent": turn.cell.name, "missing": missing}
            | {"event_ids": [id for _, id in came if id is not None]},
        )
    elif record.event_id == of:
        give_up(agent, turn, step, record, StepFailed("deadline"))
