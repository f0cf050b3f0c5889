"""Results kept as CSV: one row per measurement, with the conditions it was made under.

Rows are appended, so that one file can hold the history of a machine.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from attrs import asdict, fields

from choreia.bench.machine import Machine
from choreia.bench.runner import Measurement
from choreia.bench.sample import EXTRAS

_MEASURED: Final = ("workload", "side", "round", "short", "count", "seconds", "rate", "unit")

#: The columns, in order. A measurement that failed has its reason in `error` and no numbers.
COLUMNS: Final = (
    *(attribute.name for attribute in fields(Machine)),
    *_MEASURED,
    *EXTRAS,
    "error",
)


def header_problem(path: Path) -> str:
    """Why rows cannot be appended to this file, or an empty string when they can."""
    if not path.exists() or path.stat().st_size == 0:
        return ""
    with path.open(newline="", encoding="utf-8") as file:
        header = tuple(csv.DictReader(file).fieldnames or ())
    if header == COLUMNS:
        return ""
    return f"{path} has other columns than these results; name another file, or move it away"


def append(
    path: Path, machine: Machine, measurements: Iterable[Measurement], *, short: bool = False
) -> None:
    """Append one row per measurement, after a header if the file is new or empty."""
    fresh = not path.exists() or path.stat().st_size == 0
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if fresh:
            writer.writeheader()
        for measurement in measurements:
            writer.writerow(_row(machine, measurement, short=short))


def _row(machine: Machine, measurement: Measurement, *, short: bool) -> dict[str, object]:
    row: dict[str, object] = {
        **asdict(machine),
        "workload": measurement.workload.name,
        "side": measurement.side.library,
        "round": measurement.round,
        "short": int(short),
        "unit": measurement.workload.unit,
        "error": measurement.error.partition("\n")[0],
    }
    sample = measurement.sample
    if sample is not None:
        row |= {"count": sample.count, "seconds": f"{sample.seconds:.6f}"}
        row |= {"rate": f"{sample.rate:.1f}"}
        row |= {name: f"{value:.6g}" for name, value in sample.extras.items()}
    return row
