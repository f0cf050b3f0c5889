"""Virtual time: it stands still, and then jumps."""

from __future__ import annotations

from functools import partial

from choreia.runtime.simulation.clock import START, SimulatedClock


def test_time_begins_at_a_fixed_moment_and_stands_still() -> None:
    clock = SimulatedClock()
    assert (clock.now(), clock.monotonic()) == (START, 0.0)
    assert (clock.now(), clock.monotonic()) == (START, 0.0)
    assert SimulatedClock(start=1e9).now() == 1e9


def test_advancing_moves_both_clocks_and_never_back() -> None:
    clock = SimulatedClock(start=100)
    clock.advance_to(5)
    assert (clock.now(), clock.monotonic()) == (105, 5)
    clock.advance_to(3)
    assert clock.monotonic() == 5


def test_timers_fire_in_the_order_of_their_times_then_of_their_making() -> None:
    clock, fired = SimulatedClock(), list[str]()
    for name, delay in (("d", 3), ("a", 1), ("c", 2), ("b", 1), ("late", 9)):
        clock.call_later(delay, partial(fired.append, name))
    assert clock.next_timer() == 1
    clock.advance_to(3)
    assert fired == ["a", "b", "c", "d"]
    assert clock.next_timer() == 9


def test_a_timer_set_by_a_timer_fires_in_the_same_jump_if_it_is_due() -> None:
    clock, fired = SimulatedClock(), list[float]()

    def again() -> None:
        fired.append(clock.monotonic())
        if len(fired) < 3:
            clock.call_later(0, again)
        else:
            clock.call_later(1, again)

    clock.call_later(1, again)
    clock.advance_to(1)
    assert fired == [1, 1, 1]
    assert clock.next_timer() == 2


def test_a_cancelled_timer_is_no_timer() -> None:
    clock, fired = SimulatedClock(), list[int]()
    timer = clock.call_later(1, partial(fired.append, 1))
    clock.call_later(2, partial(fired.append, 2))
    timer.cancel()
    assert clock.next_timer() == 2
    clock.advance_to(5)
    assert fired == [2]
    assert clock.next_timer() is None


def test_a_delay_below_nothing_is_nothing() -> None:
    clock = SimulatedClock()
    clock.advance_to(5)
    clock.call_later(-3, lambda: None)
    assert clock.next_timer() == 5


def test_a_stopped_clock_has_no_timers() -> None:
    clock = SimulatedClock()
    clock.call_later(1, lambda: None)
    clock.stop()
    assert clock.next_timer() is None
