"""One agent's failure, whatever it raises, is its own: others and its next events go on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pykka
import pytest

from choreia import ActorSystem, Agent, Event, Retry, on

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode


class Own(BaseException):
    """Derives from what `except Exception` does not catch."""


WORST = [
    ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, StopAsyncIteration,
    asyncio.CancelledError, MemoryError, RecursionError, Own, pykka.ActorDeadError, BaseException,
]  # fmt: skip


def plain(worst: type[BaseException]) -> Callable[..., Any]:
    def handle(self: Agent, event: Event) -> None:
        if event.payload["fail"]:
            raise worst
        self.emit("well", {"n": event.payload["n"]})

    return handle


def awaiting(worst: type[BaseException]) -> Callable[..., Any]:
    async def handle(self: Agent, event: Event) -> None:
        await asyncio.sleep(0)
        if event.payload["fail"]:
            raise worst
        self.emit("well", {"n": event.payload["n"]})

    return handle


def generating(worst: type[BaseException]) -> Callable[..., Any]:
    def handle(self: Agent, event: Event) -> Iterator[Any]:
        yield "working", {}
        if event.payload["fail"]:
            raise worst
        yield "well", {"n": event.payload["n"]}

    return handle


def streaming(worst: type[BaseException]) -> Callable[..., Any]:
    async def handle(self: Agent, event: Event) -> AsyncIterator[Any]:
        yield "working", {}
        await asyncio.sleep(0)
        if event.payload["fail"]:
            raise worst
        yield "well", {"n": event.payload["n"]}

    return handle


@pytest.mark.parametrize("worst", WORST)
@pytest.mark.parametrize("kind", [plain, awaiting, generating, streaming])
def test_whatever_a_handler_raises_the_others_and_its_next_events_go_on(
    system: ActorSystem, hear: Hear, worst: type[BaseException], kind: Callable[..., Any]
) -> None:
    well = hear("well")
    handler = on("go")(kind(worst))
    system.spawn(type("Fails", (Agent,), {"handle": handler}), retry=Retry(attempts=2, delay=0))
    system.spawn(type("Works", (Agent,), {"handle": on("work")(kind(worst))}))
    system.publish("go", {"n": 1, "fail": True})
    for n in (2, 3):
        system.publish("go", {"n": n, "fail": False})
        system.publish("work", {"n": 10 * n, "fail": False})
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert (letter.agent, letter.attempts, letter.reason) == ("fails", 2, "failed")
    assert letter.event is not None
    assert letter.event.payload["n"] == 1
    assert letter.error is not None
    # Python itself turns StopIteration in a coroutine into RuntimeError, and so on.
    assert isinstance(letter.error, (worst, RuntimeError))
    assert sorted(event.payload["n"] for event in well) == [2, 3, 20, 30]


@pytest.mark.parametrize("worst", WORST)
@pytest.mark.parametrize("is_async", [False, True])
def test_whatever_on_receive_raises_the_agent_goes_on(
    system: ActorSystem, worst: type[BaseException], is_async: bool
) -> None:
    class Fails(Agent):
        def on_receive(self, message: object) -> object:
            if message == "fail":
                raise worst
            return message

    class FailsAwaiting(Agent):
        async def on_receive(self, message: object) -> object:
            await asyncio.sleep(0)
            if message == "fail":
                raise worst
            return message

    ref = system.spawn(FailsAwaiting if is_async else Fails)
    ref.tell("fail")
    with pytest.raises((worst, RuntimeError)):
        ref.ask("fail", timeout=5)
    assert ref.ask("hello", timeout=5) == "hello"
    assert len(system.dead_letters()) == 1


@pytest.mark.parametrize("worst", WORST)
@pytest.mark.parametrize("is_async", [False, True])
def test_whatever_on_start_raises_only_that_agent_stops(
    system: ActorSystem, hear: Hear, worst: type[BaseException], is_async: bool
) -> None:
    class Fails(Agent):
        def on_start(self) -> None:
            raise worst

    class FailsAwaiting(Agent):
        async def on_start(self) -> None:  # type: ignore[override]
            await asyncio.sleep(0)
            raise worst

    failed = hear("agent.failed")
    ref = system.spawn(FailsAwaiting if is_async else Fails, name="fails")
    other = system.spawn(Agent)
    system.wait_idle(5)
    assert not ref.is_alive()
    assert other.is_alive()
    assert [event.payload["agent"] for event in failed] == ["fails"]


@pytest.mark.parametrize("worst", WORST)
@pytest.mark.parametrize("is_async", [False, True])
def test_whatever_on_stop_raises_the_agent_stops(
    system: ActorSystem, hear: Hear, worst: type[BaseException], is_async: bool
) -> None:
    class Fails(Agent):
        def on_stop(self) -> None:
            self.emit("never.said")
            raise worst

    class FailsAwaiting(Agent):
        async def on_stop(self) -> None:  # type: ignore[override]
            self.emit("never.said")
            await asyncio.sleep(0)
            raise worst

    said = hear("never.said")
    ref = system.spawn(FailsAwaiting if is_async else Fails)
    assert ref.stop(timeout=5) is True
    assert not ref.is_alive()
    system.wait_idle(5)
    assert said == []


@pytest.mark.parametrize("worst", WORST)
def test_whatever_on_failure_raises_the_agent_goes_on(
    system: ActorSystem, worst: type[BaseException]
) -> None:
    class Fails(Agent):
        def on_receive(self, message: object) -> object:
            if message == "fail":
                raise ValueError
            return message

        def on_failure(self, *_: object, **__: object) -> None:
            raise worst

    ref = system.spawn(Fails)
    ref.tell("fail")
    assert ref.ask("hello", timeout=5) == "hello"


@pytest.mark.parametrize("worst", [ValueError, SystemExit, GeneratorExit])
@pytest.mark.parametrize("is_async", [False, True])
def test_whatever_a_subscribed_function_raises_it_goes_on(
    system: ActorSystem, worst: type[BaseException], is_async: bool
) -> None:
    heard: list[int] = []

    def hear(event: Event) -> None:
        if event.payload["n"] == 1:
            raise worst
        heard.append(event.payload["n"])

    async def hear_async(event: Event) -> None:
        hear(event)

    system.subscribe("go", hear_async if is_async else hear)
    for n in (1, 2):
        system.publish("go", {"n": n})
    system.wait_idle(5)
    assert heard == [2]


def test_a_handler_that_calls_sys_exit_ends_no_loop_thread_or_process(mode: Mode) -> None:
    async def main() -> list[str]:
        done: list[str] = []

        class Quits(Agent):
            retry = Retry(attempts=1)

            @on("quit")
            async def quit(self, event: Event) -> None:
                sys.exit(1)

            @on("go")
            async def go(self, event: Event) -> None:
                await asyncio.sleep(0)
                done.append("went on")

        async with ActorSystem(mode=mode) as system:
            system.spawn(Quits)
            await system.publish_async("quit")
            await system.publish_async("go")
            await system.wait_idle_async(5)
            assert isinstance(system.dead_letters()[0].error, SystemExit)
        return done

    assert asyncio.run(main()) == ["went on"]


def test_a_task_of_a_handler_that_calls_sys_exit_does_not_end_the_systems_loop() -> None:
    # With threads only: under simulation whoever waits steps the loop, and it is their exit.
    done: list[str] = []

    class Quits(Agent):
        retry = Retry(attempts=1)

        @on("quit")
        async def quit(self, event: Event) -> None:
            async def leave() -> None:
                sys.exit(1)

            task = asyncio.create_task(leave())
            await asyncio.wait([task])
            done.append(type(task.exception()).__name__)

    with ActorSystem() as system:
        system.spawn(Quits)
        for _ in range(2):
            system.publish("quit")
        system.wait_idle(5)
    assert done == ["SystemExit", "SystemExit"]
