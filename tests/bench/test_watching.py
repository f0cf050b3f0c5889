"""``choreia bench watching``: it runs, and compares what it says it compares."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from choreia.bench.watching.command import command
from choreia.bench.watching.loads import WAYS


def test_it_measures_and_keeps_the_figures(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    result = CliRunner().invoke(command, ["--short", "--json", str(target)], catch_exceptions=False)
    assert result.exit_code == 0
    figures = json.loads(target.read_text())
    assert all(figures[way]["hop, µs"] > 0 for way in WAYS)
    assert figures["alone"]["ratio"] == 1
    assert figures["looked at"]["sampler"] > 0
    assert figures["alone"]["sampler"] == figures["served"]["sampler"] == 0
