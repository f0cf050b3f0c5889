"""One event, in the hands of one agent: its handlers run, are retried, and at last given up.

All of it in frames (see `turn.py`): generators that `yield` where they must wait.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, cast

from choreia.runtime.delivery.behaviour import Frame
from choreia.runtime.delivery.cell import AWAITING, BACKING_OFF
from choreia.runtime.delivery.context import Stay
from choreia.runtime.delivery.deadletter import format_error, name_error
from choreia.runtime.delivery.progress import Progress
from choreia.runtime.delivery.retry import PERMANENT
from choreia.runtime.delivery.steps import Kind, Plan, Step
from choreia.runtime.errors import InvalidEvent, ReturnedValue, Unhandled
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event
from choreia.runtime.events.schema import structure

if TYPE_CHECKING:
    from choreia.runtime.delivery.turn import Turn

Waiting = Generator[None, None, object]
"""A part of a frame that comes to a result."""


class Reply(Protocol):
    """Who asked, and waits for the end of the delivery."""

    def set(self, value: object = None) -> None: ...
    def set_exception(self, exc_info: object = None) -> None: ...


def deliver(
    turn: Turn,
    event: Event,
    plan: Plan,
    *,
    routed: bool = True,
    progress: Progress | None = None,
    reply: Reply | None = None,
    then: Callable[[], None] | None = None,
) -> Frame:
    """Handle `event`; `routed` events are known to match, told ones must be looked at."""
    turn.event, turn.progress, turn.attempt = event, progress, 1
    if progress is not None:
        progress.new_attempt()
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
            yield from wait_for(turn, cast("Coroutine[object, object, object]", returned))
        except GeneratorExit:
            raise
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
            except BaseException as failure:
                error = failure
        turn.buffer.clear()
        wait = turn.retry.wait(error, turn.attempt, turn.engine.random)
        if wait is None:
            _give_up(turn, event, error, reply)
            return
        turn.report(
            logging.WARNING,
            "attempt %d of %d at %s %s failed, next in %.3g s: %s",
            turn.attempt, turn.retry.attempts, event.type, plain(event.id), wait,
            plain(name_error(error)),
        )  # fmt: skip
        error = None
        if wait > 0:
            yield from _back_off(turn, wait)
        turn.attempt += 1
        if turn.progress is not None:
            turn.progress.new_attempt()
    yield from _finish(turn)
    if reply is not None:
        reply.set(None)


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
    elif permanent:
        reason = "gave_up"
    text, traceback = format_error(error), error.__traceback__
    turn.engine.bury(event, turn.cell, error, turn.attempt, reason, turn.progress)
    if reply is not None:
        reply.set_exception((type(error), error, traceback))
    turn.report(
        logging.ERROR,
        "%s %s is a dead letter after %d of %d attempts:\n%s",
        event.type, plain(event.id), turn.attempt, turn.retry.attempts,
        "\n".join(plain(line) for line in text.splitlines()),
    )  # fmt: skip


def _back_off(turn: Turn, wait: float) -> Frame:
    cell = turn.cell
    cell.hold(BACKING_OFF)
    turn.engine.clock.call_later(wait, lambda: cell.release(BACKING_OFF))
    yield


def _run(turn: Turn, event: Event, plan: Plan, routed: bool) -> Frame:
    certain = routed and len(plan.steps) == 1
    ran = False
    for step in plan.steps:
        if step.filter is not None and not certain and not step.filter.matches(event):
            continue
        ran = True
        turn.step = step.call
        argument = event if step.payload_class is None else structure(event, step.payload_class)
        result = yield from _call(turn, step, argument)
        if result is not None and not step.may_return:
            raise _returned(step, result)
    if not ran:
        raise Unhandled(
            f"agent {turn.cell.name!r} has no handler that matches {event.type!r}: it was told "
            "this event directly; subscribe with @on, or publish it"
        )


def _call(turn: Turn, step: Step, argument: object) -> Waiting:
    result = called(step.call, turn.agent, argument)
    if step.kind is Kind.GENERATOR:
        return (yield from _generate(turn, cast("Generator[object, None, object]", result)))
    if step.kind is Kind.ASYNC_GENERATOR:
        return (yield from _stream(turn, cast("AsyncGenerator[object, None]", result)))
    if step.kind is Kind.COROUTINE or (step.may_return and inspect.iscoroutine(result)):
        return (yield from wait_for(turn, cast("Coroutine[object, object, object]", result)))
    return result


def called(function: Callable[..., object], *arguments: object) -> object:
    """Call a user's function from a frame, which a `GeneratorExit` of its making would end."""
    try:
        return function(*arguments)
    except GeneratorExit as error:
        name = getattr(function, "__qualname__", function)
        raise RuntimeError(f"{name} raised GeneratorExit") from error


def _returned(step: Step, value: object) -> ReturnedValue:
    what = (
        f"a {type(value).__name__}: nobody would get it. Tell the world with self.emit(type, "
        "payload), or `yield type, payload`"
    )
    if inspect.iscoroutine(value):
        value.close()  # or Python complains that nobody awaited it
        what = "a coroutine: declare it `async def`"
    return ReturnedValue(f"handler {step.name} returned {what}")


# -- coroutines -------------------------------------------------------------------------------


def wait_for(turn: Turn, coroutine: Coroutine[object, object, object]) -> Waiting:
    """Run `coroutine` on the system's loop; the agent is held meanwhile, and no thread."""
    cell, stay = turn.cell, Stay(turn)
    outcome: list[object] = []
    failure: list[BaseException] = []
    ended: list[bool] = []
    abandoned = False

    async def contained() -> None:
        # A loop takes these for its own end, and with it would end every agent's coroutines.
        try:
            outcome.append(await coroutine)
        except (SystemExit, KeyboardInterrupt) as error:
            failure.append(error)
        finally:
            stay.end()

    def done(_: object, error: BaseException | None) -> None:
        coroutine.close()  # in case it was cancelled before it began
        if error is not None:
            failure.append(_carried(error))
        ended.append(True)
        if not abandoned:
            cell.release(AWAITING)

    cell.hold(AWAITING)
    turn.task = turn.engine.dispatcher.start_coroutine(contained(), stay.context(), done)
    try:
        # Not until `done`: the outcome is there a little earlier, with the hold still to be let go.
        yield
        while not ended:
            yield
    finally:
        abandoned = True
        stay.end()
    turn.task = None
    if failure:
        raise failure[0]
    return outcome[0]


def _carried(error: BaseException) -> BaseException:
    """`error`, as it may be raised in a frame."""
    if not isinstance(error, GeneratorExit):
        return error
    carried = RuntimeError("a coroutine raised GeneratorExit")
    carried.__cause__ = error
    return carried


# -- generators: each `yield` leaves before the next step is asked for ---------------------------


def _generate(turn: Turn, generator: Generator[object, None, object]) -> Waiting:
    try:
        while True:
            try:
                said = called(next, generator)
            except StopIteration as end:
                return cast("object", end.value)
            yield from _say(turn, said)
    finally:
        try:
            generator.close()
        except BaseException:
            # Its own clean-up failed. That must not stand in for what it failed of, nor keep a
            # killed agent alive.
            turn.report(logging.ERROR, "a generator did not end well", exc_info=True)


def _say(turn: Turn, said: object) -> Frame:
    type, payload = _parts(said)
    event, fresh = turn.early(type, payload)
    if fresh:
        turn.cell.emitted += 1
        if turn.progress is not None:
            turn.progress.sent.add(event.id)
        turn.engine.bus.route(event, turn.cell)
        yield from turn.drain()
    if turn.engine.clock.monotonic() >= turn.over_at:
        yield  # with no hold set: another agent's turn, then go on


def _parts(said: object) -> tuple[object, object]:
    if isinstance(said, tuple):
        if len(said) == 2 and isinstance(said[0], str):
            return said[0], said[1]
        raise InvalidEvent(
            "a handler yields `type, payload` or an instance of an @event_type class, not a "
            f"tuple of {len(said)}"
        )
    return said, None


def _stream(turn: Turn, generator: AsyncGenerator[object, None]) -> Waiting:
    """Like `_generate`; the generator runs in one task on the loop, and hands over each item."""
    cell, dispatcher, stay = turn.cell, turn.engine.dispatcher, Stay(turn)
    handed: list[tuple[object, asyncio.Future[None]]] = []
    outcome: list[BaseException | None] = []
    exits: list[BaseException] = []
    abandoned = False

    async def pump() -> None:
        try:
            async for said in generator:
                taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                handed.append((said, taken))
                cell.release(AWAITING)
                await taken
        except (SystemExit, KeyboardInterrupt) as error:
            exits.append(error)  # see `wait_for`
        finally:
            stay.end()
            await generator.aclose()

    def done(_: object, error: BaseException | None) -> None:
        outcome.append(exits[0] if exits else None if error is None else _carried(error))
        if not abandoned:
            cell.release(AWAITING)

    cell.hold(AWAITING)
    turn.task = dispatcher.start_coroutine(pump(), stay.context(), done)
    try:
        while True:
            yield
            if outcome:
                turn.task = None
                if outcome[0] is not None:
                    raise outcome[0]
                return None
            if not handed:
                continue
            said, taken = handed.pop()
            failure: BaseException | None = None
            try:
                yield from _say(turn, said)
            except GeneratorExit:
                raise
            except BaseException as error:
                failure = error  # told to the generator's task, so that it can clean up
            cell.hold(AWAITING)
            # On the loop it belongs to, which may not be the system's any more; or it is closed.
            with suppress(RuntimeError):
                taken.get_loop().call_soon_threadsafe(_tell, taken, failure)
    finally:
        abandoned = True
        stay.end()


def _tell(taken: asyncio.Future[None], failure: BaseException | None) -> None:
    if taken.done():
        return
    if failure is None:
        taken.set_result(None)
    else:
        taken.set_exception(failure)
