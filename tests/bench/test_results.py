from __future__ import annotations

import csv
from pathlib import Path

from choreia.bench.machine import this_machine
from choreia.bench.results import COLUMNS, append, header_problem
from choreia.bench.runner import Measurement
from choreia.bench.sample import EXTRAS, Sample, percentiles
from choreia.bench.workload import Side, Workload

SIDE = Side("choreia", "a:b")
WORKLOAD = Workload("idle", "", "agents", 10, 1, SIDE)


def test_rows_are_appended_under_one_header(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    machine = this_machine()
    good = Measurement(WORKLOAD, SIDE, 1, Sample(10, 2.0, {"stop_seconds": 0.5}))
    failed = Measurement(WORKLOAD, SIDE, 2, error="exit code 1\na traceback")
    append(path, machine, [good])
    assert header_problem(path) == ""
    append(path, machine, [failed], short=True)

    with path.open(newline="", encoding="utf-8") as file:
        header, first, second = csv.reader(file)
    assert tuple(header) == COLUMNS
    made = dict(zip(header, first, strict=True))
    assert (made["count"], made["rate"], made["unit"]) == ("10", "5.0", "agents")
    assert (made["stop_seconds"], made["p50_us"]) == ("0.5", "")
    lost = dict(zip(header, second, strict=True))
    assert (lost["rate"], lost["error"], lost["short"]) == ("", "exit code 1", "1")


def test_conditions_are_known() -> None:
    machine = this_machine()
    assert machine.choreia
    assert machine.pykka
    assert machine.cores >= 1
    assert machine.date.endswith("+00:00")


def test_a_sample_crosses_the_process_boundary() -> None:
    sample = Sample(3, 0.25, dict.fromkeys(EXTRAS, 1.5))
    assert Sample.from_json(sample.to_json()) == sample
    assert sample.rate == 12


def test_percentiles_are_in_microseconds() -> None:
    found = percentiles([i / 1e6 for i in range(101)])
    assert round(found["p50_us"]) == 50
    assert round(found["p99_us"]) == 99
