"""The wheel: everybody is looked at once an interval, and many cost few timers."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.health.wheel import FINEST, SLOTS, Wheel
from choreia.runtime.simulation.clock import SimulatedClock


class Seen:
    """Notes who was looked at when, and sends away whoever is told to."""

    def __init__(self, *, spread: bool = True) -> None:
        self.clock = SimulatedClock()
        self.wheel: Wheel[str] = Wheel(self.clock, self.look, spread=spread)
        self.looks: list[tuple[float, str]] = []
        self.lateness: list[float] = []
        self.timers = 0
        self.leaving: set[str] = set()

    def look(self, items: list[str], due: float) -> list[str]:
        self.timers += 1
        self.lateness.append(self.clock.monotonic() - due)
        self.looks += [(self.clock.monotonic(), item) for item in items]
        return [item for item in items if item not in self.leaving]

    def pass_time(self, seconds: float) -> None:
        ends = self.clock.monotonic() + seconds
        while (due := self.clock.next_in_background()) is not None and due <= ends:
            self.clock.advance_to(due)
        self.clock.advance_to(ends)

    def times(self, item: str) -> list[float]:
        return [at for at, one in self.looks if one == item]


def test_one_is_looked_at_every_interval() -> None:
    seen = Seen()
    seen.pass_time(100)
    seen.wheel.add("a", 30)
    seen.pass_time(100)
    assert seen.times("a") == [130, 160, 190]


def test_many_are_spread_over_the_interval() -> None:
    seen = Seen()
    for number in range(320):
        seen.wheel.add(str(number), 30)
    seen.pass_time(30)
    per_look = Counter(at for at, _ in seen.looks)
    assert len(seen.looks) == 320, "within the first interval each, once"
    assert set(per_look.values()) == {10}
    assert seen.timers == SLOTS
    seen.pass_time(30)
    assert len(seen.looks) == 640


def test_unspread_they_are_looked_at_together() -> None:
    seen = Seen(spread=False)
    for number in range(100):
        seen.wheel.add(str(number), 30)
    seen.pass_time(60)
    assert seen.timers == 2
    assert set(Counter(one for _, one in seen.looks).values()) == {2}


def test_short_intervals_are_not_cut_finer_than_needed() -> None:
    seen = Seen()
    for number in range(100):
        seen.wheel.add(str(number), 5 * FINEST)
    seen.pass_time(5 * FINEST)
    assert seen.timers == 5


def test_intervals_do_not_disturb_each_other() -> None:
    seen = Seen()
    seen.wheel.add("a", 10)
    seen.wheel.add("b", 3)
    seen.pass_time(12)
    assert seen.times("a") == [10]
    assert seen.times("b") == [3, 6, 9, 12]


def test_whoever_is_not_kept_is_forgotten() -> None:
    seen = Seen()
    seen.wheel.add("a", 10)
    seen.wheel.add("b", 10)
    seen.pass_time(10)
    seen.leaving = {"a"}
    seen.pass_time(30)
    assert len(seen.times("a")) == 2
    assert len(seen.times("b")) >= 3
    seen.leaving = {"b"}
    seen.pass_time(100)
    assert seen.clock.next_in_background() is None, "with nobody on it, it stands still"
    seen.wheel.add("c", 10)
    before = seen.clock.monotonic()
    seen.pass_time(10)
    assert seen.times("c") == [before + 10]


def test_held_up_it_goes_on_and_makes_up_for_nothing() -> None:
    seen = Seen()
    for number in range(64):
        seen.wheel.add(str(number), 32)
    seen.pass_time(32)
    seen.looks.clear()
    seen.timers = 0
    seen.clock.advance_to(seen.clock.monotonic() + 3_600)
    assert seen.timers == 1, "what it has slept through does not come in a burst"
    assert seen.lateness[-1] == 3_600 - 1
    seen.pass_time(32)
    assert set(Counter(one for _, one in seen.looks).values()) <= {1, 2}
    assert len({one for _, one in seen.looks}) == 64


@given(
    st.lists(
        st.tuples(st.floats(0, 40), st.sampled_from([0.5, 3.0, 30.0])), min_size=1, max_size=40
    ),
    st.booleans(),
)
def test_everybody_is_looked_at_in_time(arrivals: list[tuple[float, float]], spread: bool) -> None:
    """From the first time on exactly every interval, and for the first time within one."""
    seen, came = Seen(spread=spread), {}
    for number, (wait, interval) in enumerate(arrivals):
        seen.pass_time(wait)
        seen.wheel.add(str(number), interval)
        came[str(number)] = seen.clock.monotonic(), interval
    seen.pass_time(100)
    for item, (at, interval) in came.items():
        times = [at, *seen.times(item)]
        gaps = [then - first for first, then in pairwise(times)]
        assert 0 <= gaps[0] <= interval + 1e-6
        assert all(abs(gap - interval) < 1e-6 for gap in gaps[1:])
        assert seen.clock.monotonic() - times[-1] <= interval + 1e-6
