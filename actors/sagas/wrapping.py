"""What stands around a marked method when it runs: whether it is its turn, and what came of it."""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncGenerator, Awaitable, Generator, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import attrs

from choreia.actors.sagas.book import Way
from choreia.actors.sagas.delivery import SagaStep
from choreia.actors.sagas.records import Place, StepRecord, StepState, extension_of, places_of
from choreia.actors.sagas.turn import SagaTurn
from choreia.runtime.delivery.steps import Handler, Kind
from choreia.runtime.errors import GiveUp, OutsideTurn, ReturnedValue, StepFailed
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event
from choreia.runtime.events.payload import EMPTY
from choreia.runtime.events.schema import structure, type_of, upcast

if TYPE_CHECKING:
    from choreia.actors.sagas.participant import SagaParticipant

T = TypeVar("T")

WITHDRAWN = "withdrawn"
"""The reason of a step that is refused: the case had failed before it came."""


class Around(Protocol):
    """What stands around one method."""

    def enter(self, agent: SagaParticipant, given: object) -> tuple[object, ...]:
        """The method's argument, as a tuple of one; an empty one when it is not to run."""
        ...

    def leave(self, agent: SagaParticipant, returned: object) -> None:
        """It has returned."""
        ...


def wrap(function: Handler, kind: Kind, around: Around) -> Handler:
    """`function`, of the same kind, with `around` around it."""
    if kind is Kind.COROUTINE:

        @functools.wraps(function)
        async def coroutine(agent: SagaParticipant, given: object) -> None:
            for argument in around.enter(agent, given):
                around.leave(agent, await cast("Awaitable[object]", function(agent, argument)))

        return coroutine
    if kind is Kind.GENERATOR:

        @functools.wraps(function)
        def generator(agent: SagaParticipant, given: object) -> Generator[object, None, None]:
            for argument in around.enter(agent, given):
                steps = cast("Generator[object, None, object]", function(agent, argument))
                around.leave(agent, (yield from steps))

        return generator
    if kind is Kind.ASYNC_GENERATOR:

        @functools.wraps(function)
        async def stream(agent: SagaParticipant, given: object) -> AsyncGenerator[object, None]:
            for argument in around.enter(agent, given):
                steps = cast("AsyncGenerator[object, None]", function(agent, argument))
                try:
                    async for said in steps:
                        yield said
                finally:
                    await steps.aclose()
                around.leave(agent, None)

        return stream

    @functools.wraps(function)
    def plain_call(agent: SagaParticipant, given: object) -> None:
        for argument in around.enter(agent, given):
            around.leave(agent, function(agent, argument))

    return plain_call


def turn_of(agent: SagaParticipant) -> SagaTurn:
    cell = agent._choreia_cell
    turn = None if cell is None else cell.turn
    if not isinstance(turn, SagaTurn):
        raise OutsideTurn(f"{type(agent).__name__}: a step runs in a turn of its agent")
    return turn


@attrs.frozen
class AroundStep:
    """A step, or a pivot."""

    step: SagaStep

    def enter(self, agent: SagaParticipant, given: object) -> tuple[object, ...]:
        turn, step, name = turn_of(agent), self.step, self.step.name
        delivery = turn.delivery
        before = turn.record(name)  # a store that cannot be read is no failure of the step
        delivery.current, delivery.undoing = name, False
        if name in delivery.failed:
            give_up(agent, turn, step, turn.blank(step, StepState.FAILED), delivery.failed[name])
        elif before is not None and not _again(turn, before):
            if before.state is StepState.TOMBSTONED and before.event_id is None:
                self._refuse(agent, turn)
            else:
                turn.report(logging.DEBUG, "%s: a duplicate, or too late", step.method)
        elif name in delivery.overdue:
            raise StepFailed("deadline")
        elif step.mark.kind == "pivot" and not turn.book.go_forward(
            delivery.case, turn.place(name)
        ):
            self._refuse(agent, turn)
        else:
            turn.watch(step)
            turn.emitter.standing = extension_of((turn.place(name),))
            return (given,)
        delivery.current = None
        return ()

    def leave(self, agent: SagaParticipant, returned: object) -> None:
        turn, step = turn_of(agent), self.step
        if returned is not None:
            _emit_returned(turn, step, returned)
        delivery = turn.delivery
        if step.name not in delivery.pending:
            due = delivery.due.get(step.name)
            if due is None and not step.mark.awaits:
                turn.report(
                    logging.WARNING,
                    "step %s has returned, and has said none of %s: it may never be done. Emit "
                    "one; or, if the answer comes later, declare what it awaits, or a deadline",
                    step.method, ", ".join(step.mark.emits),
                )  # fmt: skip
            turn.note(attrs.evolve(turn.blank(step, StepState.DOING), until=due))
            if due is not None:
                turn.remind(step.name, delivery.event.id, due)
        delivery.current = None
        turn.emitter.standing = EMPTY

    def _refuse(self, agent: SagaParticipant, turn: SagaTurn) -> None:
        """The case goes back already."""
        step = self.step
        turn.note(turn.blank(step, StepState.TOMBSTONED))
        turn.delivery.undoing = True  # what it says is no end of a step
        if step.mark.fails is not None:
            reason = agent.failure(step.method, turn.delivery.event, WITHDRAWN)
            _emit_failure(turn, step, reason)
        turn.delivery.undoing = False
        turn.report(logging.INFO, "%s is refused: its case has failed", step.method)


def _again(turn: SagaTurn, before: StepRecord) -> bool:
    """Whether it is a dead letter of this very step that comes back."""
    event = turn.delivery.event
    over = before.state in (StepState.FAILED, StepState.DOING)
    return over and before.owed and before.event_id == event.id and before.failure is None


def give_up(
    agent: SagaParticipant, turn: SagaTurn, step: SagaStep, record: StepRecord, why: BaseException
) -> None:
    """A step cannot be done: say so, or leave a dead letter. Past the pivot it is still owed."""
    turn.delivery.undoing = True  # what is said is no end of a step
    if turn.book.passed(turn.delivery.case):
        turn.note(attrs.evolve(record, state=StepState.DOING, until=None, owed=True))
        turn.stuck(step, record, why)
    elif step.mark.fails is None:
        turn.note(attrs.evolve(record, state=StepState.FAILED, until=None, owed=True))
        turn.dead(why, "gave_up" if isinstance(why, GiveUp) else "failed")
    else:
        turn.note(attrs.evolve(record, state=StepState.FAILED, until=None, owed=False))
        said: object = why.payload if isinstance(why, StepFailed) else None
        if said is None:
            event = next((one for one in turn.handled_by(record) if one is not None), None)
            reason = why.reason if isinstance(why, StepFailed) else f"{type(why).__name__}: {why}"
            said = agent.failure(step.method, event or turn.delivery.event, plain(reason, 1_000))
        _emit_failure(turn, step, said)
    turn.delivery.undoing = False


def _emit_failure(turn: SagaTurn, step: SagaStep, said: object) -> None:
    if isinstance(said, Mapping):
        turn.emit(step.mark.fails, cast("Mapping[str, object]", said))
    elif not isinstance(said, type) and type_of(said) is not None:
        turn.emit(said)
    else:
        raise ReturnedValue(
            f"step {step.method}: a {type(said).__name__} cannot say that it has failed: give "
            f"StepFailed, or return from failure(), a payload for {step.mark.fails!r}, or an "
            "instance of an @event_type class"
        )


def _emit_returned(turn: SagaTurn, step: SagaStep, returned: object) -> None:
    if isinstance(returned, Mapping):
        turn.emit(step.mark.emits[0], cast("Mapping[str, object]", returned))
    elif not isinstance(returned, type) and type_of(returned) is not None:
        turn.emit(returned)
    else:
        raise ReturnedValue(
            f"step {step.method} returned a {type(returned).__name__}: return a payload for "
            f"{step.mark.emits[0]!r}, or an instance of an @event_type class, or emit"
        )


@attrs.frozen
class AroundCompensation:
    """What undoes a step."""

    step: SagaStep

    def enter(self, agent: SagaParticipant, given: object) -> tuple[object, ...]:
        turn, step = turn_of(agent), self.step
        delivery = turn.delivery
        record, label = turn.record(step.name), f"undo {step.name}"
        failure = failure_of(turn)
        if record is None or failure is None:
            return ()
        if record.state is StepState.DOING and record.failure is None:
            # It may still be done, and is to be undone then.
            turn.note(attrs.evolve(record, owed=True, failure=failure))
        if record.state is not StepState.DONE:
            return ()
        delivery.current, delivery.undoing = label, True
        if label in delivery.failed:
            turn.note(attrs.evolve(record, owed=True, failure=None))
            turn.stuck(step, record, delivery.failed[label])
        else:
            heard = tuple(dict.fromkeys((*record.heard, *_heard(turn))))
            here = {*(turn.place(name) for name in delivery.undone), *heard}
            way = turn.book.go_back(delivery.case, turn.place(step.name), failure, record.key, here)
            if way is Way.GO:
                turn.emitter.answer(agent.because, step.name, delivery.event)
                return (given_to(turn, step, record),)
            if way is Way.WAIT:
                turn.note(attrs.evolve(record, owed=True, failure=failure, heard=heard))
            else:
                turn.report(logging.WARNING, "%s stays: the case is past its pivot", step.method)
                if record.owed:
                    turn.note(attrs.evolve(record, owed=False, failure=None))
        delivery.current, delivery.undoing = None, False
        return ()

    def leave(self, agent: SagaParticipant, returned: object) -> None:
        turn, step = turn_of(agent), self.step
        record = turn.record(step.name)
        if returned is not None or record is None:
            raise ReturnedValue(
                f"{step.mark.compensate} returned a {type(returned).__name__}: nobody would get "
                "it. Emit it"
            )
        delivery, failure = turn.delivery, failure_of(turn)
        undone = attrs.evolve(record, state=StepState.COMPENSATED, owed=False, failure=failure)
        turn.note(attrs.evolve(undone, heard=(), events=()))
        if failure is not None:
            delivery.undone[step.name] = failure
        turn.emitter.answered()
        delivery.current, delivery.undoing = None, False


def _heard(turn: SagaTurn) -> set[Place]:
    """What the event in hand says is undone."""
    event = turn.delivery.event
    agent, step = event.payload.get("agent"), event.payload.get("step")
    if event.type == "saga.compensated" and isinstance(agent, str) and isinstance(step, str):
        return {(agent, f"step:{step}")}
    return set()


def failure_of(turn: SagaTurn) -> tuple[str, str] | None:
    """Id and type of the failure that the event in hand is, or tells of."""
    event = turn.delivery.event
    if event.type not in ("saga.compensated", "saga.resumed"):
        return event.id, event.type
    id, type = event.payload.get("failure"), event.payload.get("failure_type")
    return (id, type) if isinstance(id, str) and isinstance(type, str) else None


def given_to(turn: SagaTurn, step: SagaStep, record: StepRecord) -> object:
    """What a step had been given. Raises `GiveUp` when nobody knows any more."""
    [event] = turn.handled_by(record) or (None,)
    if event is None:
        raise GiveUp(f"{step.method}: the event {record.event_id} that it handled cannot be found")
    return argument_of(turn, step, event)


def argument_of(turn: SagaTurn, step: SagaStep, event: Event) -> object:
    """What a method is given of `event`: its payload, typed, or the event itself."""
    event = upcast(event)
    for topic in step.mark.on:
        fits = topic.filter is None or topic.filter.matches(event)
        if fits and topic.pattern(turn.agent).matches(event.type):
            if topic.payload_class is not None:
                return structure(event, topic.payload_class)
            break
    return event


@attrs.frozen
class AroundJoin:
    """Several events of one case, together."""

    step: SagaStep

    def enter(self, agent: SagaParticipant, given: object) -> tuple[object, ...]:
        turn, step = turn_of(agent), self.step
        event, delivery = turn.delivery.event, turn.delivery
        record = turn.record(step.name)
        topics = step.mark.on
        if record is None:
            none = (None,) * len(topics)
            due = turn.engine.clock.now() + cast("float", step.mark.within)
            record = attrs.evolve(
                turn.blank(step, StepState.DOING), until=due, joined=none, events=none
            )
            turn.remind(step.name, event.id, due)
        place = self._place(turn, event, record)
        if record.state is not StepState.DOING or place is None:
            return ()
        if event.id in record.joined:
            return ()
        joined = _with(record.joined, place, event.id)
        events = _with(record.events, place, event) if turn.to_keep(event) else ()
        record = attrs.evolve(
            record,
            joined=joined,
            events=events,
            after=tuple(dict.fromkeys((*record.after, *places_of(event)))),
        )
        turn.note(record)
        if None in joined:
            return ()
        delivery.current = step.name
        turn.emitter.causes = tuple(id for id in joined if id is not None and id != event.id)
        turn.emitter.standing = extension_of(record.after) if record.after else EMPTY
        turn.forget_timer(step.name)
        return (self._together(turn, record),)

    def leave(self, agent: SagaParticipant, returned: object) -> None:
        turn, step = turn_of(agent), self.step
        record = turn.record(step.name)
        if returned is not None or record is None:
            raise ReturnedValue(
                f"join {step.method} returned a {type(returned).__name__}: nobody would get it. "
                "Emit it"
            )
        turn.note(attrs.evolve(record, state=StepState.DONE, until=None, events=()))
        turn.delivery.current = None
        turn.emitter.causes, turn.emitter.standing = (), EMPTY

    def _place(self, turn: SagaTurn, event: Event, record: StepRecord) -> int | None:
        """The first topic that has nothing yet, and that `event` is of."""
        for place, topic in enumerate(self.step.mark.on):
            fits = topic.filter is None or topic.filter.matches(event)
            free = record.joined[place] is None
            if free and fits and topic.pattern(turn.agent).matches(event.type):
                return place
        return None

    def _together(self, turn: SagaTurn, record: StepRecord) -> tuple[object, ...]:
        arguments: list[object] = []
        # What is in hand may not be found in a store by its id, if it was told.
        own = turn.delivery.event
        for topic, id, found in zip(
            self.step.mark.on, record.joined, turn.handled_by(record), strict=True
        ):
            event = own if id == own.id else found
            if event is None:
                raise GiveUp(f"{self.step.method}: the event {id} cannot be found")
            event = upcast(event)
            typed = topic.payload_class
            arguments.append(event if typed is None else structure(event, typed))
        return tuple(arguments)


def _with(values: tuple[T, ...], place: int, value: T) -> tuple[T, ...]:
    return (*values[:place], value, *values[place + 1 :])
