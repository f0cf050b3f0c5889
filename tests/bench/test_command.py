"""The suite runs, through the command, on real peers; no time is asserted."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from choreia.bench.catalogue import WORKLOADS
from choreia.bench.command import choose, command
from choreia.bench.results import COLUMNS


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        found = list(reader)
        assert tuple(reader.fieldnames or ()) == COLUMNS
    return found


def test_short_runs_and_keeps_every_measurement(tmp_path: Path) -> None:
    kept = tmp_path / "results.csv"
    arguments = ["--short", "--only", "ping-pong-events", "--only", "spawn", "--csv", str(kept)]

    result = CliRunner().invoke(command, arguments)

    assert result.exit_code == 0, result.output
    assert "ping-pong-events" in result.output
    assert " cores" in result.output
    made = rows(kept)
    assert [(row["workload"], row["side"], row["round"]) for row in made] == [
        ("ping-pong-events", "choreia", "1"),
        ("ping-pong-events", "pykka", "1"),
        ("spawn", "choreia", "1"),
        ("spawn", "pykka", "1"),
    ]
    for row in made:
        assert float(row["rate"]) > 0
        assert row["error"] == ""
        assert all(row[name] for name in ("date", "choreia", "pykka", "python", "machine"))
        assert int(row["cores"]) >= 1
        assert row["short"] == "1"


@pytest.mark.soak  # `choreia bench --short`, which CI runs, is the same
@pytest.mark.parametrize("workload", [w.name for w in WORKLOADS])
def test_every_workload_runs(workload: str, tmp_path: Path) -> None:
    kept = tmp_path / "results.csv"
    result = CliRunner().invoke(command, ["--short", "--only", workload, "--csv", str(kept)])
    assert result.exit_code == 0, result.output
    assert [row["error"] for row in rows(kept)] == [""] * len(rows(kept))


def test_the_million_runs_only_when_asked_for() -> None:
    usual = {workload.name for workload in choose((), million=False)}
    assert "million" not in usual
    assert {workload.name for workload in choose((), million=True)} == usual | {"million"}
    assert [workload.name for workload in choose(("ring",), million=True)] == ["ring", "million"]


def test_another_files_columns_are_refused_before_anything_runs(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    result = CliRunner().invoke(command, ["--short", "--only", "tell", "--csv", str(other)])
    assert result.exit_code == 2
    assert "other columns" in result.output
    assert other.read_text(encoding="utf-8") == "a,b\n1,2\n"


def test_unknown_workload_names_those_there_are() -> None:
    result = CliRunner().invoke(command, ["--only", "nothing"])
    assert result.exit_code == 2
    assert "ping-pong-events" in result.output
