"""What looking costs, and that what is dear is done seldom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.inspection import real
from choreia.runtime.inspection.meter import BUDGET, SPAN, Meter, pause_after


class Time:
    """Real time and processor time, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        self.used = 0.0
        monkeypatch.setattr(real, "monotonic", lambda: self.now)
        monkeypatch.setattr(real, "cpu", lambda: self.used)

    def go_on(self, meter: Meter, seconds: float, share: float, step: float = 0.25) -> None:
        for _ in range(round(seconds / step)):
            self.now += step
            self.used += step * share
            meter.mark()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)


@given(st.floats(0.05, 100), st.floats(0, 10))
def test_the_budget_stretches_dear_frames(every: float, cost: float) -> None:
    pause = pause_after(cost, every)
    assert pause >= every
    assert cost <= pause * BUDGET * (1 + 1e-9)
    assert pause == every or cost > every * BUDGET


def test_cheap_frames_come_as_they_are_wanted() -> None:
    assert pause_after(0.002, 0.25) == 0.25
    assert pause_after(0.0, 0.25) == 0.25


def test_dear_ones_later() -> None:
    assert pause_after(0.02, 0.25) == pytest.approx(2.0)


def test_nothing_is_known_at_first(time: Time) -> None:
    meter = Meter()
    assert meter.share() == 0.0
    meter.mark()
    assert meter.share() == 0.0


def test_the_share_is_of_what_was_lately(time: Time) -> None:
    meter = Meter()
    time.go_on(meter, 60, 0.5)
    assert meter.share() == pytest.approx(0.5)
    time.go_on(meter, SPAN + 1, 0.1)
    assert meter.share() == pytest.approx(0.1)
    assert meter.seconds == pytest.approx(30 + 1.1)


def test_an_hour_in_which_nobody_looked_counts_as_such(time: Time) -> None:
    meter = Meter()
    time.go_on(meter, 5, 0.5)
    time.now += 3_600
    meter.mark()
    assert meter.share() < 0.01
    time.go_on(meter, SPAN + 1, 0.3)
    assert meter.share() == pytest.approx(0.3)


def test_other_threads_count_too(time: Time) -> None:
    meter = Meter()
    meter.mark()
    meter.add(2.0)
    time.now += 4
    meter.mark()
    assert meter.share() == pytest.approx(0.5)
    assert meter.seconds == 2.0


def test_marks_are_few_however_often_it_goes_round(time: Time) -> None:
    meter = Meter()
    time.go_on(meter, 40, 0.01, step=0.001)
    assert len(meter._marks) < 110
    assert meter.share() == pytest.approx(0.01, rel=0.05)
    assert meter.seconds == pytest.approx(0.4)
