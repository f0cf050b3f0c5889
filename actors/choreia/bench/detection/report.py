"""The table: a row for each detector that is shown, a column for each scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from rich.box import HORIZONTALS
from rich.console import Console
from rich.table import Table
from rich.text import Text

from choreia.bench.detection.measure import Outcome
from choreia.bench.detection.scenario import SCENARIOS
from choreia.bench.detection.setting import Series
from choreia.bench.detection.trials import Trial

FEW: Final = 1.0
"""Hours in which nothing seldom happens, and phi has not yet forgotten its first estimate."""


def show(console: Console, made: Sequence[Trial], hours: float, seed: int) -> None:
    """Print the trials that are to be shown."""
    table = Table(title="False suspicions an hour", caption=_caption(hours, seed), box=HORIZONTALS)
    table.add_column("detector", no_wrap=True)
    for scenario in SCENARIOS:
        table.add_column(f"{scenario.key}\n{scenario.title}", justify="right", min_width=8)
    shown = _by_detector(trial for trial in made if trial.shown)
    for series, rows in groupby(shown, lambda row: row[0].series):
        table.add_section()
        table.add_row(Text(series.value, style="bold"))
        for row in rows:
            table.add_row(Text(f"  {row[0].label}"), *(_cell(trial.outcome) for trial in row))
    console.print(table)


def _by_detector(made: Iterable[Trial]) -> list[list[Trial]]:
    """The trials of each detector, in the order of the scenarios."""
    rows: dict[tuple[Series, str], list[Trial]] = {}
    for trial in made:
        rows.setdefault((trial.series, trial.label), []).append(trial)
    return list(rows.values())


def _cell(outcome: Outcome) -> Text:
    delays = f"{_seconds(outcome.mean)}, {_seconds(outcome.p99)}"
    return Text.assemble(f"{outcome.false_hourly:.3g}\n", (delays, "dim"))


def _seconds(number: float) -> str:
    return f"{number:.1f}" if number < 9.95 else f"{number:.0f}"


def _caption(hours: float, seed: int) -> str:
    lines = [
        "below, seconds from a crash to its suspicion: mean, 99th percentile",
        f"simulated: {hours:,g} hours of each, seed {seed}; a heartbeat every second, or as said",
    ]
    if hours < FEW:
        lines.append("short: this shows that everything runs, its numbers mean nothing")
    return "\n".join(lines)
