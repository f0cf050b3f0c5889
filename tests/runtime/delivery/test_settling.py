"""Settling: `wait_idle` returns when nothing is in flight, never earlier, and names what is."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, IdleTimeout, OutsideTurn, Retry, on
from choreia.runtime.errors import BlockingCall

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import FeedKind, InThreads, Make, Until

threads_only = pytest.mark.parametrize("mode", ["threads"])
memory_only = pytest.mark.parametrize("feed", ["memory"])


class Keeper(Agent):
    def __init__(self, kept: list[Any]) -> None:
        super().__init__()
        self.kept = kept

    @on("work")
    def work(self, event: Event) -> None:
        self.kept.append(event.payload["n"])


def in_flight(system: ActorSystem) -> list[str]:
    """What `wait_idle` says is in flight, and so waits for."""
    with pytest.raises(IdleTimeout, match=r"still in flight after 0\.001 s") as caught:
        system.wait_idle(0.001)
    assert all(line in str(caught.value) for line in caught.value.in_flight)
    return list(caught.value.in_flight)


def check(system: ActorSystem, *expected: str) -> None:
    """That exactly this is in flight, as soon as everything else has settled."""
    ends = time.monotonic() + 20
    while (found := in_flight(system)) != list(expected) and time.monotonic() < ends:
        pass
    assert found == list(expected)


# -- each kind of in flight -----------------------------------------------------------------------


@threads_only
def test_running_and_queued(make: Make) -> None:
    system = make()
    begun, hold = threading.Semaphore(0), threading.Event()

    class Holds(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            begun.release()
            hold.wait(30)

    system.spawn(Holds)
    system.publish("go")
    system.publish("go")
    assert begun.acquire(timeout=20)
    check(system, "holds: running in go with go, 1 queued")
    hold.set()
    system.wait_idle(20)


def test_awaiting(system: ActorSystem, until: Until) -> None:
    class Awaits(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            await asyncio.sleep(3600)

    system.spawn(Awaits)
    system.publish("go")
    until(system, lambda: system.inspect().agent("awaits").state == "awaiting")
    check(system, "awaits: awaiting in go with go")


def test_streaming(system: ActorSystem, until: Until) -> None:
    class Streams(Agent):
        @on("go")
        async def go(self, event: Event) -> AsyncIterator[Any]:
            yield "work", {"n": 1}
            await asyncio.sleep(3600)

    kept: list[Any] = []
    system.spawn(partial(Keeper, kept), name="keeper")
    system.spawn(Streams)
    system.publish("go")
    until(system, lambda: kept)
    until(system, lambda: system.inspect().agent("streams").state == "awaiting")
    check(system, "streams: awaiting in go with go")


@memory_only
def test_parked(system: ActorSystem, until: Until) -> None:
    class Emits(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            for n in range(3):
                self.emit("work", {"n": n})

    system.spawn(partial(Keeper, []), name="keeper", mailbox=1)
    system.pause("keeper")
    system.spawn(Emits)
    system.publish("go")
    until(system, lambda: system.inspect().agent("emits").state == "parked")
    check(system, "keeper: paused, 1 queued", "emits: parked in go with go on keeper")
    system.resume("keeper")
    system.wait_idle(20)


@memory_only
def test_blocked_in_the_middle_of_a_handler(system: ActorSystem, until: Until) -> None:
    class Speaks(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            self.emit_now("work", {"n": 1})
            self.emit_now("work", {"n": 2})

    system.spawn(partial(Keeper, []), name="keeper", mailbox=1)
    system.pause("keeper")
    system.spawn(Speaks)
    system.publish("go")
    until(system, lambda: system.inspect().agent("keeper").parked == 1)
    check(system, "keeper: paused, 1 queued", "speaks: running in go with go on keeper")
    system.resume("keeper")
    system.wait_idle(20)


def test_backing_off(system: ActorSystem, until: Until) -> None:
    class Fails(Agent):
        retry = Retry(attempts=2, delay=3600, max_delay=3600)

        @on("go")
        def go(self, event: Event) -> None:
            raise RuntimeError

    system.spawn(Fails)
    system.publish("go")
    until(system, lambda: system.inspect().agent("fails").state == "backoff")
    check(system, "fails: backoff in go with go")


def test_a_paused_agents_queue_but_not_a_paused_agent(system: ActorSystem) -> None:
    system.spawn(partial(Keeper, []), name="keeper")
    system.pause("keeper")
    system.wait_idle(20)
    system.publish("work", {"n": 1})
    check(system, "keeper: paused, 1 queued")
    system.resume("keeper")
    system.wait_idle(20)


@pytest.mark.parametrize("feed", ["log"])
def test_lagging(system: ActorSystem) -> None:
    system.spawn(partial(Keeper, []), name="keeper", mailbox=1)
    system.pause("keeper")
    system.wait_idle(20)
    for n in range(3):
        system.publish("work", {"n": n})
    check(system, "keeper: paused, 1 queued, lagging")
    system.resume("keeper")
    system.wait_idle(20)


@threads_only
@memory_only
def test_a_blocked_publisher_and_a_blocked_teller(make: Make, until: Until) -> None:
    system = make()
    ref = system.spawn(partial(Keeper, []), name="keeper", mailbox=1)
    system.pause("keeper")
    system.publish("work", {"n": 0})
    threads = [
        threading.Thread(target=system.publish, args=("work", {"n": 1})),
        threading.Thread(target=ref.tell, args=("told",)),
    ]

    def waiting(count: int) -> bool:
        return system.inspect().agent("keeper").parked == count

    for number, thread in enumerate(threads):
        thread.start()
        until(system, partial(waiting, number + 1))
    check(
        system,
        "keeper: paused, 1 queued",
        "publish of work: blocked publisher",
        "tell to keeper: blocked publisher",
    )
    system.resume("keeper")
    system.wait_idle(20)
    for thread in threads:
        thread.join(20)


@threads_only
def test_a_handler_that_waits_for_another_agent(make: Make, until: Until) -> None:
    system = make()
    hold = threading.Event()

    class Answers(Agent):
        def on_receive(self, message: Any) -> Any:
            hold.wait(30)
            return message

    class Asks(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            ref.ask("question")

    ref = system.spawn(Answers)
    system.spawn(Asks)
    system.publish("go")
    until(system, lambda: system.inspect().agent("asks").state == "running")
    assert any(line.startswith("asks: running in go with go") for line in in_flight(system))
    hold.set()
    system.wait_idle(20)


# -- and what is not ------------------------------------------------------------------------------


def test_future_timers_are_not_in_flight(system: ActorSystem) -> None:
    kept: list[Any] = []

    class Later(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            self.after(3600, "work", {"n": 1})

    system.spawn(Later)
    system.spawn(partial(Keeper, kept), name="keeper")
    system.publish("go")
    system.wait_idle(20)
    assert kept == []


def test_an_empty_system_is_idle(system: ActorSystem) -> None:
    system.wait_idle(0)
    system.wait_idle(None)


def test_many_may_wait(make: Make) -> None:
    system = make()

    async def run() -> None:
        await asyncio.gather(*(system.wait_idle_async(20) for _ in range(10)))

    asyncio.run(run())


def test_waiting_where_it_cannot_be_is_refused(system: ActorSystem) -> None:
    errors: list[BaseException] = []

    class Waits(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            try:
                system.wait_idle(1)
            except OutsideTurn as error:
                errors.append(error)

    system.spawn(Waits)
    system.publish("go")
    system.wait_idle(20)
    assert len(errors) == 1

    async def run() -> None:
        with pytest.raises(BlockingCall) as caught:
            system.wait_idle(1)
        assert "wait_idle_async" in caught.value.twin

    asyncio.run(run())


# -- never too early ------------------------------------------------------------------------------

HOPS = 6


class Link(Agent):
    """Passes an event on to the next link, in its own way; the last one keeps it."""

    mailbox = 3
    retry = Retry(attempts=2, delay=0.001)

    def __init__(self, kept: list[Any], style: str, nth: int) -> None:
        super().__init__()
        self.kept = kept
        self.style = style
        self.nth = nth
        self.failed: set[Any] = set()

    def onward(self, event: Event) -> tuple[str, dict[str, Any]] | None:
        self.kept.append((self.nth, event.payload["n"]))
        return (f"link.{self.nth + 1}", dict(event.payload)) if self.nth < HOPS else None


class Plain(Link):
    @on("link.{nth}")
    def go(self, event: Event) -> None:
        said = self.onward(event)
        if said is None:
            return
        if self.style == "emit":
            self.emit(*said)
        else:
            self.emit_now(*said)


class Failing(Link):
    @on("link.{nth}")
    def go(self, event: Event) -> None:
        if event.payload["n"] not in self.failed:
            self.failed.add(event.payload["n"])
            raise RuntimeError
        said = self.onward(event)
        if said:
            self.emit(*said)


class Generating(Link):
    @on("link.{nth}")
    def go(self, event: Event) -> Iterator[Any]:
        said = self.onward(event)
        if said:
            yield said


class Awaiting(Link):
    @on("link.{nth}")
    async def go(self, event: Event) -> None:
        said = self.onward(event)
        await asyncio.sleep(0)
        if said:
            await self.emit_now_async(*said)


class Streaming(Link):
    @on("link.{nth}")
    async def go(self, event: Event) -> AsyncIterator[Any]:
        said = self.onward(event)
        await asyncio.sleep(0)
        if said:
            yield said


CHAIN: tuple[tuple[type[Link], str], ...] = (
    (Plain, "emit"),
    (Plain, "emit_now"),
    (Failing, ""),
    (Generating, ""),
    (Awaiting, ""),
    (Streaming, ""),
    (Plain, "emit"),
)


@threads_only
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("threaded", [False, True])
def test_when_it_returns_everything_has_happened(
    make: Make, in_threads: InThreads, caplog: Any, workers: int, threaded: bool
) -> None:
    """Threads publish chains of events through every kind of handler, each waits, and then what
    it has published must have reached the end. Fifty times."""
    caplog.set_level("ERROR", "choreia")
    system = make(workers=workers)
    kept: list[Any] = []
    for nth, (style, how) in enumerate(CHAIN):
        system.spawn(
            partial(style, kept, how, nth), name=f"link-{nth}", threaded=threaded and nth % 2 == 0
        )
    early: list[Any] = []

    def publish(number: int) -> None:
        for n in range(13):
            system.publish("link.0", {"n": f"{number}-{n}"})
            system.wait_idle(30)
            if (HOPS, f"{number}-{n}") not in kept:
                early.append((number, n))

    in_threads(4, publish)
    assert early == []
    assert len(kept) == 4 * 13 * (HOPS + 1)


@threads_only
@memory_only
def test_a_waiting_publisher_that_gets_in_is_in_flight_all_the_way(
    make: Make, in_threads: InThreads
) -> None:
    """It has room now, and has not put its event in yet: not idle."""
    system = make()
    kept: list[list[Any]] = [[], []]
    for number in range(2):
        system.spawn(partial(Keeper, kept[number]), name=f"keeper-{number}", mailbox=1)
    for round in range(50):
        begun = threading.Barrier(3)
        before = len(kept[0])

        def run(
            number: int, begun: threading.Barrier = begun, before: int = before, round: int = round
        ) -> None:
            if number < 3:
                system.publish("work", {"n": (round, number)})
                begun.wait(20)
                system.publish("work", {"n": (round, number, "again")})

        in_threads(3, run)
        system.wait_idle(20)
        assert len(kept[0]) == len(kept[1]) == before + 6


@threads_only
def test_idleness_is_noticed_when_the_last_to_end_is_an_agent_with_a_thread_of_its_own(
    make: Make,
) -> None:
    system = make()
    ended: list[int] = []

    class Own(Agent):
        threaded = True

        @on("go")
        def go(self, event: Event) -> None:
            threading.Event().wait(0.01)
            ended.append(1)
            if event.payload["last"]:
                self.stop()

    ref = system.spawn(Own)
    for n in range(20):
        system.publish("go", {"last": n == 19})
        system.wait_idle(20)
        assert len(ended) == n + 1
    assert not ref.is_alive()


def test_waiting_does_not_pile_up(make: Make, feed: FeedKind) -> None:
    """Whoever gave up waiting is forgotten when the system is idle at last."""
    system = make()
    system.spawn(partial(Keeper, []), name="keeper")
    system.pause("keeper")
    system.publish("work", {"n": 1})
    for _ in range(5):
        in_flight(system)
    system.resume("keeper")
    system.wait_idle(20)
    assert system._engine._waiters == []
