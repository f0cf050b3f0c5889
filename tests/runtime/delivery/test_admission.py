"""How a publisher that must not park gets in: all mailboxes or none, waiting at a gate."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pykka
import pytest

from choreia import ActorSystem, Agent, Event, MailboxFull, Retry, SystemStopped, on

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import FeedKind, InThreads, Make, Until

threads_only = pytest.mark.parametrize("mode", ["threads"])


@pytest.fixture
def feed() -> FeedKind:
    """With a log nobody has to wait."""
    return "memory"


PATIENT = Retry(attempts=5, delay=3600, max_delay=3600)


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


class Crowd:
    """Agents ``keeper-0``, ``keeper-1``, …, all for the same events; the last one is paused."""

    def __init__(self, system: ActorSystem, count: int, overflow: str = "park") -> None:
        self.system = system
        self.kept: list[list[Any]] = [[] for _ in range(count)]
        for number in range(count):
            last = number == count - 1
            system.spawn(
                partial(Keeper, self.kept[number]),
                name=f"keeper-{number}",
                mailbox=1 if last else 10_000,
                overflow=overflow if last else "park",
            )
        self.slow = f"keeper-{count - 1}"
        system.pause(self.slow)
        system.wait_idle(5)
        system.publish("work", {"n": "first"})

    def finish(self) -> list[list[Any]]:
        """What each got in the end, without the first."""
        self.system.resume(self.slow)
        self.system.wait_idle(20)
        assert all(kept[0] == "first" for kept in self.kept)
        return [kept[1:] for kept in self.kept]


async def parked(crowd: Crowd, count: int) -> None:
    """Let the loop go on until so many wait for room."""
    while True:
        if crowd.system.inspect().agent(crowd.slow).parked >= count:
            return
        await asyncio.sleep(0)


# -- a publish that fails has reached nobody ------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_publish_whose_time_runs_out_has_reached_nobody(system: ActorSystem, count: int) -> None:
    crowd = Crowd(system, count)
    with pytest.raises(MailboxFull, match="nobody got the event") as caught:
        system.publish("work", {"n": 1}, timeout=0.01)
    assert (caught.value.agent, caught.value.capacity) == (crowd.slow, 1)
    assert crowd.finish() == [[]] * count


@pytest.mark.parametrize("count", [1, 2, 5])
def test_try_publish_without_room_is_false_and_has_reached_nobody(
    system: ActorSystem, count: int
) -> None:
    crowd = Crowd(system, count)
    assert system.try_publish("work", {"n": 1}) is False
    assert crowd.finish() == [[]] * count
    assert system.try_publish("work", {"n": 2}) is True
    system.wait_idle(5)
    assert crowd.finish() == [[2]] * count


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_rejected_publish_has_reached_nobody(system: ActorSystem, count: int) -> None:
    crowd = Crowd(system, count, overflow="reject")
    with pytest.raises(MailboxFull, match="rejects what does not fit"):
        system.publish("work", {"n": 1})
    assert crowd.finish() == [[]] * count


@pytest.mark.parametrize("count", [1, 2])
def test_a_publish_that_failed_may_be_tried_again_under_its_id(
    system: ActorSystem, count: int
) -> None:
    crowd = Crowd(system, count)
    with pytest.raises(MailboxFull):
        system.publish("work", {"n": 1}, id="given", timeout=0.01)
    assert system.try_publish("work", {"n": 1}, id="given") is False
    system.resume(crowd.slow)
    system.wait_idle(5)
    system.publish("work", {"n": 1}, id="given")
    system.publish("work", {"n": 1}, id="given")
    system.wait_idle(5)
    assert crowd.finish() == [[1]] * count


def test_a_listener_does_not_see_what_has_reached_nobody(system: ActorSystem) -> None:
    crowd = Crowd(system, 2)
    with system.listen("work") as heard:
        assert system.try_publish("work", {"n": 1}) is False
        with pytest.raises(MailboxFull):
            system.publish("work", {"n": 2}, timeout=0.01)
        crowd.finish()
        system.publish("work", {"n": 3})
        assert heard.next(timeout=5).payload == {"n": 3}


@threads_only
@pytest.mark.parametrize("overflow", ["park", "reject"])
def test_racing_publishers_reach_all_or_nobody(
    make: Make, in_threads: InThreads, overflow: str
) -> None:
    system = make(workers=2)
    kept: list[list[Any]] = [[], [], []]
    for number, capacity in enumerate((3, 1, 2)):
        system.spawn(
            partial(Keeper, kept[number]),
            name=f"keeper-{number}",
            mailbox=capacity,
            overflow=overflow,
        )
    got_in: list[set[Any]] = [set() for _ in range(8)]

    def publish(number: int) -> None:
        for n in range(200):
            event = (number, n)
            try:
                if n % 2:
                    reached = system.try_publish("work", {"n": event})
                else:
                    system.publish("work", {"n": event}, timeout=0.001 if n % 3 else 0)
                    reached = True
            except MailboxFull:
                reached = False
            if reached:
                got_in[number].add(event)

    in_threads(8, publish)
    system.wait_idle(20)
    reached = set().union(*got_in)
    assert reached
    for got in kept:
        assert len(got) == len(reached)
        assert {tuple(n) for n in got} == reached


# -- waiting for room -----------------------------------------------------------------------------


@threads_only
@pytest.mark.parametrize("count", [1, 2])
def test_a_blocked_publisher_gets_in_when_there_is_room(
    make: Make, in_threads: InThreads, until: Until, count: int
) -> None:
    system = make()
    crowd = Crowd(system, count)

    def run(number: int) -> None:
        if number == 0:
            until(system, lambda: system.inspect().agent(crowd.slow).parked == 4)
            system.resume(crowd.slow)
        else:
            system.publish("work", {"n": number}, timeout=20)

    in_threads(5, run)
    system.wait_idle(20)
    assert [sorted(kept) for kept in crowd.finish()] == [[1, 2, 3, 4]] * count


@threads_only
def test_blocked_publishers_get_in_in_the_order_they_came(make: Make, until: Until) -> None:
    system = make()
    crowd = Crowd(system, 1)
    threads = []

    def waiting(count: int) -> bool:
        return system.inspect().agent(crowd.slow).parked == count

    for number in range(6):
        thread = threading.Thread(target=system.publish, args=("work", {"n": number}))
        thread.start()
        threads.append(thread)
        until(system, partial(waiting, number + 1))
    assert crowd.finish() == [list(range(6))]
    for thread in threads:
        thread.join()


@threads_only
@pytest.mark.parametrize("count", [1, 2])
def test_nobody_overtakes_a_publisher_that_waits(make: Make, until: Until, count: int) -> None:
    system = make()
    crowd = Crowd(system, count)
    thread = threading.Thread(target=system.publish, args=("work", {"n": 1}))
    thread.start()
    until(system, lambda: system.inspect().agent(crowd.slow).parked == 1)
    assert system.try_publish("work", {"n": 2}) is False
    assert crowd.finish() == [[1]] * count
    thread.join()


@threads_only
def test_nobody_overtakes_while_room_is_saved_up(make: Make, until: Until) -> None:
    """In a large mailbox those in line are let in when an eighth of it is free; until then there
    is room, but not for others."""
    kept: list[Any] = []

    class PausesOnce(Keeper):
        @on("work")
        def work(self, event: Event) -> None:
            super().work(event)
            if len(kept) == 1:
                system.pause("keeper")

    system = make()
    system.spawn(lambda: PausesOnce(kept), name="keeper", mailbox=16)
    system.pause("keeper")
    system.wait_idle(5)
    for n in range(16):
        system.publish("work", {"n": n})
    thread = threading.Thread(target=system.publish, args=("work", {"n": 16}))
    thread.start()
    until(system, lambda: system.inspect().agent("keeper").parked == 1)
    system.resume("keeper")
    until(system, lambda: system.inspect().agent("keeper").state == "paused" and kept)
    assert system.inspect().agent("keeper").mailbox_size == 15
    assert system.try_publish("work", {"n": 17}) is False
    system.resume("keeper")
    system.publish("work", {"n": 18})
    thread.join()
    system.wait_idle(5)
    assert kept == [*range(17), 18]


@threads_only
def test_a_publisher_that_gives_up_lets_those_behind_it_in(make: Make, until: Until) -> None:
    """The first in line waits for two mailboxes, of which one stays full."""
    system = make()
    crowd = Crowd(system, 2)
    other: list[Any] = []

    class Other(Agent):
        mailbox = 1

        @on("work")
        @on("alone")
        def take(self, event: Event) -> None:
            other.append(event.payload["n"])

    system.spawn(Other, name="other")
    system.pause("other")
    until(system, lambda: system.inspect().agent("other").state == "paused")
    system.publish("alone", {"n": 0})
    caught: list[MailboxFull] = []

    def impatient() -> None:
        try:
            system.publish("work", {"n": 1}, timeout=0.3)
        except MailboxFull as error:
            caught.append(error)

    threads = [threading.Thread(target=impatient)]
    threads[0].start()
    until(system, lambda: system.inspect().agent(crowd.slow).parked == 1)
    threads.append(threading.Thread(target=system.publish, args=("alone", {"n": 2})))
    threads[1].start()
    until(system, lambda: system.inspect().agent("other").parked >= 1)
    threads[0].join()
    assert len(caught) == 1
    system.resume("other")
    threads[1].join()
    assert crowd.finish() == [[], []]
    assert other == [0, 2]


# -- awaiting room --------------------------------------------------------------------------------


@threads_only
@pytest.mark.parametrize("count", [1, 2])
def test_publish_async_awaits_room_and_leaves_the_loop_alone(
    make: Make, until: Until, count: int
) -> None:
    system = make()
    crowd = Crowd(system, count)
    ticks: list[int] = []

    async def tick() -> None:
        while system.inspect().agent(crowd.slow).parked < 3 or len(ticks) < 5:
            ticks.append(1)
            await asyncio.sleep(0)
        system.resume(crowd.slow)

    async def run() -> None:
        publishes = [system.publish_async("work", {"n": n}) for n in range(3)]
        await asyncio.wait_for(asyncio.gather(tick(), *publishes), 20)

    asyncio.run(run())
    system.wait_idle(20)
    assert [sorted(kept) for kept in crowd.finish()] == [[0, 1, 2]] * count


@threads_only
@pytest.mark.parametrize("count", [1, 2])
def test_publish_async_has_its_timeout(make: Make, count: int) -> None:
    system = make()
    crowd = Crowd(system, count)
    with pytest.raises(MailboxFull):
        asyncio.run(system.publish_async("work", {"n": 1}, timeout=0.01))
    assert crowd.finish() == [[]] * count


@threads_only
@pytest.mark.parametrize("count", [1, 2])
def test_cancelling_publish_async_while_it_waits_leaves_nothing_behind(
    make: Make, count: int
) -> None:
    system = make()
    crowd = Crowd(system, count)

    async def run() -> None:
        tasks = [asyncio.create_task(system.publish_async("work", {"n": n})) for n in range(3)]
        await parked(crowd, 3)
        for task in tasks[:2]:
            task.cancel()
        ended = await asyncio.gather(*tasks[:2], return_exceptions=True)
        assert all(isinstance(error, asyncio.CancelledError) for error in ended)
        assert system.inspect().agent(crowd.slow).parked == 1
        system.resume(crowd.slow)
        await asyncio.wait_for(tasks[2], 20)

    asyncio.run(run())
    system.wait_idle(20)
    assert crowd.finish() == [[2]] * count
    assert not system._engine.blocked


@threads_only
def test_a_publish_async_that_is_cancelled_has_reached_nobody_however_late(
    make: Make, hurry: None
) -> None:
    """Cancelled in the very moment that there is room: in, or out, and it knows which."""
    system = make()
    kept: list[Any] = []
    system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)

    async def run() -> list[int]:
        got_in: list[int] = []
        for n in range(300):
            tasks = {
                number: asyncio.create_task(system.publish_async("work", {"n": number}))
                for number in (3 * n, 3 * n + 1, 3 * n + 2)
            }
            await asyncio.sleep(0)
            tasks[3 * n + 1].cancel()
            await asyncio.wait(tasks.values())
            got_in += [number for number, task in tasks.items() if not task.cancelled()]
        return got_in

    got_in = asyncio.run(run())
    system.wait_idle(20)
    assert sorted(kept) == sorted(got_in)


@threads_only
def test_a_loop_that_closes_while_its_publisher_waits_hurts_nobody(
    make: Make, until: Until
) -> None:
    system = make()
    crowd = Crowd(system, 1)
    loop = asyncio.new_event_loop()
    task = loop.create_task(system.publish_async("work", {"n": 1}))
    loop.run_until_complete(asyncio.sleep(0))
    until(system, lambda: system.inspect().agent(crowd.slow).parked == 1)
    loop.close()
    system.resume(crowd.slow)
    until(system, lambda: system.inspect().agent(crowd.slow).mailbox_size == 0)
    assert system.inspect().agent(crowd.slow).parked == 0
    waiting = task.get_coro()
    assert waiting is not None
    waiting.close()
    assert not system._engine.blocked


# -- asks and stops never wait for room -----------------------------------------------------------


def test_ask_keeps_its_timeout_when_the_mailbox_is_full(system: ActorSystem) -> None:
    crowd = Crowd(system, 1)
    before = system.clock.monotonic()
    with pytest.raises(pykka.Timeout):
        system.ref(crowd.slow).ask("question", timeout=0.05)
    assert 0.05 <= system.clock.monotonic() - before < 10
    assert crowd.finish() == [["question"]]


def test_stop_keeps_its_timeout_when_the_mailbox_is_full(system: ActorSystem) -> None:
    crowd = Crowd(system, 1)
    ref = system.ref(crowd.slow)
    with pytest.raises(pykka.Timeout):
        ref.stop(timeout=0.05)
    assert ref.is_alive()
    system.resume(crowd.slow)
    system.wait_idle(5)
    assert not ref.is_alive()
    assert crowd.kept == [["first"]]


def test_a_proxy_call_keeps_its_timeout_when_the_mailbox_is_full(system: ActorSystem) -> None:
    crowd = Crowd(system, 1)
    proxy = system.ref(crowd.slow).proxy()
    with pytest.raises(pykka.Timeout):
        proxy.kept.get(timeout=0.05)
    system.resume(crowd.slow)
    assert proxy.kept.get(timeout=5) == ["first"]


@threads_only
def test_tell_waits_for_room_and_tell_async_awaits_it(make: Make, until: Until) -> None:
    system = make()
    crowd = Crowd(system, 1)
    ref = system.ref(crowd.slow)
    thread = threading.Thread(target=ref.tell, args=("told",))
    thread.start()
    until(system, lambda: system.inspect().agent(crowd.slow).parked == 1)

    async def run() -> None:
        telling = asyncio.create_task(ref.tell_async("awaited"))
        await parked(crowd, 2)
        system.resume(crowd.slow)
        await asyncio.wait_for(telling, 20)

    asyncio.run(run())
    thread.join()
    assert crowd.finish() == [["told", "awaited"]]


# -- a system that stops lets everybody go --------------------------------------------------------


@threads_only
@pytest.mark.parametrize("count", [1, 2])
def test_stopping_fails_blocked_publishers_at_once(
    make: Make, in_threads: InThreads, until: Until, count: int
) -> None:
    system = make()
    crowd = Crowd(system, count)
    errors: list[SystemStopped] = []

    def run(number: int) -> None:
        if number == 0:
            until(system, lambda: system.inspect().agent(crowd.slow).parked == 4)
            system.stop(drain=False)
        else:
            with pytest.raises(SystemStopped) as caught:
                system.publish("work", {"n": number})
            errors.append(caught.value)

    in_threads(5, run)
    assert len(errors) == 4
    assert all(kept in ([], ["first"]) for kept in crowd.kept)
    with pytest.raises(SystemStopped):
        system.publish("work", {"n": 1})


@threads_only
def test_stopping_fails_a_publish_async_that_waits(make: Make) -> None:
    system = make()
    crowd = Crowd(system, 1)

    async def run() -> None:
        task = asyncio.create_task(system.publish_async("work", {"n": 1}))
        await parked(crowd, 1)
        await system.stop_async(drain=False)
        with pytest.raises(SystemStopped):
            await task

    asyncio.run(run())


def test_a_dead_agent_strands_no_future(system: ActorSystem) -> None:
    crowd = Crowd(system, 1)
    ref = system.ref(crowd.slow)
    replies = [ref.ask(n, block=False) for n in range(3)]
    stopped = ref.stop(block=False)
    call = ref.proxy().kept
    system.kill(crowd.slow)
    for reply in (*replies, call):
        with pytest.raises(pykka.ActorDeadError):
            reply.get(timeout=5)
    assert stopped.get(timeout=5) in (True, False)
    with pytest.raises(pykka.ActorDeadError):
        ref.ask("late", timeout=5)
    with pytest.raises(pykka.ActorDeadError):
        ref.tell("late")


@pytest.mark.parametrize("how", ["kill", "stop"])
@pytest.mark.parametrize("busy", ["awaiting", "backing off", "message", "parked"])
def test_an_ask_in_hand_is_answered_when_its_agent_dies(
    system: ActorSystem, until: Until, busy: str, how: str
) -> None:
    Crowd(system, 1)

    class Busy(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            if busy == "backing off":
                raise RuntimeError("try again")
            if busy == "parked":
                self.emit("work", {"n": 1})
                return
            await asyncio.sleep(3600)

        async def on_receive(self, message: Any) -> Any:
            await asyncio.sleep(3600)

    ref = system.spawn(Busy, retry=PATIENT)
    question: Any = "message" if busy == "message" else Event(type="go", source="test")
    reply = ref.ask(question, block=False)
    states = {"awaiting": "awaiting", "message": "awaiting", "backing off": "backoff"}
    until(system, lambda: system.inspect().agent("busy").state == states.get(busy, "parked"))
    if how == "kill":
        system.kill("busy")
    else:
        system.stop(drain=False)
    with pytest.raises(pykka.ActorDeadError):
        reply.get(timeout=5)


@threads_only
def test_more_handlers_may_wait_for_each_other_than_there_are_threads(make: Make) -> None:
    """Three hundred block in `emit_now` or `ask`; the one they wait for still gets a thread."""
    system = make()
    kept: list[Any] = []
    ref = system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)
    system.pause("keeper")

    class Waits(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            if event.payload["ask"]:
                ref.ask("asked")
            else:
                self.emit_now("work", {"n": "emitted"})

    for number in range(300):
        system.spawn(Waits, name=f"waits-{number}")
    system.publish("go", {"ask": False})
    system.publish("go", {"ask": True})
    system.resume("keeper")
    system.wait_idle(60)
    assert kept.count("emitted") == 300
    assert kept.count("asked") == 300
