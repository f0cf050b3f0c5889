"""Completion in bash, zsh and fish: what is offered, and that a shell takes it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class

from choreia import ActorSystem, Agent
from choreia.cli.app import app

Completed = Callable[..., list[str]]

SHELLS = ("bash", "zsh", "fish")
CHOREIA = Path(sys.executable).with_name("choreia")

pytestmark = pytest.mark.usefixtures("sockets")


def asked(shell: str, *words: str) -> dict[str, str]:
    """What a shell has in its environment when it wants the last of `words` completed."""
    word = words[-1] if shell == "fish" else str(len(words) - 1)
    return {
        "_CHOREIA_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": word,
    }


def offered(shell: str, said: str) -> list[str]:
    """The words in what a shell is told."""
    lines = [line for line in said.splitlines() if line]
    if lines[:1] == ["plain"]:  # zsh, and fish up to click 8.4: the kind, the word, what it is
        return lines[1::3]
    return [line.partition(",")[2].partition("\t")[0] for line in lines]


@pytest.fixture(params=SHELLS)
def completed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Completed:
    """What is offered for the last of some words, in each shell."""
    shell: str = request.param
    kind = get_completion_class(shell)
    assert kind is not None

    def complete(*words: str) -> list[str]:
        for name, value in asked(shell, *words).items():
            monkeypatch.setenv(name, value)
        return offered(shell, kind(app, {}, "choreia", "_CHOREIA_COMPLETE").complete())

    return complete


def test_commands_and_options_are_offered(completed: Completed) -> None:
    assert completed("choreia", "ag") == ["agent", "agents"]
    assert completed("choreia", "demo", "or") == ["orders"]
    assert completed("choreia", "run", "--wa") == ["--watch"]
    assert completed("choreia", "demo", "orders", "--mode", "sim") == ["simulated"]
    assert completed("choreia", "control", "re") == ["redeliver", "restart", "resume"]


def test_agents_of_the_running_system_are_offered(completed: Completed) -> None:
    assert completed("choreia", "agent", "gree") == []
    with ActorSystem(node="here", inspect=True) as system:
        for name in ("greeter", "greedy", "other"):
            system.spawn(Agent, name=name)
        assert completed("choreia", "agent", "gree") == ["greedy", "greeter"]
        assert completed("choreia", "control", "stop", "ot") == ["other"]
        assert completed("choreia", "agent", "regis") == [], "the runtime's own"
        assert completed("choreia", "agents", "--system", "he") == ["here"]
        with ActorSystem(node="two", inspect=True):
            assert completed("choreia", "agent", "gree") == []
            chosen = ("agent", "--system", "here", "gree")
            assert completed("choreia", *chosen) == ["greedy", "greeter"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_program_answers_the_shell(shell: str) -> None:
    with ActorSystem(inspect=True) as system:
        system.spawn(Agent, name="greeter")
        done = subprocess.run(
            [CHOREIA],
            env={**os.environ, **asked(shell, "choreia", "agent", "gree")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert offered(shell, done.stdout) == ["greeter"]
    assert done.stderr == ""


def test_nothing_of_the_project_is_read(
    completed: Completed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool")
    monkeypatch.chdir(tmp_path)
    assert completed("choreia", "run", "--wa") == ["--watch"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_is_told_how(shell: str) -> None:
    done = subprocess.run(
        [CHOREIA],
        env={**os.environ, "_CHOREIA_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"_CHOREIA_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_takes_it() -> None:
    script = """
        source <(_CHOREIA_COMPLETE=bash_source choreia)
        complete -p choreia
        COMP_WORDS=(choreia demo or) COMP_CWORD=2
        _choreia_completion choreia or demo
        echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={**os.environ, "PATH": f"{CHOREIA.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    registered, reply = done.stdout.splitlines()
    assert "_choreia_completion" in registered
    assert reply == "orders"
    assert done.stderr == ""
