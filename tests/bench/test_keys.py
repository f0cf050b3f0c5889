"""``choreia bench keys``: it runs, and counts what it says it counts."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from choreia.bench.keys.command import command
from choreia.bench.keys.family import TOGETHER, come_and_go


def test_it_measures_and_keeps_the_figures(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    result = CliRunner().invoke(command, ["--short", "--json", str(target)], catch_exceptions=False)
    assert result.exit_code == 0
    figures = json.loads(target.read_text())
    assert [row["keys"] for row in figures["sqlite"]["tenths"]] == list(range(100, 1_001, 100))
    assert all(one["p50 ms"] > 0 for one in figures["waking"].values())


def test_no_more_are_awake_than_allowed(tmp_path: Path) -> None:
    for store in (None, tmp_path / "keys.db"):
        last = list(come_and_go(store, 300, awake=50))[-1]
        assert last.keys == 300
        assert 0 < last.awake <= 50 + TOGETHER
