"""`choreia map` and `choreia check`.

What the formats look like for a seeded run of the orders stands in ``expected/``. When that is to
be another, run these tests once with CHOREIA_EXPECT=write, and look at the difference.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from choreia import InvalidStore, UnknownAgent
from choreia.cli.app import app
from choreia.runtime.insight.checks import CHECKS

ORDERS = "choreia.demos.orders"
EXPECTED = Path(__file__).with_name("expected")
FAULTY = """
from choreia import Agent, on

class Clerk(Agent):
    external = ("order.placed",)

    @on("order.placed")
    def open(self, event):
        self.emit("order.opened")

def build(system):
    system.spawn(Clerk, name="clerk")
"""
ACCEPTED = """
[tool.choreia.check]
accept = [{id = "C01", agent = "clerk", event = "order.opened", reason = "soon", until = %s}]
"""


def _run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "110"}).invoke(app, arguments, catch_exceptions=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A seeded run of the orders."""
    file = str(tmp_path_factory.mktemp("orders") / "orders.db")
    result = _run("demo", "orders", "--orders", "20", "--seed", "7", "--mode", "simulated",
                  "--store", file, "--quiet")  # fmt: skip
    assert result.exit_code == 0, result.output
    return file


@pytest.mark.parametrize(
    ("name", "target", "observed"),
    [
        ("orders.txt", "rich", True),
        ("orders.mmd", "mermaid", True),
        ("orders.dot", "dot", True),
        ("orders.html", "html", True),
        ("orders-declared.txt", "rich", False),
        ("orders.json", "asyncapi", False),
    ],
)
def test_each_format_is_as_expected(
    store: str, name: str, target: str, monkeypatch: pytest.MonkeyPatch, *, observed: bool
) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])  # places are told from here
    extra = ("--observed", store) if observed else ()

    result = _run("map", ORDERS, "--format", target, *extra)

    assert result.exit_code == 0, result.output
    shown = "\n".join(line.rstrip() for line in result.stdout.splitlines()) + "\n"
    shown = re.sub(r"[^\s]*/site-packages/choreia/demos/", "demos/", shown)  # when it is installed
    file = EXPECTED / name
    if os.environ.get("CHOREIA_EXPECT") == "write":
        file.write_text(shown)
    assert shown == file.read_text()


def test_what_is_declared_cannot_be_observed_in_asyncapi(store: str) -> None:
    result = _run("map", ORDERS, "--format", "asyncapi", "--observed", store)

    assert result.exit_code == 2
    assert "leave out --observed" in result.output


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises((InvalidStore, UnknownAgent)):
        _run("map", ORDERS, "--observed", str(tmp_path / "none.db"))


def test_a_check_without_findings_passes() -> None:
    result = _run("check", ORDERS)

    assert result.exit_code == 0
    assert "findings: 0" in result.output


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "faulty.py").write_text(FAULTY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "faulty", raising=False)
    return tmp_path


def test_a_finding_is_told_with_its_place_and_fails(faulty: Path) -> None:
    result = _run("check", str(faulty / "faulty.py"))

    assert result.exit_code == 1
    assert "C01  clerk, order.opened  faulty.py:9" in result.output
    assert "agents: 1, findings: 1" in result.output


def test_findings_as_json(faulty: Path) -> None:
    result = _run("check", str(faulty / "faulty.py"), "--json")

    assert result.exit_code == 1
    [finding] = json.loads(result.stdout)["findings"]
    [line] = _run("check", str(faulty / "faulty.py"), "-o", "jsonl").stdout.splitlines()
    assert json.loads(line) == {"schema": "choreia.check/1", **finding}
    assert finding | {"what": "", "advice": ""} == {
        "id": "C01",
        "title": CHECKS["C01"],
        "agent": "clerk",
        "event": "order.opened",
        "file": "faulty.py",
        "line": 9,
        "what": "",
        "advice": "",
    }


@pytest.mark.parametrize(("until", "ids"), [("2999-12-31", []), ("2020-01-01", ["C00", "C01"])])
def test_a_finding_can_be_accepted_for_a_time(faulty: Path, until: str, ids: list[str]) -> None:
    (faulty / "pyproject.toml").write_text(ACCEPTED % until)

    result = _run("check", str(faulty / "faulty.py"), "--json")

    assert [one["id"] for one in json.loads(result.stdout)["findings"]] == ids
    assert result.exit_code == (1 if ids else 0)


def test_an_entry_for_another_module_is_passed_over(faulty: Path) -> None:
    (faulty / "pyproject.toml").write_text(
        ACCEPTED.replace("id =", 'module = "other.agents", id =') % "2999-12-31"
    )

    result = _run("check", str(faulty / "faulty.py"), "--json")

    assert [one["id"] for one in json.loads(result.stdout)["findings"]] == ["C01"]


def test_where_anything_may_be_emitted_is_told(faulty: Path) -> None:
    file = faulty / "faulty.py"
    file.write_text(FAULTY.replace('"order.opened"', 'event.payload["type"]'))

    result = _run("check", str(file))

    assert result.exit_code == 0
    assert "not looked for: C02, for clerk.open (faulty.py:8)" in result.output
    assert json.loads(_run("check", str(file), "--json").stdout)["vague"] == [
        {"handler": "clerk.open", "file": "faulty.py", "line": 8}
    ]
