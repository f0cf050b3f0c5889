"""Every setting in every scenario."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from choreia.bench.detection.arrivals import arrivals
from choreia.bench.detection.catalogue import settings
from choreia.bench.detection.measure import Outcome, measure
from choreia.bench.detection.probes import LABEL, measure_probes
from choreia.bench.detection.scenario import SCENARIOS, Scenario
from choreia.bench.detection.setting import Series, Setting


@frozen
class Trial:
    """How a detector, called `label`, did in a scenario, called by its key."""

    scenario: str
    series: Series
    label: str
    shown: bool
    outcome: Outcome


def count() -> int:
    """How many trials there are."""
    return len(SCENARIOS) * (len(list(settings())) + 1)


def trials(hours: float, seed: int) -> Iterator[Trial]:
    """All of them, each of so many simulated hours. The same for the same seed."""
    for scenario in SCENARIOS:
        usual = arrivals(scenario, hours, seed)
        for setting in settings():
            interval = setting.heartbeat.interval
            heard = usual if interval == 1 else arrivals(scenario, hours, seed, interval)
            yield _trial(scenario, setting, heard, seed)
        outcome = measure_probes(scenario, hours, seed)
        yield Trial(scenario.key, Series.PROBES, LABEL, True, outcome)


def _trial(scenario: Scenario, setting: Setting, heard: Sequence[float], seed: int) -> Trial:
    outcome = measure(setting.make(setting.heartbeat, heard[0]), heard, seed)
    return Trial(scenario.key, setting.series, setting.label, setting.shown, outcome)
