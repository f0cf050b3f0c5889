"""One event, in the hands of one agent: its handlers run, are retried, and at last given up.

All of it in frames (see `frames.py`): generators that `yield` where they must wait.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, cast

from choreia.runtime.delivery.behaviour import Frame, Reply, Waiting
from choreia.runtime.delivery.bounds import Cancelled, Stopwatch
from choreia.runtime.delivery.cell import BACKING_OFF
from choreia.runtime.delivery.coroutines import stream, wait_for
from choreia.runtime.delivery.deadletter import format_error, name_error
from choreia.runtime.delivery.progress import Progress
from choreia.runtime.delivery.retry import PERMANENT
from choreia.runtime.delivery.saying import say
from choreia.runtime.delivery.steps import Kind, Plan, Step
from choreia.runtime.errors import HopLimit, ReturnedValue, Unhandled
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event
from choreia.runtime.events.schema import structure
from choreia.runtime.events.upcasting import UPCAST, upcast

if TYPE_CHECKING:
    from choreia.runtime.delivery.turn import Turn


def deliver(
    turn: Turn,
    event: Event,
    plan: Plan,
    *,
    routed: bool = True,
    progress: Progress | None = None,
    attempt: int = 1,
    reply: Reply | None = None,
    then: Callable[[], None] | None = None,
) -> Frame:
    """Handle `event`; `routed` events are known to match, told ones must be looked at."""
    turn.event, turn.progress, turn.attempt = event, progress, attempt
    if progress is not None:
        progress.new_attempt()
    budget = turn.engine.budget
    refusal = None if budget is None else budget.refusal(event)
    if refusal is not None:
        turn.bury(event, refusal, 0, "budget", progress)
        if reply is not None:
            reply.set_exception((type(refusal), refusal, None))
        return
    yield from _attempts(turn, event, plan, None, routed, reply)
    if then is not None:
        then()


def recover(
    turn: Turn, event: Event, plan: Plan, error: BaseException | None, returned: object = None
) -> Frame:
    """Go on after the quick path's first attempt at `event` failed, or returned something."""
    step = plan.steps[0]
    if error is None and step.may_return:  # a coroutine, from a function that is not `async def`
        try:
            coroutine = cast("Coroutine[object, object, object]", returned)
            yield from wait_for(turn, coroutine, step.limits)
        except GeneratorExit:
            raise
        except Cancelled as end:
            _cancelled(turn, event, end, None)
            return
        except BaseException as failure:
            error = failure
        else:
            yield from _finish(turn)
            return
    if error is None:
        error = _returned(step, returned)
    yield from _attempts(turn, event, plan, error, True, None)


def _attempts(
    turn: Turn,
    event: Event,
    plan: Plan,
    error: BaseException | None,
    routed: bool,
    reply: Reply | None,
) -> Frame:
    while True:
        if error is None:
            try:
                yield from _run(turn, event, plan, routed)
                break
            except GeneratorExit:
                raise
            except Cancelled as end:
                _cancelled(turn, event, end, reply)
                return
            except BaseException as failure:
                error = failure
        if turn.fenced:
            raise error  # whoever fenced it has seen to the event
        turn.drop()
        turn.failed(error, getattr(turn.step, "__name__", str(turn.step)))
        wait = turn.wait(error)
        if wait is None:
            if turn.rescue(error):
                error = None
                continue
            _give_up(turn, event, error, reply)
            return
        turn.report(
            logging.WARNING,
            "attempt %d of %d at %s %s failed, next in %.3g s: %s",
            turn.attempt, turn.retry.attempts, event.type, plain(event.id), wait,
            plain(name_error(error)),
        )  # fmt: skip
        error = None
        turn.tried(event)
        if wait > 0:
            yield from _back_off(turn, wait)
        turn.attempt += 1
        yield from turn.retrying(event)
        if turn.progress is not None:
            turn.progress.new_attempt()
    yield from _finish(turn)
    if reply is not None:
        turn.answer(reply)


def _cancelled(turn: Turn, event: Event, end: Cancelled, reply: Reply | None) -> None:
    """An event that its handler's `cancel_on` names made it moot: no failure, and no second try."""
    turn.drop()
    turn.cell.handled += 1
    turn.report(
        logging.INFO, "%s %s was cancelled by %s", event.type, plain(event.id), end.event.type
    )
    if reply is not None:
        turn.answer(reply)


def _finish(turn: Turn) -> Frame:
    turn.leaving = True
    turn.send_off()
    turn.cell.handled += 1
    yield from turn.drain()


def _give_up(turn: Turn, event: Event, error: BaseException, reply: Reply | None) -> None:
    permanent = isinstance(error, (*PERMANENT, *turn.retry.give_up_on))
    reason = "failed"
    if isinstance(error, Unhandled):
        reason = "unhandled"
    elif isinstance(error, HopLimit):
        reason = "hops"
    elif permanent:
        reason = "gave_up"
    text, traceback = format_error(error), error.__traceback__
    turn.bury(event, error, turn.attempt, reason, turn.progress)
    if reply is not None:
        reply.set_exception((type(error), error, traceback))
    turn.report(
        logging.ERROR,
        "%s %s is a dead letter after %d of %d attempts:\n%s",
        event.type, plain(event.id), turn.attempt, turn.retry.attempts,
        "\n".join(plain(line) for line in text.splitlines()),
    )  # fmt: skip
    turn.ear.gave_up()


def _back_off(turn: Turn, wait: float) -> Frame:
    cell = turn.cell
    cell.hold(BACKING_OFF)
    timer = turn.engine.clock.call_later(wait, lambda: cell.release(BACKING_OFF))
    try:
        yield
    finally:
        timer.cancel()


def _run(turn: Turn, event: Event, plan: Plan, routed: bool) -> Frame:
    if event.type in UPCAST:  # a dead letter's from a store, or one whose upcaster fails
        event = turn.event = upcast(event)
    certain = routed and len(plan.steps) == 1
    ran = False
    for step in plan.steps:
        if step.filter is not None and not certain and not step.filter.matches(event):
            continue
        ran = True
        turn.step = step.call
        most = step.limits.max_hops
        if most is not None and event.metadata.hops > most:
            raise _too_far(turn, step, event, most)
        argument: object = event
        if step.payload_class is not None:
            argument = turn.lend(structure, event, step.payload_class)
        result = yield from _call(turn, step, argument)
        if result is not None and not step.may_return:
            raise _returned(step, result)
    if not ran:
        raise Unhandled(
            f"agent {turn.cell.name!r} has no handler that matches {event.type!r}: it was told "
            "this event directly; subscribe with @on, or publish it"
        )


def _too_far(turn: Turn, step: Step, event: Event, most: int) -> HopLimit:
    return HopLimit(
        f"{event.type} comes to {turn.cell.name}.{step.name} after {event.metadata.hops:,} hops, "
        f"and @on(…, max_hops={most}) allows no more: do these agents answer each other for ever?"
    )


def _call(turn: Turn, step: Step, argument: object) -> Waiting:
    limits = step.limits
    if step.kind is Kind.ASYNC_GENERATOR:
        result = turn.lend(step.call, turn.agent, argument)
        return (yield from stream(turn, cast("AsyncGenerator[object, None]", result), limits))
    if step.kind is Kind.COROUTINE:
        result = turn.lend(step.call, turn.agent, argument)
        coroutine = cast("Coroutine[object, object, object]", result)
        return (yield from wait_for(turn, coroutine, limits))
    with Stopwatch(turn, step) as watch:
        result = turn.lend(step.call, turn.agent, argument)
        if step.kind is Kind.GENERATOR:
            generator = cast("Generator[object, None, object]", result)
            return (yield from _generate(turn, generator, watch))
    if step.may_return and inspect.iscoroutine(result):
        coroutine = cast("Coroutine[object, object, object]", result)
        return (yield from wait_for(turn, coroutine, limits))
    return result


def _returned(step: Step, value: object) -> ReturnedValue:
    what = (
        f"a {type(value).__name__}: nobody would get it. Tell the world with self.emit(type, "
        "payload), or `yield type, payload`"
    )
    if inspect.iscoroutine(value):
        value.close()  # or Python complains that nobody awaited it
        what = "a coroutine: declare it `async def`"
    return ReturnedValue(f"handler {step.name} returned {what}")


# -- generators: each `yield` leaves before the next step is asked for ---------------------------


def _generate(turn: Turn, generator: Generator[object, None, object], watch: Stopwatch) -> Waiting:
    try:
        while True:
            watch.check()
            try:
                said = turn.lend(next, generator)
            except StopIteration as end:
                return cast("object", end.value)
            yield from say(turn, said)
    finally:
        try:
            turn.lend(generator.close)
        except BaseException:
            # Its own clean-up failed. That must not stand in for what it failed of, nor keep a
            # killed agent alive.
            turn.report(logging.ERROR, "a generator did not end well", exc_info=True)
