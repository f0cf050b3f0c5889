from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from choreia.bench.machine import Machine
from choreia.bench.report import show
from choreia.bench.runner import Measurement
from choreia.bench.sample import Sample
from choreia.bench.summary import Spread, summarise
from choreia.bench.workload import Side, Workload

WORKLOAD = Workload(
    name="tell",
    title="a flood",
    unit="messages",
    count=100,
    short_count=10,
    choreia=Side("choreia", "a:b"),
    peer=Side("pykka", "c:d"),
    reach=5,
    ceilings={"bytes_per_agent": 4096},
)
MACHINE = Machine("2030-01-01", "1.0", "abc", "4.5.0", "", "CPython", "Linux", 2, 0.5)


def measured(rates: list[tuple[float, float]], size: float = 1000) -> list[Measurement]:
    """One pair per round: Choreia's rate and its peer's."""
    assert WORKLOAD.peer is not None
    made: list[Measurement] = []
    for number, (ours, theirs) in enumerate(rates, 1):
        ours_sample = Sample(100, 100 / ours, {"bytes_per_agent": size})
        made.append(Measurement(WORKLOAD, WORKLOAD.choreia, number, ours_sample))
        made.append(Measurement(WORKLOAD, WORKLOAD.peer, number, Sample(100, 100 / theirs)))
    return made


def told(spread: Spread | None) -> tuple[float, ...]:
    assert spread is not None
    return (spread.median, spread.low, spread.high)


def test_ratios_are_taken_round_by_round() -> None:
    # The machine is ten times slower in the second round; medians of rates would hide that.
    summary = summarise(WORKLOAD, measured([(600, 100), (70, 10), (400, 100)]))
    assert told(summary.ratio) == pytest.approx((6, 4, 7))
    assert told(summary.choreia) == pytest.approx((400, 70, 600))
    assert summary.met is True


def test_a_median_below_reach_is_not_met() -> None:
    assert summarise(WORKLOAD, measured([(900, 100), (400, 100), (400, 100)])).met is False


def test_memory_is_held_against_its_ceiling() -> None:
    (finding,) = summarise(WORKLOAD, measured([(1, 1)], size=4096)).findings
    assert finding.met is True
    (finding,) = summarise(WORKLOAD, measured([(1, 1)], size=4097)).findings
    assert finding.met is False


def test_a_failed_measurement_spoils_its_pair_only() -> None:
    made = measured([(600, 100), (500, 100)])
    made[1] = Measurement(WORKLOAD, made[1].side, 1, error="it broke")
    summary = summarise(WORKLOAD, made)
    assert told(summary.ratio) == pytest.approx((5, 5, 5))
    assert summary.errors == ("it broke",)


def shown(*, short: bool, ours: float = 600.0) -> str:
    console = Console(file=StringIO(), width=100)
    show(console, MACHINE, [summarise(WORKLOAD, measured([(ours, 100)]))], short=short)
    output = console.file
    assert isinstance(output, StringIO)
    return output.getvalue()


def test_the_table_says_whether_reach_is_met() -> None:
    text = shown(short=False)
    assert "6.0\N{MULTIPLICATION SIGN}" in text
    assert "\N{GREATER-THAN OR EQUAL TO} 5\N{MULTIPLICATION SIGN}" in text
    assert "met" in text
    assert "not met" not in text
    assert "2 cores, load before: 0.5" in text
    assert "not met" in shown(short=False, ours=300.0)


def test_a_short_run_judges_nothing() -> None:
    text = shown(short=True)
    assert "met" not in text
    assert "mean nothing" in text
