"""`choreia run --watch`: it begins again when the code changes, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from choreia.cli.watching import Changed, Ended, Told, Watching, folders_of

# -- what it does when something happens -----------------------------------------------------------


class Process:
    """A process, as far as it is asked. It ends when the test says so."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def terminate(self) -> None:
        self.told.append("terminate")

    def kill(self) -> None:
        self.told.append("kill")

    def send_signal(self, number: signal.Signals) -> None:
        self.told.append(number.name)


class Watched(Watching):
    """Processes that are none."""

    def __init__(self, told: Told, patience: float = 60) -> None:
        super().__init__([], told, patience)
        self.processes: list[Process] = []

    def _begin(self) -> None:
        self._again = False
        self._process = Process()  # type: ignore[assignment]
        self.processes.append(self._process)  # type: ignore[arg-type]


def run_with(*happening: Changed | Ended | signal.Signals) -> tuple[int, list[list[str]]]:
    told: Told = SimpleQueue()
    for one in happening:
        told.put(one)
    watched = Watched(told)
    code = watched.run()
    return code, [one.told for one in watched.processes]


CHANGE = Changed(("app.py", "other.py"))


@pytest.mark.parametrize(
    ("happening", "code", "told"),
    [
        ((signal.SIGINT, Ended(130)), 130, [["SIGINT"]]),
        ((signal.SIGTERM, Ended(0)), 0, [["SIGTERM"]]),
        ((signal.SIGHUP, Ended(0)), 0, [["SIGTERM"]]),
        ((signal.SIGINT, signal.SIGINT, Ended(130)), 130, [["SIGINT", "SIGINT"]]),
        ((signal.SIGTERM, Ended(-9)), 137, [["SIGTERM"]]),
        ((CHANGE, Ended(0), signal.SIGTERM, Ended(1)), 1, [["terminate"], ["SIGTERM"]]),
        ((CHANGE, CHANGE, Ended(0), signal.SIGINT, Ended(130)), 130, [["terminate"], ["SIGINT"]]),
        ((Ended(1), CHANGE, signal.SIGINT, Ended(130)), 130, [[], ["SIGINT"]]),
        ((Ended(1), signal.SIGINT), 130, [[]]),
        ((Ended(1), signal.SIGTERM), 0, [[]]),
        ((signal.SIGINT, CHANGE, Ended(130)), 130, [["SIGINT"]]),
        ((CHANGE, signal.SIGINT, Ended(130)), 130, [["terminate", "SIGINT"]]),
    ],
)
def test_what_happens_and_what_comes_of_it(
    happening: tuple[Changed | Ended | signal.Signals, ...], code: int, told: list[list[str]]
) -> None:
    assert run_with(*happening) == (code, told)


def test_who_does_not_end_is_killed() -> None:
    told: Told = SimpleQueue()
    told.put(signal.SIGTERM)

    class Stubborn(Process):
        def kill(self) -> None:
            super().kill()
            told.put(Ended(-9))

    class Waits(Watched):
        def _begin(self) -> None:
            self._process = Stubborn()  # type: ignore[assignment]
            self.processes.append(self._process)  # type: ignore[arg-type]

    watched = Waits(told, patience=0.01)
    assert watched.run() == 137
    assert watched.processes[0].told == ["SIGTERM", "kill"]


# -- where changes count ---------------------------------------------------------------------------


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here / "shop", there / "bakery"):
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "app.py").touch()
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(str(there))
    assert folders_of("shop.app:build") == [here]
    assert folders_of("shop/app.py") == [here]
    assert folders_of("bakery.app") == [here, there / "bakery"]
    assert folders_of(f"{there}/bakery/app.py:build") == [here, there / "bakery"]
    for unknown in ("no_such.app", "sys", ".x"):
        assert folders_of(unknown) == [here]


# -- for real --------------------------------------------------------------------------------------


@pytest.fixture
def watching(
    tmp_path: Path, sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    begun: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "choreia", "run", "watched_app", "--watch", "--grace", "5"],
                cwd=tmp_path,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return begun[0]

    yield begin
    for one in begun:
        one.kill()
        one.communicate()


def test_it_begins_again_when_the_code_changes(
    watching: Callable[[], subprocess.Popen[str]], tmp_path: Path
) -> None:
    app = tmp_path / "watched_app.py"

    def write(body: str) -> None:
        app.with_suffix(".new").write_text(
            f"from choreia import Agent\n\ndef build(system):\n{body}"
        )
        app.with_suffix(".new").replace(app)  # never half of it

    write("    system.spawn(Agent, name='one')\n")
    process = watching()
    assert process.stderr is not None
    lines = iter(process.stderr)

    def says(*texts: str) -> None:
        """In any order."""
        left = set(texts)
        while left:
            line = next(lines)
            left = {text for text in left if text not in line}

    says(f"watching {tmp_path} for changes", "running watched_app: 1 agent, ")
    write("    for name in 'two', 'three':\n        system.spawn(Agent, name=name)\n")
    says("watched_app.py changed: it begins again")
    says("ended (SIGTERM)")
    says("running watched_app: 2 agents, ")
    write("    1 / 0\n")
    says("ZeroDivisionError")
    says("it has ended, with exit code 1")
    (tmp_path / "notes.txt").write_text("no code")
    write("    system.spawn(Agent, name='four')\n")
    says("running watched_app: 1 agent, ")
    os.kill(process.pid, signal.SIGINT)
    says("Ctrl-C stops it at once")
    assert process.wait(60) == 130
