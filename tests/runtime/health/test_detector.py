"""The detectors: when each becomes suspicious, and what it learns. All times are made up."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import pairwise, repeat
from math import erfc, isfinite, log10, sqrt
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.health.detector import (
    HIGHEST_PHI,
    LEAST_DEVIATION,
    THRESHOLD,
    WINDOW,
    Detector,
    PhiDetector,
    TimeoutDetector,
    Window,
    detector_for,
    margin,
)
from choreia.runtime.health.heartbeat import DetectorKind, Heartbeat

EVERY_SECOND = Heartbeat(interval=1, timeout=3, detector="phi")
HOUR = 3600

starts = st.floats(0, 1e6)
intervals = st.lists(st.floats(0, 100), max_size=30)
thresholds = st.floats(1, HIGHEST_PHI)


@st.composite
def heartbeats(draw: st.DrawFn) -> Heartbeat:
    interval = draw(st.floats(0.01, 100))
    detector: DetectorKind = draw(st.sampled_from(["timeout", "phi"]))
    return Heartbeat(interval, interval * draw(st.floats(1, 10)), detector)


def tell(detector: Detector, intervals: Iterable[float]) -> None:
    """Heartbeats, so far apart."""
    for interval in intervals:
        detector.heard(detector.last + interval)


def patience(detector: Detector) -> float:
    """Seconds of silence that it bears."""
    return detector.deadline() - detector.last


# -- both -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "made"), [("timeout", TimeoutDetector), ("phi", PhiDetector)])
def test_a_heartbeat_names_its_detector(kind: DetectorKind, made: type[Detector]) -> None:
    detector = detector_for(Heartbeat(detector=kind), 7.0)
    assert type(detector) is made
    assert detector.last == 7
    assert detector.evidence(8.0)["detector"] == kind


@given(heartbeats(), starts, intervals)
def test_nobody_is_suspected_before_the_timeout(
    heartbeat: Heartbeat, start: float, intervals: list[float]
) -> None:
    detector = detector_for(heartbeat, start)
    for interval in intervals:
        at = detector.last + interval
        detector.heard(at)
        assert detector.last == at
        assert patience(detector) >= heartbeat.timeout - 1e-6


@given(heartbeats(), starts, intervals, st.floats(0, 1e12))
def test_evidence_is_finite(
    heartbeat: Heartbeat, start: float, intervals: list[float], silence: float
) -> None:
    detector = detector_for(heartbeat, start)
    tell(detector, intervals)
    now = detector.last + silence
    evidence = detector.evidence(now)
    assert evidence["silence"] == now - detector.last
    assert all(isfinite(value) for value in evidence.values() if not isinstance(value, str))


# -- the timeout ----------------------------------------------------------------------------------


@given(heartbeats(), starts, intervals)
def test_a_timeout_is_exact(heartbeat: Heartbeat, start: float, intervals: list[float]) -> None:
    detector = TimeoutDetector(heartbeat, start)
    assert detector.deadline() == start + heartbeat.timeout
    tell(detector, intervals)
    assert detector.deadline() == detector.last + heartbeat.timeout


def test_the_evidence_of_a_timeout() -> None:
    detector = TimeoutDetector(EVERY_SECOND, 0.0)
    detector.heard(2.0)
    assert detector.evidence(5.5) == {"detector": "timeout", "silence": 3.5, "timeout": 3}


def test_a_million_timeouts_are_small() -> None:
    # The object itself, two references, and the garbage collector's header.
    assert sys.getsizeof(TimeoutDetector(EVERY_SECOND, 0.0)) <= 64
    assert not hasattr(TimeoutDetector(EVERY_SECOND, 0.0), "__dict__")


# -- phi: the number ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deviations", "probability"),
    # of a normal variable to be so much above its mean: from tables
    [(0, 0.5), (1, 0.158655), (2, 0.0227501), (3, 0.00134990), (5.6120012, 1e-8)],
)
def test_phi_is_the_logarithm_of_a_probability(deviations: float, probability: float) -> None:
    detector = PhiDetector(EVERY_SECOND, 0.0)
    now = detector.mean + 2 + deviations * detector.deviation  # 2: the acceptable pause
    assert detector.phi(now) == pytest.approx(-log10(probability), rel=1e-5)


@given(heartbeats(), starts, intervals, thresholds)
def test_phi_reaches_its_threshold_at_the_deadline(
    heartbeat: Heartbeat, start: float, intervals: list[float], threshold: float
) -> None:
    detector = PhiDetector(heartbeat, start, threshold=threshold)
    tell(detector, intervals)
    # A deadline at 10^6 s is rounded to 10^-10 s, which the steep tail magnifies.
    assert detector.phi(detector.deadline()) == pytest.approx(threshold, rel=1e-5)


@given(thresholds)
def test_the_margin_is_the_inverse_of_the_tail(threshold: float) -> None:
    assert -log10(erfc(margin(threshold) / sqrt(2)) / 2) == pytest.approx(threshold, rel=1e-12)


@given(heartbeats(), intervals, st.lists(st.floats(0, 1e9), min_size=2))
def test_phi_grows_with_silence_and_is_capped(
    heartbeat: Heartbeat, intervals: list[float], silences: list[float]
) -> None:
    detector = PhiDetector(heartbeat, 0.0)
    tell(detector, intervals)
    phis = [detector.phi(detector.last + silence) for silence in sorted(silences)]
    assert all(0 <= earlier <= later for earlier, later in pairwise(phis))
    assert detector.phi(1e300) == HIGHEST_PHI == max([*phis, HIGHEST_PHI])


@given(thresholds, thresholds, st.lists(st.floats(0, 3)))
def test_a_higher_threshold_waits_longer(one: float, other: float, intervals: list[float]) -> None:
    low, high = (
        PhiDetector(EVERY_SECOND, 0.0, threshold=threshold) for threshold in sorted((one, other))
    )
    tell(low, intervals)
    tell(high, intervals)
    # Both bear all of these, so they learn the same.
    assert patience(low) <= patience(high) + 1e-9


@pytest.mark.parametrize("threshold", [0.999, 300.1, -1, float("nan")])
def test_a_senseless_threshold_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="give a phi from 1 to 300"):
        PhiDetector(EVERY_SECOND, 0.0, threshold=threshold)


def test_the_evidence_of_phi() -> None:
    detector = PhiDetector(EVERY_SECOND, 0.0)
    tell(detector, repeat(1.0, WINDOW))
    now = detector.deadline()
    assert detector.evidence(now) == {
        "detector": "phi",
        "silence": now - WINDOW,
        "phi": pytest.approx(THRESHOLD),
        "threshold": THRESHOLD,
        "mean": 1,
        "deviation": LEAST_DEVIATION,
    }


# -- phi: what it learns --------------------------------------------------------------------------


def test_the_first_estimate_is_cautious() -> None:
    detector = PhiDetector(EVERY_SECOND, 0.0)
    assert (detector.mean, detector.deviation) == (1, 0.25)
    assert patience(detector) == pytest.approx(3 + 0.25 * margin(THRESHOLD))


def test_who_is_regular_is_suspected_about_the_timeout_after() -> None:
    detector = PhiDetector(Heartbeat(interval=30, timeout=90), 0.0)
    tell(detector, repeat(30.0, WINDOW))
    assert patience(detector) == pytest.approx(90 + 0.02 * 30 * margin(THRESHOLD))
    assert patience(detector) < 90 * 1.04


def test_who_is_irregular_is_borne_with() -> None:
    detector = PhiDetector(EVERY_SECOND, 0.0)
    tell(detector, [0.5, 1.5] * WINDOW)
    assert (detector.mean, detector.deviation) == (1, 0.5)
    assert patience(detector) == pytest.approx(3 + 0.5 * margin(THRESHOLD))


def test_a_slower_sender_is_learnt() -> None:
    detector = PhiDetector(EVERY_SECOND, 0.0)
    tell(detector, repeat(2.0, WINDOW))
    assert detector.mean == 2
    assert patience(detector) == pytest.approx(4 + LEAST_DEVIATION * margin(THRESHOLD))


def test_a_sender_slower_than_the_timeout_is_learnt_too() -> None:
    detector = PhiDetector(EVERY_SECOND, 0.0)
    tell(detector, repeat(1.0, WINDOW))
    tell(detector, repeat(4.0, 20))
    assert patience(detector) > 4


def test_a_flood_of_heartbeats_does_not_make_it_impatient() -> None:
    detector = PhiDetector(EVERY_SECOND, 0.0)
    tell(detector, repeat(0.01, WINDOW))
    assert detector.mean == 1
    assert patience(detector) >= 3


def test_an_hour_of_silence_is_no_lesson() -> None:
    heartbeat = Heartbeat(interval=30, timeout=90)
    detector = PhiDetector(heartbeat, 0.0)
    tell(detector, repeat(30.0, WINDOW))
    before = patience(detector)
    tell(detector, [HOUR])
    # Learnt whole, it would be a deviation of 250 s, and 24 minutes more of patience.
    assert patience(detector) < before + 30
    tell(detector, repeat(30.0, WINDOW))
    assert patience(detector) == before


def test_of_a_suspected_interval_what_was_borne_is_learnt() -> None:
    late, borne = PhiDetector(EVERY_SECOND, 0.0), PhiDetector(EVERY_SECOND, 0.0)
    late.heard(100.0)
    borne.heard(borne.deadline())
    assert (late.mean, late.deviation) == (borne.mean, borne.deviation)
    assert late.last == 100


def test_parameters_have_their_way() -> None:
    detector = PhiDetector(
        EVERY_SECOND, 0.0, threshold=2, window=2, least_deviation=0.1, pause=0.25
    )
    tell(detector, [0.5, 1.0, 1.0])
    assert patience(detector) == pytest.approx(1 + 0.25 + 0.1 * margin(2))


# -- the window -----------------------------------------------------------------------------------

microseconds = st.integers(0, 10**12)


@given(st.lists(microseconds, min_size=1, max_size=200), st.integers(2, 20))
def test_running_sums_are_those_of_the_last_intervals(added: list[int], size: int) -> None:
    window = Window(size)
    for interval in added:
        window.add(interval / 1e6)
    kept = [interval / 1e6 for interval in added[-size:]]
    assert window.mean == pytest.approx(fmean(kept), rel=1e-12)
    assert window.deviation == pytest.approx(pstdev(kept), rel=1e-6, abs=1e-6)


def test_running_sums_do_not_drift() -> None:
    worn, fresh = Window(WINDOW), Window(WINDOW)
    for number in range(100_000):
        worn.add(1e6 / (number + 1))  # from eleven days to ten seconds
    for _ in range(WINDOW):
        worn.add(0.1)
        fresh.add(0.1)
    assert (worn.mean, worn.deviation) == (fresh.mean, fresh.deviation) == (0.1, 0)


@pytest.mark.parametrize("size", [1, 0, -1])
def test_a_window_needs_two_intervals(size: int) -> None:
    with pytest.raises(ValueError, match="give 2 or more"):
        Window(size)
