"""``choreia bench store``: it runs, and says when a log is not flat."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import evolve
from click.testing import CliRunner

from choreia.bench.storing.command import COMPARISONS, command
from choreia.bench.storing.long import Long, measure


def test_it_measures_both_sides_and_keeps_the_figures(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    result = CliRunner().invoke(command, ["--short", "--json", str(target)], catch_exceptions=False)
    assert result.exit_code == 0
    document = json.loads(target.read_text())
    assert len(document["figures"]) == len(COMPARISONS)
    assert all(row["choreia"] > 0 and row["peer"] > 0 for row in document["figures"])


def test_the_kept_figures_are_of_all_that_is_compared() -> None:
    kept = json.loads((Path(__file__).parent / "results" / "store.json").read_text())
    assert [row["name"] for row in kept["figures"]] == [one.name for one in COMPARISONS]


def test_a_long_log_is_measured(tmp_path: Path) -> None:
    found = measure(10_000, tmp_path)
    assert len(found.rates) == 10
    assert 100 < found.bytes_per_event < 378
    assert len(found.queries) == 6


def test_what_is_not_flat_is_named() -> None:
    flat = Long((10.0, 9.0), 0, {"a case": 0.001}, 300)
    assert flat.faults == []
    assert "9/s at the end" not in evolve(flat, rates=(10.0, 6.0)).faults
    assert len(evolve(flat, rates=(10.0, 4.0)).faults) == 1
    assert len(evolve(flat, growth=2**30, queries={"a case": 1.0}).faults) == 2
