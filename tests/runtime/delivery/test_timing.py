"""Durations by class: a quantile is never too low, and at most an eighth too high."""

from __future__ import annotations

import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.delivery.timing import Times

durations = st.floats(1e-9, 1e6)


def exact(seen: list[float], share: float) -> float:
    """The least duration that is not exceeded by so many."""
    return sorted(seen)[max(0, math.ceil(share * len(seen) - 1e-9) - 1)]


@given(st.lists(durations, min_size=1), st.sampled_from([0.0, 0.25, 0.5, 0.95, 1.0]))
def test_a_quantile_is_at_most_an_eighth_too_high(seen: list[float], share: float) -> None:
    times = Times()
    for seconds in seen:
        times.add(seconds, 1)
    found = times.quantile(share)
    assert found is not None
    assert exact(seen, share) <= found <= exact(seen, share) * 1.125 * (1 + 1e-12)


@given(durations, st.integers(1, 1_000), durations, st.integers(1, 1_000))
def test_events_of_one_turn_count_each(a: float, many: int, b: float, more: int) -> None:
    together, alone = Times(), Times()
    together.add(a, many)
    together.add(b, more)
    for _ in range(many):
        alone.add(a, 1)
    for _ in range(more):
        alone.add(b, 1)
    assert together.now == alone.now


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-300])
def test_time_that_stands_still_is_the_shortest(seconds: float) -> None:
    times = Times()
    times.add(seconds, 1)
    found = times.quantile(0.95)
    assert found is not None
    assert 0 < found < 2e-9


def test_nothing_seen_is_none() -> None:
    assert Times().quantile(0.95) is None


def test_two_spans_are_kept() -> None:
    times = Times()
    times.add(1.0, 1)
    times.next_span()
    assert times.quantile(1.0) == pytest.approx(1.125)  # there at once, as it was lately
    times.add(0.001, 99)
    assert times.quantile(0.95) == pytest.approx(0.001, rel=0.125)
    assert times.quantile(1.0) == pytest.approx(1.125)
    times.next_span()
    assert times.quantile(1.0) == pytest.approx(0.001, rel=0.125)
    times.next_span()
    assert times.quantile(1.0) is None


def test_others_may_look_while_it_counts() -> None:
    times, over = Times(), threading.Event()
    failed: list[BaseException] = []

    def look() -> None:
        try:
            while not over.is_set():
                times.quantile(0.95)
        except BaseException as error:
            failed.append(error)

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(20_000):
        times.add(1.1 ** (number % 300) * 1e-9, 1)
        if number % 1_000 == 0:
            times.next_span()
    over.set()
    looking.join()
    assert not failed
