"""Whatever blocks refuses to do so on a thread that runs an event loop, and names its twin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, BlockingCall, Event, Retry, on

if TYPE_CHECKING:
    from tests.actors.conftest import Mode


class Takes(Agent):
    retry = Retry(attempts=1)
    value = 5

    @on("x")
    async def take(self, event: Event) -> None: ...

    @on("fails")
    def fails(self, event: Event) -> None:
        raise ValueError

    def on_receive(self, message: object) -> object:
        return message


def tell_twice(system: ActorSystem) -> None:
    for n in range(2):
        system.ref("full").tell(n)


CALLS: dict[str, tuple[Callable[[ActorSystem], object], str]] = {
    "publish": (lambda s: s.publish("x"), "await system.publish_async(…)"),
    "request": (lambda s: s.request("x", until="y"), "await system.request_async(…)"),
    "wait_idle": (lambda s: s.wait_idle(5), "await system.wait_idle_async(…)"),
    "stop": (lambda s: s.stop(), "await system.stop_async()"),
    "redeliver": (
        lambda s: s.redeliver(s.dead_letters()[0]), "await system.redeliver_async(…)"
    ),
    "listen": (lambda s: next(s.listen("x")), "async for"),
    "ask": (lambda s: s.ref("takes").ask("hello"), "await ref.ask_async(…)"),
    "future": (
        lambda s: s.ref("takes").ask("hello", block=False).get(), "await the future"
    ),
    "proxy call": (lambda s: s.ref("takes").proxy().on_receive("x").get(), "await the future"),
    "proxy attribute": (lambda s: s.ref("takes").proxy().value.get(), "await the future"),
    "proxy set": (lambda s: setattr(s.ref("takes").proxy(), "value", 6), "ask_async"),
    "stop agent": (lambda s: s.ref("takes").stop(), "await"),
    "full tell": (tell_twice, "await ref.tell_async(…)"),
}  # fmt: skip


async def prepared(system: ActorSystem) -> None:
    system.spawn(Takes, name="takes")
    system.spawn(Takes, name="full", mailbox=1)
    await system.publish_async("fails")
    await system.wait_idle_async(5)
    system.pause("full")
    system.pause("takes")  # so that no answer is there already
    await system.wait_idle_async(5)


@pytest.mark.parametrize("name", CALLS)
def test_on_a_thread_with_a_running_loop_it_names_its_twin(mode: Mode, name: str) -> None:
    call, twin = CALLS[name]

    async def main() -> None:
        async with ActorSystem(mode=mode) as system:
            await prepared(system)
            with pytest.raises(BlockingCall) as caught:
                call(system)
            assert twin in str(caught.value)
            assert "would block the event loop that runs on this thread" in str(caught.value)
            assert caught.value.twin in str(caught.value)
            await system.stop_async(drain=False)

    asyncio.run(main())


IN_HANDLERS: dict[str, tuple[Callable[[ActorSystem, Agent], object], str]] = {
    "emit_now": (lambda s, a: a.emit_now("x"), "await self.emit_now_async(…)"),
    "publish": (lambda s, a: s.publish("x"), "await system.publish_async(…)"),
    "ask": (lambda s, a: s.ref("takes").ask("hello"), "await ref.ask_async(…)"),
    "redeliver": (
        lambda s, a: s.redeliver(s.dead_letters()[0]), "await system.redeliver_async(…)"
    ),
    "full tell": (lambda s, a: tell_twice(s), "await ref.tell_async"),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_HANDLERS)
def test_in_a_coroutine_handler_too(mode: Mode, name: str) -> None:
    call, twin = IN_HANDLERS[name]
    caught: list[BlockingCall] = []

    class Blocks(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            try:
                call(system, self)
            except BlockingCall as error:
                caught.append(error)
            self.emit("gone")

    with ActorSystem(mode=mode) as system:
        asyncio.run(prepared(system))
        system.spawn(Blocks)
        system.request("go", until="gone", timeout=5)
        assert twin in str(caught[0])
        system.resume("full")
        system.resume("takes")


PLAIN: dict[str, Callable[[ActorSystem, Agent], object]] = {
    "emit_now": lambda s, a: a.emit_now("x"),
    "publish": lambda s, a: s.publish("x"),
    "ask": lambda s, a: s.ref("takes").ask("hello", timeout=5),
    "redeliver": lambda s, a: s.redeliver(s.dead_letters()[0]),
    "proxy": lambda s, a: s.ref("takes").proxy().value.get(timeout=5),
}


@pytest.mark.parametrize("name", PLAIN)
def test_in_a_plain_handler_all_of_them_may_block_wherever_the_system_runs(
    mode: Mode, name: str
) -> None:
    class Blocks(Agent):
        retry = Retry(attempts=1)

        @on("go")
        def go(self, event: Event) -> None:
            PLAIN[name](systems[0], self)

    systems: list[ActorSystem] = []

    async def main() -> None:
        async with ActorSystem(mode=mode) as system:
            systems.append(system)
            await prepared(system)
            system.resume("takes")
            system.resume("full")
            system.spawn(Blocks)
            await system.publish_async("go")
            await system.wait_idle_async(5)
            assert [x for x in system.dead_letters() if x.agent == "blocks"] == []

    asyncio.run(main())


def test_an_answer_that_is_there_already_may_be_read_on_a_loop(mode: Mode) -> None:
    async def main() -> None:
        async with ActorSystem(mode=mode) as system:
            ref = system.spawn(Takes)
            future = ref.ask("hello", block=False)
            await system.wait_idle_async(5)
            assert future.get() == "hello"
            assert await future == "hello"
            ref.tell("there is room")
            assert system.try_publish("x")

    asyncio.run(main())


def test_the_twins_do_what_they_stand_for(mode: Mode) -> None:
    async def main() -> list[Any]:
        seen: list[Any] = []

        class Works(Agent):
            @on("go")
            async def go(self, event: Event) -> None:
                await self.emit_now_async("x", {"n": 1})
                await systems[0].publish_async("x", {"n": 2})
                seen.append(await systems[0].ref("takes").ask_async("asked", timeout=5))
                await systems[0].ref("takes").tell_async("told")
                proxy = systems[0].ref("takes").proxy()
                seen.append(await proxy.value)

        systems: list[ActorSystem] = []
        async with ActorSystem(mode=mode) as system:
            systems.append(system)
            system.subscribe("x", lambda event: seen.append(event.payload["n"]))
            system.spawn(Takes)
            system.spawn(Works)
            await system.publish_async("go")
            await system.wait_idle_async(5)
            assert system.dead_letters() == []
            assert await system.ref("takes").stop(block=False) is True
        return seen

    assert sorted(asyncio.run(main()), key=str) == [1, 2, 5, "asked"]
