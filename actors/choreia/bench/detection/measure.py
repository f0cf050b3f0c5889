"""How good a detector is in one scenario: how often it is wrong, and how soon it is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from random import Random
from statistics import fmean
from typing import Final

from attrs import frozen

from choreia.runtime.health.detector import Detector

CRASHES: Final = 20_000
"""At most so many moments at which the sender might have died are tried, each by itself."""


@frozen
class Outcome:
    """Wrong suspicions an hour, and the seconds from a crash to its suspicion."""

    false_hourly: float
    mean: float
    p99: float


def measure(detector: Detector, arrivals: Sequence[float], seed: int) -> Outcome:
    """Let it hear all that arrives, after the first, which it has heard.

    A crash is only imagined: what would have arrived after it is not heard, so it is detected at
    the deadline that stood when it happened; at once if the sender was suspected already.
    """
    crashes = _moments(arrivals, Random(f"{seed} crashes"))
    crash = next(crashes)
    false, delays = 0, list[float]()
    for at in arrivals[1:]:
        deadline = detector.deadline()
        false += at > deadline
        while crash < at:
            delays.append(max(0.0, deadline - crash))
            crash = next(crashes, inf)
        detector.heard(at)
    delays.sort()
    hours = (arrivals[-1] - arrivals[0]) / 3600
    return Outcome(false / hours, fmean(delays), delays[int(len(delays) * 0.99)])


def _moments(arrivals: Sequence[float], random: Random) -> Iterator[float]:
    """Random moments in order, one in each of as many equal parts: less noise than chance has."""
    count = min(CRASHES, len(arrivals))
    step = (arrivals[-1] - arrivals[0]) / count
    for number in range(count):
        yield arrivals[0] + (number + random.random()) * step
