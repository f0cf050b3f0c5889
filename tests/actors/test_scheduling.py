"""Scheduling: many agents, few threads, and ordinary blocking code."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, on

if TYPE_CHECKING:
    from tests.actors.conftest import Mode


def choreia_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("choreia")]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [t.name for t in threading.enumerate() if t not in before and "choreia" in t.name]
    assert not left, f"threads left behind: {left}"


# -- blocking handlers ----------------------------------------------------------------------------


class Blocks(Agent):
    @on("block")
    def block(self, event: Event) -> None:
        threading.Event().wait(event.payload["seconds"])


def test_fifty_agents_that_block_end_together_and_a_fast_one_goes_on_meanwhile() -> None:
    latencies: list[float] = []

    class Fast(Agent):
        @on("ping")
        def ping(self, event: Event) -> None:
            latencies.append(time.monotonic() - event.payload["sent"])

    with ActorSystem(workers=1) as system:
        system.spawn(Fast)
        for number in range(50):
            system.spawn(Blocks, name=f"blocks-{number}")
        before = time.monotonic()
        system.publish("block", {"seconds": 0.2})
        while system.inspect().agent("blocks-49").handled == 0:
            system.publish("ping", {"sent": time.monotonic()})
            threading.Event().wait(0.005)
        system.wait_idle(30)
        took = time.monotonic() - before
    assert took < 2.5  # one after the other it would be 10 s
    assert len(latencies) > 5
    assert sorted(latencies)[len(latencies) // 2] < 0.15
    assert max(latencies) < 1.5


def test_more_blocked_handlers_than_threads_are_worked_off_all_the_same() -> None:
    with ActorSystem(workers=1) as system:
        for number in range(400):
            system.spawn(Blocks, name=f"blocks-{number}")
        system.publish("block", {"seconds": 0.02})
        system.wait_idle(60)
        assert all(a.handled == 1 for a in system.inspect().agents if a.name.startswith("blocks"))


def test_extra_threads_end_when_they_are_idle() -> None:
    with ActorSystem(workers=2) as system:
        for number in range(30):
            system.spawn(Blocks, name=f"blocks-{number}")
        system.publish("block", {"seconds": 0.1})
        system.wait_idle(30)
        assert sum("worker" in name for name in choreia_threads()) > 2
        ends = time.monotonic() + 20
        while sum("worker" in name for name in choreia_threads()) > 2:
            assert time.monotonic() < ends
            threading.Event().wait(0.05)
        system.publish("block", {"seconds": 0})
        system.wait_idle(30)


def test_a_turn_is_short_so_that_a_busy_agent_does_not_starve_another() -> None:
    """Five thousand events wait for one agent, a single one for the other, which comes second."""
    handled = [0]
    before_single: list[int] = []

    class Busy(Agent):
        mailbox = 10_000

        @on("many")
        def many(self, event: Event) -> None:
            handled[0] += 1

    class Single(Agent):
        @on("one")
        def one(self, event: Event) -> None:
            before_single.append(handled[0])

    class Resumes(Agent):
        """From a handler, on the only worker: both are on the run queue when it is through."""

        @on("begin")
        def begin(self, event: Event) -> None:
            system.resume("busy")
            system.resume("single")

    with ActorSystem(workers=1) as system:
        for agent in (Busy, Single, Resumes):
            system.spawn(agent)
        system.pause("busy")
        system.pause("single")
        system.wait_idle(20)
        for _ in range(5_000):
            system.publish("many")
        system.publish("one")
        system.publish("begin")
        system.wait_idle(30)
    assert before_single[0] <= 64
    assert handled == [5_000]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_an_agent_handles_one_event_at_a_time_however_many_workers(workers: int) -> None:
    clashes: list[str] = []

    class Alone(Agent):
        inside = False
        count = 0

        @on("go")
        def go(self, event: Event) -> None:
            if self.inside:
                clashes.append(self.name)
            self.inside = True
            self.count += 1
            sum(range(20))
            self.inside = False

    agents: list[Alone] = []

    def make() -> Alone:
        agents.append(Alone())
        return agents[-1]

    with ActorSystem(workers=workers) as system:
        for number in range(5):
            system.spawn(make, name=f"alone-{number}", mailbox=10)
        threads = [
            threading.Thread(target=lambda: [system.publish("go") for _ in range(500)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        system.wait_idle(30)
    assert clashes == []
    assert [agent.count for agent in agents] == [2_000] * 5


@pytest.mark.parametrize("workers", [2, 4])
def test_as_many_handlers_run_at_once_as_there_are_workers(workers: int) -> None:
    """They meet without blocking, so that no watchdog helps."""
    inside: list[int] = []
    met = threading.Event()

    class Meets(Agent):
        @on("meet")
        def meet(self, event: Event) -> None:
            inside.append(1)
            ends = time.monotonic() + 20
            while not met.is_set() and time.monotonic() < ends:
                if len(inside) == workers:
                    met.set()

    with ActorSystem(workers=workers) as system:
        for number in range(workers):
            system.spawn(Meets, name=f"meets-{number}")
        system.publish("meet")
        system.wait_idle(30)
    assert met.is_set()


# -- a thread of its own --------------------------------------------------------------------------


def test_threaded_runs_every_handler_of_the_agent_on_one_thread_of_its_own() -> None:
    places: list[tuple[str, int]] = []

    class Own(Agent):
        threaded = True

        def here(self, what: str) -> None:
            places.append((what, threading.get_ident()))

        def on_start(self) -> None:
            self.here("start")

        @on("go")
        def go(self, event: Event) -> None:
            self.here("go")

        @on("many")
        def many(self, event: Event) -> Iterator[Any]:
            for n in range(20):
                self.here("yield")
                yield "aside", {"n": n}

        def on_receive(self, message: Any) -> int:
            self.here("receive")
            return threading.get_ident()

        def on_stop(self) -> None:
            self.here("stop")

    with ActorSystem(workers=2) as system:
        ref = system.spawn(Own)
        others = [system.spawn(Shared, name=f"shared-{n}") for n in range(5)]
        for _ in range(50):
            system.publish("go")
            system.publish("many")
            assert ref.ask("where") not in {other.ask("where") for other in others}
        assert [name for name in choreia_threads() if "own" in name] == ["choreia-own-1"]
        ref.stop()
    assert {what for what, _ in places} == {"start", "go", "yield", "receive", "stop"}
    assert len({where for _, where in places}) == 1


class Shared(Agent):
    def on_receive(self, message: Any) -> int:
        return threading.get_ident()


def test_a_threaded_agent_that_blocks_holds_up_nobody_and_only_itself() -> None:
    hold = threading.Event()

    class Own(Agent):
        threaded = True

        @on("go")
        def go(self, event: Event) -> None:
            hold.wait(30)

    with ActorSystem() as system:
        system.spawn(Own)
        shared = system.spawn(Shared)
        system.publish("go")
        before = [shared.ask("where", timeout=20) for _ in range(100)]
        assert len(set(before)) == 1
        hold.set()


# -- coroutines -----------------------------------------------------------------------------------


def test_two_hundred_coroutine_handlers_overlap(mode: Mode) -> None:
    """Each waits until all of them are waiting."""
    inside: list[int] = []
    all_here = asyncio.Event()

    class Waits(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            inside.append(1)
            if len(inside) == 200:
                all_here.set()
            await all_here.wait()

    with ActorSystem(mode=mode) as system:
        for number in range(200):
            system.spawn(Waits, name=f"waits-{number}")
        system.publish("go")
        system.wait_idle(30)
        assert len(inside) == 200
        assert not system.dead_letters()
        if mode == "threads":
            assert len(choreia_threads()) <= 5  # they hold none


# -- many -----------------------------------------------------------------------------------------


class Idle(Agent):
    __slots__ = ()

    @on("go")
    def go(self, event: Event) -> None:
        self.emit("went")


def spawn_many(count: int) -> float:
    """They answer one event each, and stop; how much memory an idle one took, in bytes."""

    def memory() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    answers: list[Event] = []
    with ActorSystem() as system:
        system.subscribe("went", answers.append, mailbox=2 * count)
        gc.collect()
        before = memory()
        for number in range(count):
            system.spawn(Idle, name=f"idle-{number}")
        system.wait_idle(600)
        each = (memory() - before) / count
        assert len(choreia_threads()) < 10
        system.publish("go")
        system.wait_idle(600)
        assert len(answers) == count
        assert len({event.source for event in answers}) == count
        refs = [system.ref(f"idle-{number}") for number in range(0, count, count // 10)]
        assert all(ref.is_alive() for ref in refs)
    assert not any(ref.is_alive() for ref in refs)
    return each


def test_ten_thousand_idle_agents_answer_and_stop() -> None:
    assert spawn_many(10_000) < 8_192


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_a_hundred_thousand_idle_agents_answer_and_stop() -> None:
    assert spawn_many(100_000) < 5_120


# -- apart, and gone ------------------------------------------------------------------------------


def test_two_systems_in_one_process_do_not_see_each_other(mode: Mode) -> None:
    heard: list[tuple[str, str]] = []

    class Hears(Agent):
        capabilities = ("hearing",)

        def __init__(self, where: str) -> None:
            super().__init__()
            self.where = where

        @on("said")
        def said(self, event: Event) -> None:
            heard.append((self.where, event.payload["where"]))

    with ActorSystem(mode=mode) as one, ActorSystem(mode=mode) as other:
        for system, where in ((one, "one"), (other, "other")):
            system.spawn(partial(Hears, where), name="hears")
        for system, where in ((one, "one"), (other, "other")):
            system.publish("said", {"where": where})
            system.wait_idle(20)
        assert heard == [("one", "one"), ("other", "other")]
        assert len(one.find("hearing")) == len(other.find("hearing")) == 1
        one.kill("hears")
        one.wait_idle(20)
        assert other.ref("hears").is_alive()
        other.publish("said", {"where": "other"})
        other.wait_idle(20)
        assert heard[-1] == ("other", "other")
        one.stop()
        other.publish("said", {"where": "other"})
        other.wait_idle(20)
        assert len(heard) == 4


class Everything(Agent):
    """Needs every kind of thread there is."""

    @on("go")
    async def go(self, event: Event) -> None:
        await asyncio.to_thread(threading.Event().wait, 0.01)
        self.after(3600, "never")

    @on("block")
    def block(self, event: Event) -> None:
        threading.Event().wait(0.05)

    @on("fail")
    def fail(self, event: Event) -> None:
        raise SystemExit

    @on("fail.async")
    async def fail_async(self, event: Event) -> None:
        raise KeyboardInterrupt


class Owner(Everything):
    threaded = True


@pytest.mark.parametrize("end", ["drain", "now", "exception", "async", "kill"])
def test_no_thread_is_left_after_stop(mode: Mode, end: str) -> None:
    def fill(system: ActorSystem) -> None:
        for number in range(5):
            system.spawn(Everything, name=f"everything-{number}")
            system.spawn(Owner, name=f"owner-{number}")
        for topic in ("go", "block", "fail", "fail.async"):
            assert system.try_publish(topic)

    async def run() -> None:
        async with ActorSystem(mode=mode) as system:
            fill(system)
            await system.wait_idle_async(20)

    if end == "async":
        asyncio.run(run())
    elif end == "exception":
        with contextlib.suppress(ZeroDivisionError), ActorSystem(mode=mode) as system:
            fill(system)
            raise ZeroDivisionError
    else:
        system = ActorSystem(mode=mode)
        fill(system)
        if end == "kill":
            for number in range(5):
                system.kill(f"owner-{number}")
        system.stop(drain=end != "now")
    assert choreia_threads() == []


def test_a_handler_that_hangs_does_not_keep_the_system_from_stopping(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("choreia.actors.stopping.GRACE", 0.1)
    begun, hold = threading.Event(), threading.Event()

    class Hangs(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            begun.set()
            hold.wait(60)

    system = ActorSystem()
    system.spawn(Hangs)
    system.publish("go")
    assert begun.wait(20)
    before = time.monotonic()
    system.stop(drain=False, timeout=0.1)
    assert time.monotonic() - before < 20
    assert "did not stop in time: hangs: " in caplog.text
    [left] = [t for t in threading.enumerate() if t.name.startswith("choreia")]
    hold.set()
    left.join(20)
    assert not left.is_alive()
