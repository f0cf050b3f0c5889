"""When heartbeats arrive in a scenario: a pure function of the scenario, the hours and the seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from math import inf, log
from random import Random

from choreia.bench.detection.scenario import Jitter, Loss, Scenario

Pause = tuple[float, float]
"""From when until when the sender stands still, in seconds."""


def arrivals(scenario: Scenario, hours: float, seed: int, interval: float = 1.0) -> list[float]:
    """Seconds at which a heartbeat arrives, in order; heartbeats may overtake each other."""
    sent = _sent(round(hours * 3600 / interval), interval, pauses(scenario, hours, seed))
    lost = _lost(scenario.loss, interval, _random(seed, "loss"))
    late = _latencies(scenario.jitter, _random(seed, "jitter"))
    return sorted(at + delay for at, delay, gone in zip(sent, late, lost, strict=False) if not gone)


def pauses(scenario: Scenario, hours: float, seed: int) -> Iterator[Pause]:
    """The sender's pauses, in order, one after the other."""
    kind = scenario.pauses
    random = _random(seed, "pauses")
    end = 0.0
    while kind is not None:
        begin = end + random.expovariate(kind.hourly / 3600)
        if begin >= hours * 3600:
            return
        end = begin + min(kind.shortest * random.paretovariate(kind.shape), kind.longest)
        yield begin, end


def _random(seed: int, what: str) -> Random:
    """A generator each: where losses differ, pauses and jitter are still the same."""
    return Random(f"{seed} {what}")


def _sent(count: int, interval: float, standing: Iterator[Pause]) -> Iterator[float]:
    """When each heartbeat is sent: on time, or when the pause ends into which its time falls.

    All that were held up are sent then: an agent finds as many questions in its system lane.
    """
    begin, end = next(standing, (inf, inf))
    for number in range(count):
        due = number * interval
        while end <= due:
            begin, end = next(standing, (inf, inf))
        yield end if begin <= due else due


def _lost(loss: Loss | None, interval: float, random: Random) -> Iterator[bool]:
    """Whether each heartbeat is lost."""
    if loss is None:
        yield from repeat(False)
        return
    begins, goes_on = loss.chance(False, interval), loss.chance(True, interval)
    gone = False
    while True:
        gone = random.random() < (goes_on if gone else begins)
        yield gone


def _latencies(jitter: Jitter, random: Random) -> Iterator[float]:
    mu = log(jitter.median)
    while True:
        yield random.lognormvariate(mu, jitter.sigma)
