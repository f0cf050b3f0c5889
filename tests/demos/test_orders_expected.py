"""What a seeded run of the orders looks like, in every format.

The files beside this one say what is expected; ``CHOREIA_EXPECT=write`` writes them anew: look at
them before they are committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from choreia.cli.app import app
from choreia.demos.orders.command import command as orders

EXPECTED = Path(__file__).with_name("expected")
CASE = "order-order-7"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    where = str(tmp_path_factory.mktemp("orders") / "orders.db")
    run = ["--orders", "20", "--seed", "1", "--mode", "simulated", "--quiet", "--store", where]
    result = CliRunner().invoke(orders, run)
    assert result.exit_code == 0, result.output
    return where


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("trace.txt", ["trace", "STORE", CASE]),
        ("trace.mmd", ["trace", "STORE", CASE, "--format", "mermaid"]),
        ("trace.html", ["trace", "STORE", CASE, "--format", "html"]),
        ("trace.json", ["trace", "STORE", CASE, "--format", "json"]),
        ("explain.txt", ["explain", "STORE", CASE]),
        ("explain.json", ["explain", "STORE", CASE, "--json"]),
        ("cases.txt", ["cases", "STORE"]),
        ("cases.json", ["cases", "STORE", "--json"]),
        ("case.json", ["case", "STORE", CASE, "--json"]),
    ],
)
def test_each_format_is_as_expected(store: str, name: str, arguments: list[str]) -> None:
    given = [store if one == "STORE" else one for one in arguments]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0, result.output
    shown = result.stdout.replace(store, "orders.db")
    file = EXPECTED / f"orders-{name}"
    if os.environ.get("CHOREIA_EXPECT") == "write":
        file.write_text(shown)
    assert shown == file.read_text()
