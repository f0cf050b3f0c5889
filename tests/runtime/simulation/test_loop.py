"""The loop in virtual time: asyncio as handlers know it, without real input and output."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, Retry, SimulatedIO, on
from choreia.runtime.simulation.loop import SimulatedLoop

if TYPE_CHECKING:
    from tests.runtime.simulation.conftest import Simulate

Work = Callable[[Agent], Awaitable[Any]]


class Does(Agent):
    """Awaits what the test gives it, and keeps what came of it."""

    retry = Retry(attempts=1)

    def __init__(self, work: Work, results: list[Any]) -> None:
        super().__init__()
        self.work = work
        self.results = results

    @on("go")
    async def go(self, event: Event) -> None:
        try:
            self.results.append(await self.work(self))
        except BaseException as error:
            self.results.append(error)
            raise


def run(system: ActorSystem, work: Work, count: int = 1) -> list[Any]:
    results: list[Any] = []
    for number in range(count):
        system.spawn(lambda: Does(work, results), name=f"does-{number}")
    system.publish("go")
    system.wait_idle()
    return results


def test_sleeps_and_timeouts_obey_the_virtual_clock(system: ActorSystem) -> None:
    async def work(agent: Agent) -> list[float]:
        loop, times = asyncio.get_running_loop(), [agent.clock.monotonic()]
        await asyncio.sleep(10)
        times.append(loop.time())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(1_000), 5)
        times.append(loop.time())
        async with asyncio.timeout(100):
            await asyncio.sleep(99)
        times.append(agent.clock.monotonic())
        return times

    [times] = run(system, work)
    assert times == [0, 10, 15, 114]


def test_two_hundred_sleepers_wake_in_the_order_of_their_times(system: ActorSystem) -> None:
    woken: list[int] = []

    async def work(agent: Agent) -> None:
        number = int(agent.name.rpartition("-")[2])
        await asyncio.sleep(1_000 - number)
        woken.append(number)

    run(system, work, 200)
    assert woken == list(reversed(range(200)))
    assert system.clock.monotonic() == 1_000


def test_cancelled_sleeps_are_no_reason_to_let_time_pass(system: ActorSystem) -> None:
    async def work(agent: Agent) -> None:
        sleepers = [asyncio.create_task(asyncio.sleep(1_000_000)) for _ in range(300)]
        await asyncio.sleep(1)
        for sleeper in sleepers:
            sleeper.cancel()
        await asyncio.gather(*sleepers, return_exceptions=True)

    run(system, work)
    assert system.clock.monotonic() == 1
    system.advance(10)
    assert system.clock.monotonic() == 11


def test_tasks_queues_and_locks_work_as_ever(system: ActorSystem) -> None:
    async def work(agent: Agent) -> list[int]:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
        lock = asyncio.Lock()

        async def produce() -> None:
            for n in range(10):
                async with lock:
                    await queue.put(n)

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            return [await queue.get() for _ in range(10)]

    assert run(system, work) == [list(range(10))]


def test_what_is_meant_for_a_thread_is_given_a_turn(simulate: Simulate) -> None:
    for seed in range(5):
        system = simulate(seed=seed)
        answers = {"here": 42}

        def blocking(key: str, answers: dict[str, int] = answers) -> int:
            time.sleep(0)
            return answers[key]

        async def work(agent: Agent, blocking: Callable[[str], int] = blocking) -> Any:
            with pytest.raises(KeyError):
                await asyncio.to_thread(blocking, "missing")
            return await asyncio.gather(*(asyncio.to_thread(blocking, "here") for _ in range(20)))

        assert run(system, work) == [[42] * 20]


def test_what_runs_in_a_thread_may_block_and_is_still_in_the_turn(system: ActorSystem) -> None:
    class Answers(Agent):
        async def on_receive(self, message: Any) -> Any:
            await asyncio.sleep(1)
            return message * 2

    ref = system.spawn(Answers)

    async def work(agent: Agent) -> Any:
        doubled = await asyncio.to_thread(ref.ask, 21)
        await asyncio.to_thread(agent.emit_now, "said", {"n": doubled})
        return doubled

    heard: list[Event] = []
    system.subscribe("said", heard.append)
    assert run(system, work) == [42]
    assert [event.payload for event in heard] == [{"n": 42}]
    assert heard[0].source == system.ref("does-0").id


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: asyncio.open_connection("localhost", 9),
        lambda: asyncio.start_server(lambda *_: None, "localhost", 0),
        lambda: asyncio.get_running_loop().getaddrinfo("localhost", 9),
        lambda: asyncio.create_subprocess_exec("true"),
        lambda: asyncio.create_subprocess_shell("true"),
        lambda: asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, ("localhost", 0)
        ),
    ],
    ids=["connect", "serve", "resolve", "exec", "shell", "datagram"],
)
def test_real_input_and_output_is_refused(
    system: ActorSystem, attempt: Callable[[], Awaitable[Any]]
) -> None:
    async def work(agent: Agent) -> Any:
        return await attempt()

    [error] = run(system, work)
    assert isinstance(error, SimulatedIO)
    assert 'mode="threads"' in str(error)
    [letter] = system.dead_letters()
    assert letter.error is error


def test_every_way_to_real_input_and_output_is_closed() -> None:
    """What `asyncio`'s own loop has and this one neither has nor refuses, would reach a selector
    that is not there."""
    from asyncio import selector_events, unix_events

    real = {
        name
        for cls in (selector_events.BaseSelectorEventLoop, unix_events._UnixSelectorEventLoop)
        for name in vars(cls)
        if not name.startswith("_")
    }
    harmless = {"close", "remove_signal_handler", "remove_reader", "remove_writer"}
    assert real - set(vars(SimulatedLoop)) <= harmless


def test_the_loop_is_stepped_by_one_thread_at_a_time(system: ActorSystem) -> None:
    inside: list[int] = []

    async def work(agent: Agent) -> bool:
        for _ in range(5):
            inside.append(threading.get_ident())
            alone = len(inside) == 1
            inside.pop()
            if not alone:
                return False
            await asyncio.sleep(0)
        return True

    assert run(system, work, 10) == [True] * 10


def test_stopping_cancels_what_runs_and_closes_the_loop(simulate: Simulate) -> None:
    system = simulate()
    ended: list[str] = []

    async def work(agent: Agent) -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            ended.append(agent.name)

    results: list[Any] = []
    system.spawn(lambda: Does(work, results), name="does")
    system.publish("go")
    with pytest.raises(TimeoutError):
        system.wait_idle(timeout=1)
    system.stop(drain=False)
    assert ended == ["does"]
    assert isinstance(results[0], asyncio.CancelledError)
