"""A supervisor's own time leaves out its own absence, and never goes back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.health.attention import ON_TIME, REMEMBERED, Attention


def test_on_time_its_time_is_everybodys() -> None:
    attention = Attention()
    attention.awake(10 + ON_TIME, 10)
    assert attention.own(5) == 5
    assert attention.own(100) == 100
    assert attention.allowance == 0


def test_absence_does_not_count() -> None:
    attention = Attention()
    attention.awake(at=100, due=10)
    assert attention.own(100) == 10
    assert attention.own(103) == 13
    assert attention.own(9) == 9, "before it, nothing has changed"
    assert attention.own(10) == attention.own(55) == 10, "meanwhile, it stood still"


def test_absences_add_up() -> None:
    attention = Attention()
    attention.awake(20, 10)
    attention.awake(50, 30)
    assert [attention.own(at) for at in (5, 15, 25, 40, 50, 60)] == [5, 10, 15, 20, 20, 30]


def test_what_held_up_two_looks_counts_once() -> None:
    attention = Attention()
    attention.awake(100, 10)
    attention.awake(100, 40)
    attention.awake(101, 50)
    assert attention.own(101) == 11 - 1


def test_the_others_are_given_as_long_as_it_was_late_and_then_half_of_it() -> None:
    attention = Attention()
    attention.awake(12, 10)
    assert attention.allowance == 2
    attention.awake(20, 20)
    assert attention.allowance == 1
    attention.awake(30.5, 30)
    assert attention.allowance == 0.5
    attention.awake(40, 40)
    assert attention.allowance == 0.25


def test_where_there_was_nothing_to_see_nobody_was_held_up() -> None:
    attention = Attention()
    attention.awake(1_000_000, 10, excused=True)
    assert attention.allowance == 0
    assert attention.own(1_000_000) == 10


def test_it_remembers_the_last_absences() -> None:
    attention = Attention()
    for n in range(REMEMBERED + 10):
        attention.awake(10 * n + 1, 10 * n)
    now = 10.0 * (REMEMBERED + 10)
    assert attention.own(now) == now - (REMEMBERED + 10)
    assert attention.own(0.5) == 0.5 - 10, "long ago is taken for as long ago as all before"


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50)), min_size=1, max_size=30),
    st.lists(st.floats(0, 5_000), min_size=2, max_size=20),
)
def test_it_never_goes_back_and_never_hurries(
    looks: list[tuple[float, float]], times: list[float]
) -> None:
    attention, now = Attention(), 0.0
    for wait, late in looks:
        due = now + wait
        now = due + late
        attention.awake(now, due)
    for before, after in pairwise(sorted(times)):
        passed = attention.own(after) - attention.own(before)
        assert -1e-6 <= passed <= after - before + 1e-6
    lost = sum(late for _, late in looks if late > ON_TIME)
    assert attention.own(now) == pytest.approx(now - lost, abs=len(looks) * ON_TIME + 1e-6)
