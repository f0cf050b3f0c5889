"""Every detector that is tried: two sweeps over timeouts, one over thresholds, and others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from choreia.bench.detection.others import LearnsAll, LearnsNone, pekko
from choreia.bench.detection.setting import Series, Setting
from choreia.runtime.health.detector import THRESHOLD, PhiDetector, TimeoutDetector
from choreia.runtime.health.heartbeat import Heartbeat

TIMEOUTS: Final = (1.25, 1.5, 2, 2.5, 3, 3.5, 4, 5, 7, 10, 15)
"""Seconds, with a heartbeat every second."""
THRESHOLDS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 300)
SHOWN: Final = (2, 3, 5, 10)
"""Timeouts that are rows of the table."""

_THREE: Final = Heartbeat(interval=1, timeout=3, detector="phi")


def settings() -> Iterator[Setting]:
    """In the order of the table."""
    for timeout in TIMEOUTS:
        label, shown = f"{timeout:g} s", timeout in SHOWN
        yield Setting(Series.TIMEOUT, label, Heartbeat(1, timeout), TimeoutDetector, shown)
    for timeout in TIMEOUTS:
        label, shown = f"{timeout:g} s", timeout in SHOWN
        yield Setting(Series.PHI, label, Heartbeat(1, timeout, "phi"), PhiDetector, shown)
    for threshold in THRESHOLDS:  # the form that the paper has: no pause is acceptable
        make, shown = partial(PhiDetector, threshold=threshold), threshold == THRESHOLD
        yield Setting(Series.PAPER, f"phi {threshold}", Heartbeat(1, 1, "phi"), make, shown)
    yield Setting(Series.PEKKO, "phi 8, 3 s", _THREE, pekko)
    yield Setting(Series.LESSONS, "all intervals, 3 s", _THREE, LearnsAll)
    yield Setting(Series.LESSONS, "no late ones, 3 s", _THREE, LearnsNone)
    yield Setting(Series.SELDOM, "timeout, 90 s", Heartbeat(), TimeoutDetector)
    yield Setting(Series.SELDOM, "phi, 90 s", Heartbeat(detector="phi"), PhiDetector)
