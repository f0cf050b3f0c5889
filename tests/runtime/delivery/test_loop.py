"""Where coroutines run: the caller's loop, or one of the system's own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest

from choreia import ActorSystem, Agent, Event, on
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.loop import LoopRunner, LoopTask


@pytest.fixture
def loop() -> Iterator[LoopRunner]:
    runner = LoopRunner()
    yield runner
    runner.stop(20)
    assert loop_threads() == []


def loop_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "choreia-loop"]


class Outcome:
    """What became of a coroutine."""

    def __init__(self, loop: LoopRunner, coroutine: Coroutine[Any, Any, object]) -> None:
        self.gate = Gate()
        self.times = 0
        self.result: object = None
        self.error: BaseException | None = None
        self.task: LoopTask = loop.start(coroutine, contextvars.copy_context(), self.done)

    def done(self, result: object, error: BaseException | None) -> None:
        self.times += 1
        self.result, self.error = result, error
        self.gate.open()

    def wait(self) -> Outcome:
        assert self.gate.wait(20)
        return self


async def give(value: object) -> object:
    await asyncio.sleep(0)
    return value


async def fail(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


async def sleep() -> None:
    await asyncio.sleep(3600)


# -- one coroutine --------------------------------------------------------------------------------


def test_what_it_returns_or_raises_is_told_once(loop: LoopRunner) -> None:
    given = Outcome(loop, give(42)).wait()
    assert (given.result, given.error, given.times) == (42, None, 1)
    error = ValueError()
    failed = Outcome(loop, fail(error)).wait()
    assert (failed.result, failed.error, failed.times) == (None, error, 1)


def test_it_runs_in_the_context_it_was_given(loop: LoopRunner) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")

    async def look() -> str:
        await asyncio.sleep(0)
        return variable.get()

    token = variable.set("inside")
    outcome = Outcome(loop, look())
    variable.reset(token)
    assert outcome.wait().result == "inside"


@pytest.mark.parametrize("begun", [False, True])
def test_cancelling_is_told_as_cancelled(loop: LoopRunner, begun: bool) -> None:
    outcome = Outcome(loop, sleep())
    if begun:
        Outcome(loop, give(0)).wait()
    outcome.task.cancel()
    outcome.task.cancel()
    assert isinstance(outcome.wait().error, asyncio.CancelledError)
    outcome.task.cancel()  # too late, and harmless
    assert Outcome(loop, give(1)).wait().times == 1
    assert outcome.times == 1


# -- the loop -------------------------------------------------------------------------------------


def test_the_thread_is_started_with_the_first_coroutine_and_serves_all() -> None:
    loop = LoopRunner()
    assert loop_threads() == []

    async def where() -> int:
        return threading.get_ident()

    places = {Outcome(loop, where()).wait().result for _ in range(10)}
    assert places == {loop_threads()[0].ident}
    loop.stop(20)
    assert loop_threads() == []


def test_stopping_cancels_what_runs_and_waits_for_it_to_end() -> None:
    loop, ended = LoopRunner(), list[str]()

    async def careful() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01)
            ended.append("careful")

    async def in_a_thread() -> None:
        await asyncio.to_thread(threading.Event().wait, 0.01)
        ended.append("thread")

    outcomes = [Outcome(loop, careful()), Outcome(loop, in_a_thread())]
    Outcome(loop, give(0)).wait()
    loop.stop(20)
    assert all(isinstance(o.wait().error, asyncio.CancelledError) for o in outcomes)
    assert ended == ["careful"]
    loop.stop(20)


@pytest.mark.parametrize("used", [False, True])
def test_after_stop_a_coroutine_fails_and_starts_nothing(used: bool) -> None:
    loop = LoopRunner()
    if used:
        Outcome(loop, give(0)).wait()
    loop.stop(20)
    outcome = Outcome(loop, give(1)).wait()
    assert isinstance(outcome.error, RuntimeError)
    assert outcome.times == 1
    outcome.task.cancel()
    assert loop_threads() == []


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_task_that_tries_to_end_the_loop_ends_only_itself(
    loop: LoopRunner, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    other = Outcome(loop, sleep())
    Outcome(loop, fail(error())).wait()
    assert Outcome(loop, give(42)).wait().result == 42
    assert not other.gate.is_open
    assert "which goes on" in caplog.text


def test_a_loop_that_does_not_end_is_left_behind_and_said_to_be(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop, hold, begun = LoopRunner(), threading.Event(), Gate()

    async def hang() -> None:
        begun.open()
        hold.wait(60)

    Outcome(loop, hang())
    assert begun.wait(20)
    loop.stop(0.01)
    assert "left behind" in caplog.text
    hold.set()
    for thread in loop_threads():
        thread.join(20)
        assert not thread.is_alive()


# -- the caller's loop ----------------------------------------------------------------------------


class Where(Agent):
    """Notes on which thread and loop its coroutines run."""

    def __init__(self, places: list[tuple[int, int]]) -> None:
        super().__init__()
        self.places = places

    def note(self) -> None:
        self.places.append((threading.get_ident(), id(asyncio.get_running_loop())))

    @on("go")
    async def go(self, event: Event) -> None:
        self.note()

    @on("stream")
    async def stream(self, event: Event) -> AsyncIterator[Any]:
        for n in range(3):
            self.note()
            yield "aside", {"n": n}


def test_under_async_with_coroutines_run_on_the_callers_loop() -> None:
    places: list[tuple[int, int]] = []

    async def run() -> None:
        async with ActorSystem() as system:
            system.spawn(lambda: Where(places))
            await system.publish_async("go")
            await system.publish_async("stream")
            await system.wait_idle_async(20)
            assert set(places) == {(threading.get_ident(), id(asyncio.get_running_loop()))}
            assert loop_threads() == []

    asyncio.run(run())
    assert len(places) == 4


def test_what_runs_when_a_loop_is_adopted_goes_on_where_it_is() -> None:
    """A stream that began on the system's own loop, and one that begins later."""
    places: list[tuple[int, int]] = []
    heard: list[Event] = []
    hold = threading.Event()

    class Streams(Where):
        @on("stream")
        async def stream(self, event: Event) -> AsyncIterator[Any]:
            for n in range(3):
                self.note()
                yield "aside", {"n": n}
                await asyncio.to_thread(hold.wait, 20)

    system = ActorSystem()
    system.subscribe("aside", heard.append)
    system.spawn(lambda: Streams(places))
    system.publish("stream")
    while not heard:
        with pytest.raises(TimeoutError):
            system.wait_idle(0.01)

    async def run() -> None:
        async with system:
            hold.set()
            await system.wait_idle_async(20)
            before = len(places)
            await system.publish_async("go")
            await system.wait_idle_async(20)
            assert {place[0] for place in places[:before]} != {threading.get_ident()}
            assert places[before][0] == threading.get_ident()

    asyncio.run(run())
    assert len(heard) == 3
    assert loop_threads() == []


def test_stopping_cancels_our_tasks_on_the_callers_loop_and_no_others() -> None:
    ended: list[str] = []

    class Sleeps(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append("ours")

    async def mine() -> str:
        await asyncio.sleep(0.05)
        return "mine"

    async def run() -> None:
        task = asyncio.create_task(mine())
        async with ActorSystem() as system:
            system.spawn(Sleeps)
            await system.publish_async("go")
            with pytest.raises(TimeoutError):
                await system.wait_idle_async(0.01)
            await system.stop_async(drain=False)
        assert await task == "mine"

    asyncio.run(run())
    assert ended == ["ours"]


def test_a_callers_loop_that_is_closed_already_does_not_keep_the_system_from_stopping() -> None:
    system = ActorSystem()
    system.spawn(lambda: Where([]))

    async def adopt() -> None:
        await system.__aenter__()

    asyncio.run(adopt())
    system.publish("go")
    system.wait_idle(20)
    system.stop()
    [letter] = system.dead_letters()
    assert isinstance(letter.error, RuntimeError)


def test_agents_started_and_stopped_at_random_never_lose_a_coroutine() -> None:
    counts: list[int] = []

    async def run(make: Callable[[], ActorSystem]) -> None:
        async with make() as system:
            for number in range(20):
                system.spawn(lambda: Where([]), name=f"where-{number}")
            for _ in range(10):
                await system.publish_async("go")
            await system.wait_idle_async(30)
            counts.append(sum(a.handled for a in system.inspect().agents if a.kind == "agent"))

    for _ in range(5):
        asyncio.run(run(lambda: ActorSystem(workers=2)))
    assert counts == [200] * 5
