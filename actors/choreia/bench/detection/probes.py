"""For orientation: who is silent is asked once more, by three peers (as in SWIM, Das et al. 2002).

Choreia does not do this. Only what a pause of the sender, or the loss of every probe, leaves
unanswered is suspected: loss between two nodes no longer looks like a death.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf
from random import Random
from typing import Final

from choreia.bench.detection.arrivals import Pause, arrivals, pauses
from choreia.bench.detection.measure import Outcome, measure
from choreia.bench.detection.scenario import Scenario
from choreia.runtime.health.detector import TimeoutDetector
from choreia.runtime.health.heartbeat import Heartbeat

LABEL: Final = "3 after 2 s, for 1 s"
PEERS: Final = 3
SILENCE: Final = 2.0
"""Seconds, until peers are asked."""
ANSWER: Final = 1.0
"""Seconds that their probes may take."""


def measure_probes(scenario: Scenario, hours: float, seed: int) -> Outcome:
    """Heartbeats every second; a path loses what the scenario's network does, each way."""
    heard = arrivals(scenario, hours, seed)
    # A dead sender answers no probe: it is detected as by a timeout of both times together.
    both = TimeoutDetector(Heartbeat(1, SILENCE + ANSWER), heard[0])
    timeout = measure(both, heard, seed)
    random = Random(f"{seed} probes")
    lost = scenario.loss.share if scenario.loss else 0.0
    unanswered = sum(
        asleep or all(_fails(lost, random) for _ in range(PEERS))
        for asleep in slept(heard, pauses(scenario, hours, seed))
    )
    return Outcome(unanswered * 3600 / (heard[-1] - heard[0]), timeout.mean, timeout.p99)


def slept(heard: Sequence[float], standing: Iterator[Pause]) -> Iterator[bool]:
    """For each silence that lasts beyond the probes: whether the sender slept through them."""
    begin, end = next(standing, (inf, inf))
    for last, following in pairwise(heard):
        asked = last + SILENCE
        if following <= asked + ANSWER:
            continue
        while end < asked + ANSWER:
            begin, end = next(standing, (inf, inf))
        yield begin <= asked


def _fails(lost: float, random: Random) -> bool:
    """Whether the question to the sender or its answer is lost."""
    return random.random() < 1 - (1 - lost) ** 2
