"""The real dispatcher: a pool, a watchdog, a loop, and lanes for agents with their own thread."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.workers import ThreadDispatcher


class Task:
    since = 0.0

    def lost(self, how: str) -> None: ...

    def __init__(self, run: Callable[[], object]) -> None:
        self._run = run

    @property
    def turn(self) -> Task:
        return self

    def run(self) -> None:
        self._run()


@pytest.fixture
def dispatcher() -> Iterator[ThreadDispatcher]:
    dispatcher = ThreadDispatcher()
    yield dispatcher
    dispatcher.stop(20)


def names() -> set[str]:
    return {t.name for t in threading.enumerate() if t.name.startswith("choreia")}


def test_a_lane_runs_its_turns_on_a_thread_of_its_own(dispatcher: ThreadDispatcher) -> None:
    places: list[str] = []
    done = Gate()
    one, other = dispatcher.dedicated("one"), dispatcher.dedicated("other")
    for schedule in (one, other, one, dispatcher.schedule):
        schedule(Task(lambda: places.append(threading.current_thread().name)))
    for schedule in (one, other, dispatcher.schedule):
        gate = Gate()
        schedule(Task(gate.open))
        assert gate.wait(20)
    done.open()
    assert sorted(places) == [
        "choreia-one-1", "choreia-one-1", "choreia-other-1", "choreia-worker-1",
    ]  # fmt: skip


@pytest.mark.parametrize("lane", [False, True])
def test_it_is_quiet_only_when_the_pool_and_every_lane_are(
    dispatcher: ThreadDispatcher, lane: bool
) -> None:
    hold, begun, quiet = threading.Event(), Gate(), Gate()
    schedule = dispatcher.dedicated("lane") if lane else dispatcher.schedule
    assert dispatcher.quiet()

    def block() -> None:
        begun.open()
        hold.wait(20)

    schedule(Task(block))
    assert begun.wait(20)
    assert not dispatcher.quiet()
    assert dispatcher.lull() is None
    dispatcher.when_quiet(quiet.open)
    hold.set()
    assert quiet.wait(20)
    assert dispatcher.quiet()


def test_a_lane_that_is_given_up_counts_until_its_last_turn_has_ended(
    dispatcher: ThreadDispatcher,
) -> None:
    hold, released = threading.Event(), Gate()
    schedule = dispatcher.dedicated("lane")

    def last() -> None:
        dispatcher.release_lane(schedule)
        released.open()
        hold.wait(20)

    schedule(Task(last))
    assert released.wait(20)
    assert not dispatcher.quiet()
    dispatcher.dedicated("another")
    assert not dispatcher.quiet()
    quiet = Gate()
    dispatcher.when_quiet(quiet.open)
    hold.set()
    assert quiet.wait(20)


def test_lanes_that_have_ended_are_forgotten(dispatcher: ThreadDispatcher) -> None:
    for number in range(20):
        schedule = dispatcher.dedicated(f"lane-{number}")
        gate = Gate()
        schedule(Task(gate.open))
        assert gate.wait(20)
        dispatcher.release_lane(schedule)
        for thread in threading.enumerate():
            if thread.name == f"choreia-lane-{number}-1":
                thread.join(20)
    assert len(dispatcher._lanes) <= 2


def test_what_a_lull_is_worth(dispatcher: ThreadDispatcher) -> None:
    before = dispatcher.lull()
    assert before == dispatcher.lull()
    schedule = dispatcher.dedicated("lane")
    gate, quiet = Gate(), Gate()
    dispatcher.when_quiet(quiet.open)
    between = dispatcher.lull()
    schedule(Task(gate.open))
    assert gate.wait(20)
    assert quiet.wait(20)
    assert dispatcher.lull() not in (before, between)


@pytest.mark.parametrize("timeout", [0, 20])
def test_stopping_ends_every_thread(timeout: float) -> None:
    for _ in range(20):
        dispatcher = ThreadDispatcher(workers=2)
        lanes = [dispatcher.dedicated(f"lane-{number}") for number in range(3)]
        gates = [Gate() for _ in range(6)]
        for gate, schedule in zip(gates, (*lanes, *(dispatcher.schedule,) * 3), strict=True):
            schedule(Task(gate.open))

        async def nothing() -> None: ...

        ended = Gate()
        dispatcher.start_coroutine(
            nothing(), contextvars.copy_context(), lambda *_, ended=ended: ended.open()
        )
        for gate in (*gates, ended):
            assert gate.wait(20)
        dispatcher.release_lane(lanes[0])
        dispatcher.stop(timeout)
        assert names() == set()


def test_stopping_leaves_a_thread_that_hangs_behind_after_the_timeout() -> None:
    dispatcher, hold, begun = ThreadDispatcher(), threading.Event(), Gate()

    def hang() -> None:
        begun.open()
        hold.wait(60)

    dispatcher.schedule(Task(hang))
    assert begun.wait(20)
    before = time.monotonic()
    dispatcher.stop(0.01)
    assert time.monotonic() - before < 20
    [left] = [t for t in threading.enumerate() if t.name.startswith("choreia")]
    hold.set()
    left.join(20)


def test_waiting_in_a_turn_lets_another_thread_take_over(dispatcher: ThreadDispatcher) -> None:
    gate, done = Gate(), Gate()

    def wait() -> None:
        assert dispatcher.wait(gate, 20)
        done.open()

    dispatcher.schedule(Task(wait))
    dispatcher.schedule(Task(gate.open))
    assert done.wait(20)
    assert not dispatcher.wait(Gate(), 0)
    assert dispatcher.wait(gate, 0)
    assert asyncio.run(dispatcher.wait_async(gate, 0))
    assert not asyncio.run(dispatcher.wait_async(Gate(), 0))
