"""A semantic lock: who has it, until when."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia import InvalidAgent, Lock


def test_a_new_lock_is_nobodys() -> None:
    assert not Lock().held(0)
    assert Lock().free_for("a", 0)


def test_who_has_it_has_it_until_then() -> None:
    lock = Lock().take("a", now=100, seconds=10)
    assert (lock.held(109.9), lock.held(110)) == (True, False)
    assert not lock.free_for("b", 109.9)
    assert lock.free_for("b", 110)
    assert lock.free_for("a", 105)


def test_without_seconds_it_is_taken_until_it_is_released() -> None:
    assert Lock().take("a", now=0).held(1e12)


def test_who_has_it_may_take_it_for_longer() -> None:
    assert Lock().take("a", 0, 10).take("a", 5, 10).until == 15


def test_nobody_takes_it_from_another() -> None:
    with pytest.raises(InvalidAgent, match="case 'a' has it"):
        Lock().take("a", 0, 10).take("b", 5, 10)


def test_it_is_released_by_who_has_it_alone() -> None:
    lock = Lock().take("a", 0)
    assert lock.release("b") == lock
    assert lock.release("a") == Lock()


@pytest.mark.parametrize(
    ("owner", "now", "seconds"),
    [("", 0, 1), (None, 0, 1), ("a", 0, 0), ("a", nan, 1), ("a", 0, nan), ("a", None, 1)],
)
def test_what_makes_no_sense_is_refused(owner: str, now: float, seconds: float) -> None:
    with pytest.raises(InvalidAgent):
        Lock().take(owner, now, seconds)


moves = st.tuples(st.sampled_from("abc"), st.sampled_from([1.0, 3.0, inf]), st.booleans())


@given(st.lists(moves))
def test_it_never_has_two_owners(given: list[tuple[str, float, bool]]) -> None:
    lock, owner, until = Lock(), None, 0.0
    for now, (who, seconds, takes) in enumerate(given):
        free = owner is None or now >= until or owner == who
        assert lock.free_for(who, now) is free
        if not takes:
            lock = lock.release(who)
            owner = None if owner == who else owner
        elif free:
            lock = lock.take(who, now, seconds)
            owner, until = who, now + seconds
