"""The trials as JSON: one line each, four digits, nothing but what follows from hours and seed."""

from __future__ import annotations

import json
from collections.abc import Iterable

from choreia.bench.detection.trials import Trial

ABOUT = "false suspicions an hour, and seconds from a crash to its detection; simulated"


def to_json(made: Iterable[Trial], hours: float, seed: int) -> str:
    """A document with a list `trials`; the same trials are the same bytes."""
    head = {"about": ABOUT, "hours": hours, "seed": seed}
    lines = ",\n".join(json.dumps(_row(trial)) for trial in made)
    return f'{json.dumps(head)[:-1]}, "trials": [\n{lines}\n]}}\n'


def _row(trial: Trial) -> dict[str, str | float]:
    return {
        "scenario": trial.scenario,
        "series": trial.series.value,
        "detector": trial.label,
        "false_hourly": _digits(trial.outcome.false_hourly),
        "mean": _digits(trial.outcome.mean),
        "p99": _digits(trial.outcome.p99),
    }


def _digits(number: float) -> float:
    return float(f"{number:.4g}")
