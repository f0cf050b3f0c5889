"""`choreia top` where no terminal is: a table, JSON, or a picture in a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from choreia.cli.app import app
from choreia.cli.failures import run
from choreia.runtime.errors import NoSuchSystem, SeveralSystems
from choreia.runtime.inspection.client import Client

if TYPE_CHECKING:
    from tests.actors.choreia.conftest import Serve


def top(*args: object) -> Result:
    return CliRunner().invoke(app, ["top", *map(str, args)])


def test_a_plain_table(kitchen: Path) -> None:
    result = top("--system", kitchen)
    assert result.exit_code == 0
    assert result.stderr == ""
    head, blank, headings, *rows = result.stdout.splitlines()
    assert head.startswith("kitchen, process ")
    assert not blank
    assert headings.split()[:4] == ["agent", "state", "mailbox", "in/s"]
    cook = next(row.split() for row in rows if row.startswith("cook"))
    assert float(cook[3]) > 0
    assert float(cook[4]) > 0
    assert "\x1b" not in result.stdout


def test_json(kitchen: Path) -> None:
    result = top("--system", kitchen, "-o", "json")
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["schema"] == "choreia.top/1"
    assert found["system"]["node"] == "kitchen"
    assert isinstance(found["system"]["pid"], int)
    rates = {row["name"]: (row["in_rate"], row["out_rate"]) for row in found["agents"]}
    assert min(rates["waiter"]) > 0
    assert rates["clumsy"] == (0, 0)


def test_lines_of_json(kitchen: Path) -> None:
    result = top("--system", kitchen, "-o", "jsonl")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {"cook", "waiter", "clumsy"} <= {row["name"] for row in rows}
    assert {row["schema"] for row in rows} == {"choreia.top/1"}


def test_other_views_are_said_to_be_for_terminals(kitchen: Path) -> None:
    result = top("--system", kitchen, "--view", "flows")
    assert result.exit_code == 0
    assert "--view flows is for a terminal" in result.stderr
    assert "cook" in result.stdout


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("agents", "waiter"), ("flows", "dish.ready"), ("events", "dish.served"),
        ("cases", "timer"), ("presence", "online"), ("health", "dead"),
    ],
)  # fmt: skip
def test_an_export_of_each_view(kitchen: Path, tmp_path: Path, view: str, shown: str) -> None:
    target = tmp_path / "view.svg"
    args = ("--view", view, "--every", "0.1", "--export", target)
    result = top("--system", kitchen, *args)
    assert (result.exit_code, result.stdout) == (0, "")
    assert str(target) in result.stderr
    text = target.read_text("utf-8").replace("&#160;", " ")
    assert shown in text
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert f"choreia top: kitchen, {view}" in text


def test_an_export_of_each_kind(kitchen: Path, tmp_path: Path) -> None:
    for name in ("a.html", "a.JSON"):
        args = ("--every", "0.1", "--export", tmp_path / name)
        assert top("--system", kitchen, *args).exit_code == 0
    assert "cook" in (tmp_path / "a.html").read_text("utf-8")
    document = json.loads((tmp_path / "a.JSON").read_text("utf-8"))
    assert document["schema"] == "choreia.console/1"


def test_wrong_usage(kitchen: Path, tmp_path: Path) -> None:
    wrong = top("--system", kitchen, "--export", tmp_path / "a.png")
    assert wrong.exit_code == 2
    assert ".svg, .html, .json" in wrong.stderr
    both = top("--system", kitchen, "--export", tmp_path / "a.svg", "-o", "json")
    assert both.exit_code == 2
    assert "leave out -o" in both.stderr
    assert top("--every", "0").exit_code == 2
    assert top("--view", "nothing").exit_code == 2


@pytest.mark.parametrize("size", ["100", "axb", "0x10", "10x1001", "-1x10", "x"])
def test_a_size_that_is_none(kitchen: Path, tmp_path: Path, size: str) -> None:
    wrong = top("--system", kitchen, "--export", tmp_path / "a.svg", "--size", size)
    assert wrong.exit_code == 2
    assert size in wrong.stderr


def test_what_cannot_be_written_is_said(kitchen: Path, tmp_path: Path) -> None:
    there = tmp_path / "nowhere" / "a.svg"
    wrong = top("--system", kitchen, "--every", "0.1", "--export", there)
    assert wrong.exit_code == 1
    assert "No such file" in wrong.stderr


def test_a_trace_is_exported_in_the_size_that_is_wanted(kitchen: Path, tmp_path: Path) -> None:
    with Client(kitchen) as client:
        events = client.call("events", topic="dish.ready", limit=1)["events"]
    assert isinstance(events, list)
    args = ("--every", "0.1", "--size", "90x12", "--trace", events[0]["id"])
    assert top("--system", kitchen, *args, "--export", tmp_path / "a.html").exit_code == 0
    page = (tmp_path / "a.html").read_text("utf-8")
    assert "dish.ready" in page
    assert "trace " in page
    document = tmp_path / "a.json"
    assert top("--system", kitchen, *args, "--export", document).exit_code == 0
    assert json.loads(document.read_text("utf-8"))["schema"] == "choreia.console/1"


def test_no_system(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place.parent))
    assert isinstance(top().exception, NoSuchSystem)
    assert isinstance(top("--system", place).exception, NoSuchSystem)
    assert isinstance(top("--system", "elsewhere").exception, NoSuchSystem)
    assert run(app, ["top"]) == 3


def test_several_systems(place: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place.parent))
    folder = place.parent / "choreia"
    first = serve(folder / "a.sock")
    assert top().exit_code == 0
    serve(folder / "b.sock")
    for args in ((), ("--system", "kitchen"), ("--wait",)):
        assert isinstance(top(*args).exception, SeveralSystems)
        assert run(app, ["top", *args]) == 2
    assert f"process {first.pid}" in top("--system", first.pid).stdout


def test_waiting_for_a_system(place: Path, serve: Serve) -> None:
    command = [sys.executable, "-m", "choreia", "top", "--wait", "--system", str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        serve(place)
        assert "cook" in process.communicate()[0]
    assert process.returncode == 0


def test_ascii_where_nothing_else_is_understood(kitchen: Path) -> None:
    command = [sys.executable, "-m", "choreia", "top", "--system", str(kitchen)]
    env = {**os.environ, "LC_ALL": "C"}
    said = subprocess.run(command, capture_output=True, env=env, check=True).stdout
    assert said.isascii()


def test_help_loads_no_rich() -> None:
    code = (
        "import sys; from choreia.cli.failures import run; from choreia.cli.app import app; "
        "code = run(app, ['top', '--help']); sys.exit(code or 'rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0
    assert b"--export FILE" in done.stdout
