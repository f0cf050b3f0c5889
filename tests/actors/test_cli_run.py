"""`choreia run`: a real process, from its first line to its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from choreia import ActorSystem
from choreia.runtime.inspection.client import Client
from choreia.runtime.inspection.finding import find

if TYPE_CHECKING:
    from tests.actors.conftest import Cli

APP = """
import sys
import threading
from contextlib import contextmanager

from choreia import Agent, on


class Works(Agent):
    @on("quick")
    def quick(self, event):
        self.emit("done", event.payload)

    @on("long")
    def long(self, event):
        print("begun", flush=True)
        threading.Event().wait(60)

    @on("until.the.end")
    def ends(self, event):
        print("begun", flush=True)
        stopping.wait(60)
        print("handled", flush=True)


stopping = threading.Event()


def build(system):
    system.subscribe("system.shutdown", lambda event: stopping.set())
    system.spawn(Works)


@contextmanager
def lasting(system):
    print("entered", flush=True)
    build(system)
    yield
    print("left", flush=True)


def slow(system):
    try:
        print("building", flush=True)
        threading.Event().wait(60)
    finally:
        print("given up", flush=True)


def broken(system):
    raise RuntimeError("no database")
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, sockets: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


class Running:
    """A `choreia run` that has begun."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "choreia", "run", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )

    def says(self, text: str) -> str:
        """Waits until it says so on stderr: the line."""
        assert self.process.stderr is not None
        return self._until(self.process.stderr, text)

    def prints(self, text: str) -> str:
        """Waits until it says so on stdout: the line."""
        assert self.process.stdout is not None
        return self._until(self.process.stdout, text)

    def _until(self, lines: Iterator[str], text: str) -> str:
        seen: list[str] = []
        for line in lines:
            seen.append(line)
            if text in line:
                return line
        pytest.fail(f"it has ended without saying {text!r}, but {seen}")

    def publish(self, type: str) -> None:
        with Client(find(str(self.process.pid))) as client:
            client.call("publish", type=type, payload={"n": 1})

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self) -> tuple[int, str, str]:
        """Waits for its end: the exit code, and what else it has said."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def begun() -> Iterator[list[Running]]:
    """Those that a test has begun: they do not outlast it."""
    all_of_them: list[Running] = []
    yield all_of_them
    for one in all_of_them:
        one.process.kill()
        one.process.communicate()


@pytest.fixture
def run(begun: list[Running]) -> type[Running]:
    class Kept(Running):
        def __init__(self, *arguments: str) -> None:
            super().__init__(*arguments)
            begun.append(self)

    return Kept


def test_it_runs_is_looked_at_and_drains(run: type[Running], cli: Cli) -> None:
    running = run("app:lasting", "--control", "--node", "shop", "--workers", "2")
    assert running.prints("") == "entered\n"
    first = running.says("running")
    assert first.startswith("running app:lasting: 2 agents, process ")
    assert "`choreia top`" in first
    [system] = json.loads(cli("ps", "-o", "json").out)["systems"]
    assert (system["node"], system["workers"], system["control"]) == ("shop", 2, True)
    assert system["program"].startswith("choreia run app:lasting")
    running.publish("until.the.end")
    running.prints("begun")
    running.send(signal.SIGTERM)
    code, out, err = running.ends()
    assert (code, out) == (0, "handled\nleft\n")
    assert "SIGTERM: what is in flight is handled, for 30 s at most" in err
    assert "nothing was in flight any more" in err


def test_ctrl_c_is_130_and_the_store_is_kept(run: type[Running], folder: Path) -> None:
    running = run("app", "--control", "--store", "events.db")
    running.says("running app: 2 agents")
    running.publish("quick")
    running.send(signal.SIGINT)
    assert running.ends()[0] == 130
    with ActorSystem(store=folder / "events.db") as system:
        assert [one.event.type for one in system.store.read(pattern="done")] == ["done"]


def test_when_the_grace_is_over_it_says_what_was_left(run: type[Running]) -> None:
    running = run("app", "--control", "--grace", "0.01")
    running.says("running")
    running.publish("long")
    running.prints("begun")
    running.send(signal.SIGTERM)
    code, _, err = running.ends()
    assert code == 1
    assert "not at an end after 0.01 s; in flight were" in err
    assert "works: running" in err


def test_a_second_ctrl_c_stops_at_once(run: type[Running]) -> None:
    running = run("app", "--control")
    running.says("running")
    running.publish("long")
    running.prints("begun")
    running.send(signal.SIGINT)
    running.says("Ctrl-C stops it at once")
    running.send(signal.SIGINT)
    code, _, err = running.ends()
    assert code == 130
    assert "stopped at once; in flight were" in err
    assert "works: running in long" in err


def test_sigterm_during_the_build_leaves_it(run: type[Running]) -> None:
    running = run("app:slow")
    running.prints("building")
    running.send(signal.SIGTERM)
    assert running.ends() == (143, "given up\n", "")


def test_ctrl_c_during_the_build_leaves_it(run: type[Running]) -> None:
    running = run("app:slow")
    running.prints("building")
    running.send(signal.SIGINT)
    code, out, err = running.ends()
    assert (code, out, err.strip()) == (130, "given up\n", "")


def test_nobody_looks_unless_allowed(run: type[Running], cli: Cli) -> None:
    running = run("app", "--no-inspect")
    assert "nobody can look at it" in running.says("running")
    assert json.loads(cli("ps", "-o", "json").out)["systems"] == []
    running.send(signal.SIGTERM)
    assert running.ends()[0] == 0


def test_control_needs_those_who_look(cli: Cli) -> None:
    assert cli("run", "app", "--no-inspect", "--control").code == 2


def test_a_build_that_fails(run: type[Running]) -> None:
    code, out, err = run("app:broken").ends()
    assert (code, out) == (1, "")
    assert "in broken" in err
    assert err.endswith("Error: app:broken failed: RuntimeError: no database\n")


def test_options_come_from_the_project_too(run: type[Running], folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.choreia.run]\ninspect = false\n")
    running = run("app")
    assert "nobody can look at it" in running.says("running")
    running.send(signal.SIGTERM)
    assert running.ends()[0] == 0
