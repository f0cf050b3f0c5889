"""`wait_idle`: what is in flight, and what is not; and a system's front as a whole."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, ChoreiaError, Event, IdleTimeout, Retry, on

if TYPE_CHECKING:
    from tests.actors.conftest import Mode, Until


class Works(Agent):
    retry = Retry(attempts=2, delay=3_600, max_delay=3_600)

    @on("awaits")
    async def wait(self, event: Event) -> None:
        await asyncio.Event().wait()

    @on("fails")
    def fail(self, event: Event) -> None:
        raise ValueError

    @on("feeds")
    def feed(self, event: Event) -> None:
        self.emit("eaten")
        self.emit("eaten")

    @on("later")
    def later(self, event: Event) -> None:
        self.after(3_600, "eaten")

    def on_receive(self, message: object) -> object:
        return message


class Eats(Agent):
    @on("eaten")
    def eat(self, event: Event) -> None: ...


def in_flight(system: ActorSystem) -> str:
    with pytest.raises(IdleTimeout) as caught:
        system.wait_idle(timeout=0.01)
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, ChoreiaError)
    assert "; ".join(caught.value.in_flight) in str(caught.value)
    assert str(caught.value).startswith("still in flight after 0.01 s: ")
    return "; ".join(caught.value.in_flight)


def test_nothing_in_flight_is_idle_at_once(system: ActorSystem) -> None:
    system.wait_idle(timeout=0)
    system.spawn(Works)
    system.wait_idle(timeout=5)
    system.wait_idle()
    asyncio.run(system.wait_idle_async(timeout=5))


def test_a_coroutine_is_in_flight(system: ActorSystem, until: Until) -> None:
    system.spawn(Works)
    system.publish("awaits")
    until(lambda: system.inspect().agent("works").state == "awaiting")
    system.publish("other")
    assert in_flight(system) == "works: awaiting in wait with awaits"
    system.kill("works")
    system.wait_idle(5)


def test_backing_off_is_in_flight_and_ends(sim: ActorSystem) -> None:
    sim.spawn(Works)
    sim.publish("fails")
    assert in_flight(sim) == "works: backoff in fail with fails"
    sim.wait_idle()
    assert sim.clock.monotonic() >= 3_600
    assert len(sim.dead_letters()) == 1


def test_a_parked_agent_and_a_paused_ones_queue_are_in_flight(
    system: ActorSystem, until: Until
) -> None:
    system.spawn(Works)
    system.spawn(Eats, mailbox=1)
    system.pause("eats")
    system.wait_idle(5)
    system.publish("feeds")
    until(lambda: system.inspect().agent("works").state == "parked")
    assert in_flight(system) == "works: parked in feed with feeds on eats; eats: paused, 1 queued"
    system.resume("eats")
    system.wait_idle(5)


def test_a_paused_agent_without_a_queue_is_not(system: ActorSystem) -> None:
    system.spawn(Eats)
    system.pause("eats")
    system.wait_idle(5)
    assert system.inspect().agent("eats").state == "paused"


def test_a_future_timer_is_not(system: ActorSystem) -> None:
    system.spawn(Works)
    system.publish("later")
    system.wait_idle(5)


def test_a_running_handler_is_in_flight(until: Until) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def block(event: Event) -> None:
        begun.set()
        go_on.wait(20)

    with ActorSystem() as system:
        system.subscribe("x", block, name="blocks")
        system.publish("x")
        system.publish("x")
        assert begun.wait(10)
        assert in_flight(system) == "blocks: running in block with x, 1 queued"
        go_on.set()
        system.wait_idle(5)


def test_a_blocked_publisher_is_in_flight(until: Until) -> None:
    with ActorSystem() as system:
        system.spawn(Eats, mailbox=1)
        system.pause("eats")
        system.wait_idle(5)
        system.publish("eaten")
        thread = threading.Thread(target=system.publish, args=("eaten",))
        thread.start()
        until(lambda: system.inspect().agent("eats").parked, system)
        assert "publish of eaten: blocked publisher" in in_flight(system)
        system.resume("eats")
        system.wait_idle(5)
        thread.join(10)
        assert system.inspect().agent("eats").handled == 2


def test_idle_means_that_whole_chains_have_ended(system: ActorSystem) -> None:
    class Chain(Agent):
        length = 0

        @on("link")
        async def link(self, event: Event) -> None:
            self.length += 1
            if event.payload["left"]:
                await asyncio.sleep(0)
                self.emit("link", {"left": event.payload["left"] - 1})

    ref = system.spawn(Chain)
    for _ in range(5):
        system.publish("link", {"left": 20})
        system.wait_idle(10)
        assert ref.proxy().length.get(timeout=5) % 21 == 0


def test_many_may_wait_at_once() -> None:
    done: list[Any] = []
    with ActorSystem() as system:
        ref = system.spawn(Works)
        system.pause("works")
        system.wait_idle(5)
        ref.tell("x")

        def wait() -> None:
            system.wait_idle(10)
            done.append(None)

        threads = [threading.Thread(target=wait) for _ in range(5)]
        for thread in threads:
            thread.start()
        system.resume("works")
        for thread in threads:
            thread.join(20)
    assert done == [None] * 5


def test_wait_idle_async_awaits(mode: Mode) -> None:
    async def main() -> None:
        async with ActorSystem(mode=mode) as system:
            seen: list[str] = []

            async def take(event: Event) -> None:
                await asyncio.sleep(0.001)
                seen.append(event.type)

            system.subscribe("x", take)
            for _ in range(5):
                await system.publish_async("x")
            await system.wait_idle_async()
            assert seen == ["x"] * 5
            system.subscribe("y", lambda event: asyncio.Event().wait(), name="hangs")
            await system.publish_async("y")
            with pytest.raises(IdleTimeout, match="hangs: awaiting"):
                await system.wait_idle_async(timeout=0.01)
            await system.stop_async(drain=False)

    asyncio.run(main())


def test_the_clock_is_unix_time_and_monotonic(mode: Mode) -> None:
    with ActorSystem(mode=mode) as system:
        first = system.clock.monotonic()
        assert system.clock.monotonic() >= first
        if mode == "simulated":
            assert (system.clock.now(), system.clock.monotonic()) == (0, 0)
            system.advance(5)
            assert (system.clock.now(), system.clock.monotonic()) == (5, 5)
