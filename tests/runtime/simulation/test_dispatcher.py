"""The simulated dispatcher: a system is a function of its seed, in virtual time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pykka
import pytest

from choreia import ActorSystem, Agent, Deadlock, Event, IdleTimeout, MailboxFull, Retry, on
from choreia.runtime.stores.memory import MemoryStore

if TYPE_CHECKING:
    from tests.runtime.simulation.conftest import Simulate


class Keeper(Agent):
    def __init__(self, kept: list[Any]) -> None:
        super().__init__()
        self.kept = kept

    @on("work")
    def work(self, event: Event) -> None:
        self.kept.append(event.payload["n"])

    def on_receive(self, message: Any) -> Any:
        self.kept.append(message)
        return message


# -- a function of its seed -----------------------------------------------------------------------


class Chatter(Agent):
    """Everything at once: buffered, early, awaiting, failing, timed, random."""

    mailbox = 2
    retry = Retry(attempts=2, delay=0.5)

    def __init__(self, trace: list[tuple[Any, ...]], style: str) -> None:
        super().__init__()
        self.trace = trace
        self.style = style
        self.tries = 0

    def say(self, event: Event) -> list[tuple[str, dict[str, int]]]:
        life = event.payload["life"]
        self.trace.append((self.name, event.id, life, self.clock.now()))
        return [("chat", {"life": life - 1})] if life else []

    @on("chat")
    def plain(self, event: Event) -> Iterator[Any]:
        for said in self.say(event):
            if self.style == "emit":
                self.emit(*said)
            elif self.style == "fail":
                self.tries += 1
                if self.tries % 3 == 0:
                    raise RuntimeError
            elif self.style == "after":
                self.after(1.5, *said)
            else:
                yield said


class AsyncChatter(Chatter):
    @on("chat")
    async def plain(self, event: Event) -> AsyncIterator[Any]:  # type: ignore[override]
        for said in self.say(event):
            await asyncio.sleep(0.25)
            await self.emit_now_async(*said)
            yield "aside", {}


def trace_of(seed: int, log: bool) -> list[tuple[Any, ...]]:
    trace: list[tuple[Any, ...]] = []
    with ActorSystem(mode="simulated", seed=seed, store=MemoryStore() if log else None) as system:
        system.subscribe("#", lambda event: trace.append((event.id, event.type, event.timestamp)))
        for style in ("emit", "yield", "after", "fail"):
            system.spawn(partial(Chatter, trace, style), name=f"chatter-{style}")
        system.spawn(partial(AsyncChatter, trace, "async"), name="chatter-async")
        system.publish("chat", {"life": 3})
        system.advance(30)
        system.wait_idle(60)
        trace.append((system.clock.now(), len(system.dead_letters())))
    return trace


@pytest.mark.parametrize("log", [False, True])
def test_the_same_seed_is_the_same_run_to_the_last_id_and_time(log: bool) -> None:
    first = trace_of(7, log)
    assert len(first) > 200
    assert trace_of(7, log) == first


def test_other_seeds_are_other_orders_of_the_same_things() -> None:
    def order(seed: int) -> tuple[int, ...]:
        kept: list[int] = []
        with ActorSystem(mode="simulated", seed=seed) as system:

            class Tells(Agent):
                @on("go")
                def go(self, event: Event) -> None:
                    kept.append(int(self.name[1:]))

            for number in range(8):
                system.spawn(Tells, name=f"t{number}")
            system.publish("go")
            system.wait_idle()
        return tuple(kept)

    orders = [order(seed) for seed in range(20)]
    assert len(set(orders)) > 15
    assert all(sorted(found) == list(range(8)) for found in orders)


def test_the_order_changes_between_any_two_events_of_an_agent() -> None:
    """One event a turn: another agent may come in between."""
    kept: list[str] = []
    with ActorSystem(mode="simulated", seed=4) as system:

        class Tells(Agent):
            @on("go")
            def go(self, event: Event) -> None:
                kept.append(self.name)

        for name in "ab":
            system.spawn(Tells, name=name)
        for _ in range(20):
            system.publish("go")
        system.wait_idle()
    assert sorted(kept) == ["a"] * 20 + ["b"] * 20
    changes = sum(one != other for one, other in pairwise(kept))
    assert 10 < changes < 35


def test_nothing_runs_until_somebody_waits(system: ActorSystem) -> None:
    kept: list[int] = []
    system.spawn(partial(Keeper, kept), name="keeper")
    system.publish("work", {"n": 1})
    assert kept == []
    system.wait_idle()
    assert kept == [1]


def test_one_thread_runs_at_a_time_and_blocked_ones_are_reused(system: ActorSystem) -> None:
    inside: list[int] = []
    at_once: list[int] = []

    class Asks(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            inside.append(1)
            at_once.append(len(inside))
            inside.pop()
            assert ref.ask(self.name) == self.name

    kept: list[Any] = []
    ref = system.spawn(partial(Keeper, kept), name="keeper", threaded=True)
    for number in range(20):
        system.spawn(Asks, name=f"asks-{number}")
    for _ in range(5):
        system.publish("go")
        system.wait_idle()
    assert set(at_once) == {1}
    assert len(kept) == 100
    threads = [t for t in threading.enumerate() if t.name.startswith("choreia-")]
    assert len(threads) <= 21


# -- virtual time ---------------------------------------------------------------------------------


def test_sleeping_coroutines_timers_and_backoffs_take_no_real_time(system: ActorSystem) -> None:
    heard: list[tuple[str, float]] = []

    class Waits(Agent):
        retry = Retry(attempts=3, delay=600, factor=2, max_delay=10_000, jitter=0)

        @on("sleep")
        async def sleep(self, event: Event) -> None:
            await asyncio.sleep(3600)
            heard.append(("slept", self.clock.monotonic()))

        @on("later")
        def later(self, event: Event) -> None:
            self.after(7200, "ring")

        @on("ring")
        def ring(self, event: Event) -> None:
            heard.append(("rang", self.clock.monotonic()))

        @on("fail")
        def fail(self, event: Event) -> None:
            heard.append(("tried", self.clock.monotonic()))
            raise RuntimeError

    for number in range(3):
        system.spawn(Waits, name=f"waits-{number}")
    real = time.monotonic()
    start = system.clock.monotonic()
    system.publish("sleep")
    system.wait_idle()
    assert [(what, when - start) for what, when in heard] == [("slept", 3600.0)] * 3
    heard.clear()
    system.publish("later")
    system.wait_idle()
    assert heard == []  # a future timer is not in flight
    start = system.clock.monotonic()
    system.advance(7200)
    assert {(what, when - start) for what, when in heard} == {("rang", 7200.0)}
    heard.clear()
    start = system.clock.monotonic()
    system.publish("fail")
    system.wait_idle()
    assert sorted((what, when - start) for what, when in heard) == sorted(
        [("tried", 0.0), ("tried", 600.0), ("tried", 1800.0)] * 3
    )
    assert time.monotonic() - real < 30


def test_advancing_lets_happen_what_is_due_and_nothing_else(system: ActorSystem) -> None:
    heard: list[float] = []

    class Ticks(Agent):
        @on("tick")
        def tick(self, event: Event) -> None:
            heard.append(self.clock.monotonic())
            self.after(10, "tick")

    system.spawn(Ticks)
    system.publish("tick")
    system.advance(0)
    assert heard == [0]
    system.advance(9.9)
    assert heard == [0]
    system.advance(20.1)
    assert heard == [0, 10, 20, 30]
    assert system.clock.monotonic() == 30


def test_timeouts_are_virtual_too(system: ActorSystem) -> None:
    kept: list[Any] = []
    ref = system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)
    system.pause("keeper")
    system.subscribe("other", kept.append, name="ear")
    system.pause("ear")  # or the case would be over at once
    system.wait_idle()
    real, start = time.monotonic(), system.clock.monotonic()
    system.publish("work", {"n": 1})
    with pytest.raises(MailboxFull):
        system.publish("work", {"n": 2}, timeout=1_000)
    with pytest.raises(pykka.Timeout):
        ref.ask("?", timeout=2_000)
    with pytest.raises(IdleTimeout):
        system.wait_idle(timeout=4_000)
    with pytest.raises(TimeoutError):
        system.request("other", until="never", timeout=8_000)
    assert system.clock.monotonic() - start == 15_000
    assert time.monotonic() - real < 30


def test_a_waiter_without_time_still_lets_run_what_can(system: ActorSystem) -> None:
    kept: list[Any] = []
    ref = system.spawn(partial(Keeper, kept), name="keeper")
    assert ref.ask("now", timeout=0) == "now"
    system.publish("work", {"n": 1})
    system.wait_idle(timeout=0)
    assert kept == ["now", 1]


# -- blocking -------------------------------------------------------------------------------------


class Asks(Agent):
    """Answers with what `other` answers."""

    def __init__(self, other: str, system: ActorSystem) -> None:
        super().__init__()
        self.other = other
        self.system = system

    def on_receive(self, message: Any) -> Any:
        return self.system.ref(self.other).ask(message)


def test_a_blocking_ask_runs_others_until_the_reply(system: ActorSystem) -> None:
    kept: list[Any] = []
    system.spawn(partial(Keeper, kept), name="keeper")
    system.spawn(partial(Asks, "keeper", system), name="asks-0")
    for number in range(1, 300):  # far beyond what one stack would hold
        system.spawn(partial(Asks, f"asks-{number - 1}", system), name=f"asks-{number}")
    assert system.ref("asks-299").ask("hello") == "hello"
    assert kept == ["hello"]


def test_handlers_that_wait_for_each_other_crosswise_all_go_on(simulate: Simulate) -> None:
    """`a` waits for `b`; meanwhile `c` begins to wait for `a`. On one stack `c` would have to end
    before `a` could go on."""
    for seed in range(20):
        system = simulate(seed=seed)
        kept: list[Any] = []
        system.spawn(partial(Keeper, kept), name="keeper")
        for name, other in (("b", "keeper"), ("a", "b"), ("c", "a"), ("d", "b"), ("e", "a")):
            system.spawn(partial(Asks, other, system), name=name)
        replies = [system.ref(name).ask(name, block=False) for name in "abcde"]
        assert [reply.get(timeout=5) for reply in replies] == list("abcde")
        assert sorted(kept) == list("abcde")


def test_agents_that_ask_each_other_in_a_circle_are_a_deadlock_that_is_named(
    system: ActorSystem,
) -> None:
    system.spawn(partial(Asks, "b", system), name="a")
    system.spawn(partial(Asks, "a", system), name="b")
    with pytest.raises(Deadlock, match=r"a → b → a|b → a → b"):
        system.ref("a").ask("?")


def test_waiting_for_what_cannot_happen_is_a_deadlock_that_names_what_is_in_flight(
    system: ActorSystem,
) -> None:
    system.spawn(partial(Keeper, []), name="keeper", mailbox=1)
    system.pause("keeper")
    system.publish("work", {"n": 1})
    with pytest.raises(Deadlock, match="keeper: paused, 1 queued"):
        system.wait_idle()
    with pytest.raises(Deadlock, match="full whose agent is paused"):
        system.publish("work", {"n": 2})
    system.resume("keeper")
    system.wait_idle()


def test_a_future_that_nobody_resolves_is_a_deadlock(system: ActorSystem) -> None:
    class Waits(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            await asyncio.get_running_loop().create_future()

    system.spawn(Waits)
    system.publish("go")
    with pytest.raises(Deadlock, match="waits: awaiting in go with go"):
        system.wait_idle()
    with pytest.raises(IdleTimeout):
        system.wait_idle(timeout=10)


def test_a_coroutine_asks_and_awaits_room_without_blocking_the_loop(simulate: Simulate) -> None:
    for seed in range(5):
        system = simulate(seed=seed)
        kept: list[Any] = []

        class Slow(Keeper):
            @on("work")
            async def work(self, event: Event) -> None:  # type: ignore[override]
                await asyncio.sleep(1)
                self.kept.append(event.payload["n"])

        ref = system.spawn(partial(Slow, kept), name="slow", mailbox=1)
        asked: list[Any] = []

        class Awaits(Agent):
            @on("go")
            async def go(self, event: Event) -> None:
                asked.append(await ref.ask_async(self.name))  # noqa: B023
                for n in range(3):
                    await self.emit_now_async("work", {"n": n})

        for number in range(5):
            system.spawn(Awaits, name=f"awaits-{number}")
        system.publish("go")
        system.wait_idle()
        assert sorted(asked) == [f"awaits-{n}" for n in range(5)]
        assert sorted(n for n in kept if isinstance(n, int)) == sorted([0, 1, 2] * 5)


def test_a_plain_handler_may_block_though_the_caller_runs_a_loop() -> None:
    heard: list[Event] = []

    class Speaks(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            self.emit_now("said", {"answer": ref.ask("question")})

    async def run() -> None:
        await system.publish_async("go")
        await system.wait_idle_async()

    with ActorSystem(mode="simulated") as system:
        system.subscribe("said", heard.append)
        ref = system.spawn(partial(Keeper, []), name="keeper")
        system.spawn(Speaks)
        asyncio.run(run())
        assert [event.payload for event in heard] == [{"answer": "question"}]
        assert not system.dead_letters()


def test_under_async_with_coroutines_still_run_in_virtual_time() -> None:
    heard: list[float] = []

    class Sleeps(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            await asyncio.sleep(3600)
            heard.append(self.clock.monotonic())

    async def run() -> None:
        async with ActorSystem(mode="simulated") as system:
            system.spawn(Sleeps)
            await system.publish_async("go")
            await system.wait_idle_async()

    real = time.monotonic()
    asyncio.run(run())
    assert heard == [3600]
    assert time.monotonic() - real < 30


# -- stopping -------------------------------------------------------------------------------------


def test_stopping_lets_go_of_handlers_that_wait(system: ActorSystem) -> None:
    ended: list[BaseException] = []

    class Waits(Agent):
        mailbox = 1

        @on("go")
        def go(self, event: Event) -> None:
            try:
                if event.payload["ask"]:
                    system.ref("keeper").ask("never")
                else:
                    self.emit_now("work", {"n": 1})
            except BaseException as error:
                ended.append(error)
                raise

    system.spawn(partial(Keeper, []), name="keeper", mailbox=1)
    system.pause("keeper")
    system.publish("work", {"n": 0})
    for number in range(4):
        system.spawn(Waits, name=f"waits-{number}")
        system.ref(f"waits-{number}").tell(
            Event(type="go", source="test", payload={"ask": bool(number % 2)})
        )
    with pytest.raises(IdleTimeout):
        system.wait_idle(timeout=1)
    assert not ended
    system.stop(drain=False)
    assert len(ended) >= 2  # the asks; what was emitted to a dead agent simply ends
    assert not [t for t in threading.enumerate() if t.name.startswith("choreia")]


def test_a_system_that_was_never_waited_for_stops_without_a_thread() -> None:
    system = ActorSystem(mode="simulated")
    system.spawn(partial(Keeper, []), name="keeper")
    before = threading.active_count()
    system.stop()
    assert threading.active_count() == before
