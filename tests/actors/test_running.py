"""A system that runs until a signal comes: it drains, it is cut short, and what is told of it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from choreia import ActorSystem, Agent, BlockingCall, ChoreiaError, Event, Exit, InvalidLimit, on

PATIENCE = 30


class Work:
    """Says when it has begun, and ends when it may."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.ended = False


class Slow(Agent):
    def __init__(self, given: Work) -> None:
        super().__init__()
        self.given = given

    @on("work")
    def work(self, event: Event) -> None:
        self.given.begun.set()
        self.given.may_end.wait(PATIENCE)
        self.given.ended = True


def kill(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def meanwhile(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def running(system: ActorSystem) -> bool:
    """Whether `system.run` has taken over the signals."""
    return getattr(signal.getsignal(signal.SIGINT), "__name__", "") == "hear"


def until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE * 200):
        if holds():
            return
        pause.wait(0.005)
    pytest.fail("it did not come true")


@pytest.mark.parametrize(
    ("number", "ended"),
    [(signal.SIGINT, Exit("interrupted")), (signal.SIGTERM, Exit("terminated"))],
)
def test_a_signal_drains_and_stops(number: signal.Signals, ended: Exit) -> None:
    slow = Work()

    def end() -> None:
        until(lambda: running(system))
        kill(number)
        until(lambda: system._stopping.is_open)
        slow.may_end.set()

    with ActorSystem() as system:
        system.spawn(lambda: Slow(slow))
        system.publish("work")
        assert slow.begun.wait(PATIENCE)
        thread = meanwhile(end)
        assert system.run() == ended
    thread.join()
    assert slow.ended


def test_it_tells_when_it_waits_and_when_it_ends() -> None:
    told: list[str] = []

    def tell(what: str) -> None:
        told.append(what)
        if what == "running":
            kill(signal.SIGTERM)  # from now on nothing is lost

    with ActorSystem() as system:
        assert system.run(tell=tell) == Exit("terminated")
    assert told == ["running", "terminated"]


def test_exit_codes() -> None:
    assert Exit("terminated").code == Exit("stopped").code == 0
    assert Exit("interrupted").code == 130
    assert Exit("terminated", drained=False).code == Exit("interrupted", drained=False).code == 1
    assert Exit("interrupted", drained=False, at_once=True).code == 130


def test_a_second_ctrl_c_stops_at_once() -> None:
    slow = Work()

    def end() -> None:
        until(lambda: running(system))
        kill(signal.SIGINT)
        until(lambda: system._stopping.is_open)
        kill(signal.SIGINT)

    with ActorSystem() as system:
        system.spawn(lambda: Slow(slow), name="slow")
        system.publish("work")
        assert slow.begun.wait(PATIENCE)
        thread = meanwhile(end)
        ended = system.run(grace=10_000)
    thread.join()
    slow.may_end.set()
    assert (ended.reason, ended.at_once, ended.drained, ended.code) == (
        "interrupted", True, False, 130
    )  # fmt: skip
    assert any("slow" in line for line in ended.left)


def test_when_the_grace_is_over_it_says_what_is_left() -> None:
    slow = Work()

    def end() -> None:
        until(lambda: running(system))
        kill(signal.SIGTERM)

    with ActorSystem() as system:
        system.spawn(lambda: Slow(slow), name="slow")
        system.publish("work")
        assert slow.begun.wait(PATIENCE)
        thread = meanwhile(end)
        ended = system.run(grace=0)
    thread.join()
    slow.may_end.set()
    assert (ended.reason, ended.drained, ended.code) == ("terminated", False, 1)
    assert any("slow" in line for line in ended.left)


def test_it_ends_when_somebody_else_stops_the_system() -> None:
    def end() -> None:
        until(lambda: running(system))
        system.stop()

    with ActorSystem() as system:
        thread = meanwhile(end)
        assert system.run() == Exit("stopped")
        assert system.run() == Exit("stopped"), "it has ended already"
    thread.join()


def test_a_signal_while_somebody_else_stops_it() -> None:
    slow = Work()

    def end() -> None:
        until(lambda: running(system))
        stopping = meanwhile(system.stop)
        until(lambda: system._stopping.is_open)
        kill(signal.SIGTERM)
        slow.may_end.set()
        stopping.join()

    with ActorSystem() as system:
        system.spawn(lambda: Slow(slow))
        system.publish("work")
        assert slow.begun.wait(PATIENCE)
        thread = meanwhile(end)
        ended = system.run()
    thread.join()
    assert ended.reason in ("terminated", "stopped")  # the system may have ended before the signal
    assert (ended.drained, ended.code) == (True, 0)


def test_what_is_in_a_store_is_not_lost_to_haste(tmp_path: Path) -> None:
    class Counts(Agent):
        @on("work")
        def work(self, event: Event) -> None:
            handled.append(event.payload["n"])

    def end() -> None:
        until(lambda: running(system))
        kill(signal.SIGINT)

    handled: list[int] = []
    with ActorSystem(store=tmp_path / "events.db") as system:
        system.spawn(Counts)
        for n in range(50):
            system.publish("work", {"n": n})
        thread = meanwhile(end)
        assert system.run() == Exit("interrupted")
    thread.join()
    assert handled == list(range(50))


def test_signals_are_as_before() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def end() -> None:
        until(lambda: running(system))
        kill(signal.SIGTERM)

    with ActorSystem() as system:
        thread = meanwhile(end)
        system.run()
    thread.join()
    assert {number: signal.getsignal(number) for number in before} == before


def test_only_the_main_thread_hears_of_signals() -> None:
    said: list[str] = []

    def run() -> None:
        try:
            system.run()
        except ChoreiaError as error:
            said.append(str(error))

    with ActorSystem() as system:
        meanwhile(run).join()
    assert "only the main thread hears of them" in said[0]


def test_virtual_time_does_not_run() -> None:
    with (
        ActorSystem(mode="simulated") as system,
        pytest.raises(ChoreiaError, match=r"run\(\) is for real time"),
    ):
        system.run()


def test_a_loop_is_not_blocked() -> None:
    async def wrong() -> None:
        async with ActorSystem() as system:
            with pytest.raises(BlockingCall, match="run would block the event loop"):
                system.run()

    asyncio.run(wrong())


def test_a_handler_cannot_run_its_system() -> None:
    class Wants(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            try:
                system.run()
            except ChoreiaError as error:
                said.append(str(error))

    said: list[str] = []
    with ActorSystem() as system:
        system.spawn(Wants)
        system.publish("go")
        system.wait_idle(PATIENCE)
    assert said


def test_the_grace_is_checked() -> None:
    with ActorSystem() as system, pytest.raises(InvalidLimit):
        system.run(grace=float("nan"))
