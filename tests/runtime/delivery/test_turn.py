"""The turn, where it meets the rest of delivery: waiting, timers, the system lane, the end.

What a handler may rely on (all or nothing, retries, ids) is tested with agents, in `tests/actors`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, Retry, on
from choreia.runtime.delivery.context import running_turn

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import Make, Until

memory_only = pytest.mark.parametrize("feed", ["memory"])
PATIENT = Retry(attempts=5, delay=3600, max_delay=3600)


class Keeper(Agent):
    def __init__(self, kept: list[Any]) -> None:
        super().__init__()
        self.kept = kept

    @on("work")
    def work(self, event: Event) -> None:
        self.kept.append(event.payload["n"])


def state(system: ActorSystem, name: str) -> str:
    return system.inspect().agent(name).state


# -- timers that find no room ---------------------------------------------------------------------


class Timed(Agent):
    """Sets timers, and emits beside them."""

    @on("set")
    def set(self, event: Event) -> None:
        for n in range(event.payload["count"]):
            self.after(0.001, "work", {"n": f"timer-{n}"})

    @on("say")
    def say(self, event: Event) -> None:
        self.emit("work", {"n": event.payload["n"]})


@memory_only
def test_a_timer_that_fires_into_a_full_mailbox_parks_its_agent_and_keeps_order(
    system: ActorSystem, until: Until
) -> None:
    kept: list[Any] = []
    system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)
    system.pause("keeper")
    system.publish("work", {"n": "first"})
    system.spawn(Timed)
    system.publish("set", {"count": 3})
    until(system, lambda: state(system, "timed") == "parked")
    system.publish("say", {"n": "said"})  # comes after the timers: the agent is parked
    assert system.inspect().agent("timed").mailbox_size == 1
    until(system, lambda: len(system._roster.cell("timed").outbox or ()) == 3)
    system.resume("keeper")
    system.wait_idle(20)
    assert kept == ["first", "timer-0", "timer-1", "timer-2", "said"]
    assert system.inspect().agent("keeper").overflowed == 0


@memory_only
def test_timers_that_fire_into_their_own_agents_full_mailbox_break_the_circle(
    system: ActorSystem, until: Until
) -> None:
    kept: list[Any] = []

    class Self(Timed):
        mailbox = 1

        @on("work")
        def work(self, event: Event) -> None:
            kept.append(event.payload["n"])

    system.spawn(Self, name="self")
    system.publish("set", {"count": 5})
    until(system, lambda: len(kept) == 5)
    system.wait_idle(20)
    assert kept == [f"timer-{n}" for n in range(5)]


@memory_only
def test_timers_fire_while_a_coroutine_is_awaited(system: ActorSystem, until: Until) -> None:
    """The system lane is served while the agent has an event in hand."""
    kept: list[Any] = []
    rang = asyncio.Event()

    class Awaits(Timed):
        @on("wait")
        async def wait(self, event: Event) -> None:
            await rang.wait()
            self.emit("work", {"n": "after"})

    class Rings(Keeper):
        @on("work")
        async def work(self, event: Event) -> None:  # type: ignore[override]
            super().work(event)
            rang.set()

    system.spawn(lambda: Rings(kept), name="keeper")
    system.spawn(Awaits)
    system.publish("set", {"count": 1})
    system.publish("wait")
    until(system, lambda: len(kept) == 2)
    assert kept == ["timer-0", "after"]


# -- the system lane ------------------------------------------------------------------------------


def test_pausing_overtakes_what_is_queued(system: ActorSystem, until: Until) -> None:
    kept: list[Any] = []

    class Pauses(Keeper):
        @on("work")
        def work(self, event: Event) -> None:
            super().work(event)
            if event.payload["n"] == 3:
                system.pause("keeper")

    system.spawn(lambda: Pauses(kept), name="keeper")
    for n in range(100):
        system.publish("work", {"n": n})
    until(system, lambda: state(system, "keeper") == "paused")
    assert kept == [0, 1, 2, 3]
    assert system.inspect().agent("keeper").mailbox_size == 96
    system.resume("keeper")
    system.wait_idle(20)
    assert kept == list(range(100))


def test_killing_overtakes_what_is_queued(system: ActorSystem, feed: str) -> None:
    kept: list[Any] = []

    class Kills(Keeper):
        @on("work")
        def work(self, event: Event) -> None:
            super().work(event)
            if event.payload["n"] == 3:
                system.kill("keeper")

    ref = system.spawn(lambda: Kills(kept), name="keeper")
    for n in range(10):
        system.publish("work", {"n": n})
    system.wait_idle(20)
    assert kept == [0, 1, 2, 3]
    assert not ref.is_alive()
    letters = [letter for letter in system.dead_letters() if letter.agent == "keeper"]
    assert [letter.reason for letter in letters] == ["killed"] * (6 if feed == "memory" else 0)


@pytest.mark.parametrize("style", ["coroutine", "stream", "message"])
def test_killing_an_agent_that_awaits_cancels_what_it_awaits(
    system: ActorSystem, until: Until, style: str
) -> None:
    begun: list[str] = []
    ended: list[str] = []

    class Awaits(Agent):
        async def wait(self) -> None:
            begun.append(self.name)
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise

        @on("coroutine")
        async def coroutine(self, event: Event) -> None:
            await self.wait()

        @on("stream")
        async def stream(self, event: Event) -> AsyncIterator[Any]:
            yield "work", {"n": 1}
            await self.wait()

        async def on_receive(self, message: Any) -> None:
            await self.wait()

    ref = system.spawn(Awaits)
    if style == "message":
        ref.tell("message")
    else:
        system.publish(style)
    until(system, lambda: begun and state(system, "awaits") == "awaiting")
    system.kill("awaits")
    until(system, lambda: ended)
    system.wait_idle(20)
    assert ended == ["cancelled"]
    assert not ref.is_alive()
    letters = [letter for letter in system.dead_letters() if letter.agent == "awaits"]
    assert [letter.reason for letter in letters] == ["killed"]
    assert (letters[0].message if style == "message" else letters[0].event) is not None


def test_killing_an_agent_that_backs_off_makes_its_event_a_dead_letter(
    system: ActorSystem, until: Until
) -> None:
    tries: list[int] = []

    class Fails(Agent):
        retry = PATIENT

        @on("go")
        def go(self, event: Event) -> None:
            tries.append(1)
            raise RuntimeError

    ref = system.spawn(Fails)
    system.publish("go")
    until(system, lambda: state(system, "fails") == "backoff")
    system.kill("fails")
    system.wait_idle(20)
    assert not ref.is_alive()
    [letter] = system.dead_letters()
    assert (letter.reason, letter.attempts) == ("killed", 1)
    if system._dispatcher.simulated:
        system.advance(10_000)  # the timer of its next attempt rings for nobody
    assert tries == [1]


def test_an_agent_that_is_paused_while_it_awaits_keeps_its_event_in_hand(
    system: ActorSystem, until: Until
) -> None:
    """It is held for two reasons, and goes on when there is none."""
    release = asyncio.Event()

    class Awaits(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            await release.wait()
            self.emit("work", {"n": 1})

    class Releases(Agent):
        @on("release")
        async def release(self, event: Event) -> None:
            release.set()

    kept: list[Any] = []
    for agent in (partial(Keeper, kept), Awaits, Releases):
        system.spawn(agent)
    system.publish("go")
    until(system, lambda: state(system, "awaits") == "awaiting")
    system.pause("awaits")
    until(system, lambda: system._roster.cell("awaits").paused)
    system.publish("go")
    system.publish("release")
    until(system, lambda: state(system, "awaits") == "paused")
    assert kept == []
    system.resume("awaits")
    system.wait_idle(20)
    assert kept == [1, 1]


# -- frames ---------------------------------------------------------------------------------------


def test_a_long_generator_gives_way_to_other_agents(make: Make) -> None:
    """Two of them, and one worker: neither waits until the other is through."""
    system = make(workers=1)
    turns: list[str] = []

    class Yields(Agent):
        @on("go")
        def go(self, event: Event) -> Iterator[Any]:
            for n in range(200):
                turns.append(self.name)
                for _ in range(2_000):
                    pass
                yield "aside", {"n": n}

    for name in "ab":
        system.spawn(Yields, name=name)
    system.publish("go")
    system.wait_idle(60)
    assert sorted(turns) == ["a"] * 200 + ["b"] * 200
    if not system._dispatcher.simulated:  # virtual time stands still in a turn
        assert turns != sorted(turns)


def test_many_waits_in_one_frame_come_to_an_end(system: ActorSystem) -> None:
    """Coroutines that are done before anybody has begun to wait for them, over and over."""

    class Quick(Agent):
        @on("go")
        async def go(self, event: Event) -> AsyncIterator[Any]:
            for n in range(100):
                yield "work", {"n": n}

    kept: list[Any] = []
    system.spawn(partial(Keeper, kept), name="keeper", mailbox=3)
    for number in range(5):
        system.spawn(Quick, name=f"quick-{number}")
    system.publish("go")
    system.wait_idle(60)
    assert sorted(kept) == sorted(list(range(100)) * 5)


@pytest.mark.parametrize("mode", ["threads"])
def test_coroutines_that_end_at_once_are_never_missed(make: Make, hurry: None) -> None:
    """The coroutine may be done on the loop before the turn has noted that it waits."""
    system = make(workers=2)
    count = [0] * 4

    class Quick(Agent):
        mailbox = 10

        @on("go")
        async def go(self, event: Event) -> None:
            count[int(self.name[-1])] += 1

    for number in range(4):
        system.spawn(Quick, name=f"quick-{number}")
    for _ in range(300):
        system.publish("go")
    system.wait_idle(60)
    assert count == [300] * 4


# -- whose turn the code is in --------------------------------------------------------------------


def test_code_knows_its_turn_and_other_code_has_none(system: ActorSystem) -> None:
    seen: list[str | None] = []

    def look() -> None:
        turn = running_turn()
        seen.append(None if turn is None else turn.cell.name)

    class Looks(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            look()
            await asyncio.sleep(0)
            look()
            await asyncio.to_thread(look)

        @on("plain")
        def plain(self, event: Event) -> None:
            look()
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()

    system.spawn(Looks)
    look()
    system.publish("go")
    system.wait_idle(20)
    assert seen == [None, "looks", "looks", "looks"]
    seen.clear()
    system.publish("plain")
    system.wait_idle(20)
    look()
    assert seen == ["looks", None, None]
