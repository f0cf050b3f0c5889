"""The real clock: timers fire in order, once, and not after they were cancelled."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from choreia.runtime.delivery.clock import SystemClock, Timer
from choreia.runtime.delivery.gate import Gate

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import InThreads


@pytest.fixture
def clock() -> Iterator[SystemClock]:
    clock = SystemClock()
    yield clock
    clock.stop()


def after_all(clock: SystemClock, delay: float = 0.0) -> None:
    """Wait for a timer that is due after all that are due by then."""
    gate = Gate()
    clock.call_later(delay, gate.open)
    assert gate.wait(20)


def test_it_tells_the_machines_time(clock: SystemClock) -> None:
    assert abs(clock.now() - time.time()) < 60
    assert abs(clock.monotonic() - time.monotonic()) < 60


def test_timers_fire_in_the_order_of_their_times_then_of_their_making(clock: SystemClock) -> None:
    fired: list[str] = []
    hold = threading.Event()
    clock.call_later(0, lambda: print(hold.wait(20)))  # nothing fires while these are made
    for name, delay in (("d", 0.03), ("a", 0.0), ("c", 0.02), ("b", 0.0)):
        clock.call_later(delay, partial(fired.append, name))
    hold.set()
    after_all(clock, 0.04)
    assert fired == ["a", "b", "c", "d"]
    same = [Timer(1.0, order, lambda: None) for order in (2, 1)]
    assert sorted(same)[0].order == 1


def test_nothing_fires_before_its_time(clock: SystemClock) -> None:
    before = clock.monotonic()
    after_all(clock, 0.05)
    assert clock.monotonic() - before >= 0.05


def test_an_earlier_timer_overtakes_the_one_that_is_waited_for(clock: SystemClock) -> None:
    clock.call_later(3600, lambda: pytest.fail("an hour has not passed"))
    after_all(clock, 0.01)


@pytest.mark.parametrize("delay", [1e9, 1e18])
def test_a_timer_in_a_very_long_time_does_not_disturb_the_others(
    clock: SystemClock, delay: float
) -> None:
    clock.call_later(delay, lambda: pytest.fail("that long?"))
    after_all(clock, 0.01)
    after_all(clock, 0.01)


def test_a_cancelled_timer_does_not_fire_and_lets_go_of_what_it_held(clock: SystemClock) -> None:
    fired: list[int] = []
    timer = clock.call_later(0.01, lambda: fired.append(1))
    timer.cancel()
    assert timer.callback is None
    after_all(clock, 0.02)
    assert fired == []
    timer.cancel()


def test_a_timer_fires_once_however_often_it_is_fired(clock: SystemClock) -> None:
    fired: list[int] = []
    timer = clock.call_later(3600, lambda: fired.append(1))
    timer.fire()
    timer.fire()
    timer.cancel()
    assert fired == [1]


def test_a_callback_that_raises_is_logged_and_the_next_one_fires(
    clock: SystemClock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.call_later(0, lambda: 1 / 0)  # type: ignore[arg-type]
    after_all(clock)
    [record] = [record for record in caplog.records if record.name == "choreia.clock"]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_a_thread_is_started_with_the_first_timer_and_ended_by_stop() -> None:
    clock = SystemClock()

    def threads() -> int:
        return sum(thread.name == "choreia-timers" for thread in threading.enumerate())

    assert threads() == 0
    clock.call_later(3600, lambda: pytest.fail("it was stopped"))
    clock.call_later(3600, lambda: pytest.fail("it was stopped"))
    assert threads() == 1
    clock.stop()
    assert threads() == 0
    clock.stop()
    clock.call_later(0, lambda: pytest.fail("it was stopped"))
    assert threads() == 0


def test_stopping_from_a_timer_works() -> None:
    clock, gate = SystemClock(), Gate()

    def stop() -> None:
        clock.stop()
        gate.open()

    clock.call_later(0, stop)
    assert gate.wait(20)
    for thread in threading.enumerate():
        if thread.name == "choreia-timers":
            thread.join(20)


def test_eight_threads_set_and_cancel_timers_and_what_is_left_fires_once(
    clock: SystemClock, in_threads: InThreads
) -> None:
    fired: list[tuple[int, int]] = []
    lock = threading.Lock()

    def note(what: tuple[int, int]) -> None:
        with lock:
            fired.append(what)

    def run(number: int) -> None:
        for n in range(200):
            timer = clock.call_later(0.2 if n % 2 else 0, partial(note, (number, n)))
            if n % 2:
                timer.cancel()

    in_threads(8, run)
    after_all(clock, 0.25)
    assert sorted(fired) == [(number, n) for number in range(8) for n in range(0, 200, 2)]
