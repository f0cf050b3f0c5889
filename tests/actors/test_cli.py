"""The `choreia` command: what it prints, how it fails, and what it does not load."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click
import pytest

from choreia.cli.app import app
from choreia.cli.colour import colour
from choreia.cli.demo import DEMOS
from choreia.cli.failures import run
from choreia.cli.lazy import LazyCommand
from choreia.runtime.errors import (
    ChoreiaError,
    IdleTimeout,
    InspectionFailed,
    InspectionInsecure,
    InspectionRefused,
    InspectionTimeout,
    NoSuchSystem,
    SeveralSystems,
    SystemGone,
)

CHOREIA = [sys.executable, "-m", "choreia"]


def choreia(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHOREIA, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def failing(error: BaseException) -> click.Command:
    def callback() -> None:
        raise error

    return click.Command("failing", callback=callback)


def test_the_installed_script_and_the_module_are_the_same_command() -> None:
    script = Path(sys.executable).with_name("choreia")
    as_script = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    as_module = choreia("--version")
    assert as_module.returncode == 0
    assert as_script.stdout == as_module.stdout
    assert as_module.stdout.startswith("choreia, version ")


def test_demo_list_has_a_line_for_each_demo() -> None:
    done = choreia("demo", "list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == [c.name for c in DEMOS]


def test_every_demo_of_the_tree_is_in_the_list() -> None:
    folder = Path(str(import_module("choreia.demos").__file__)).parent
    demos = sorted(entry.parent.name for entry in folder.glob("*/command.py"))
    assert demos == [command.name for command in DEMOS]


@pytest.mark.parametrize(
    "lazy",
    [*DEMOS, *(c for c in app.commands.values() if isinstance(c, LazyCommand))],
    ids=lambda command: str(command.name),
)
def test_what_is_listed_can_be_loaded(lazy: LazyCommand) -> None:
    assert lazy.load().name == lazy.name
    assert len(lazy.text) <= 64, "longer texts are cut off in an 80-column terminal"


def loaded_by(*arguments: str) -> set[str]:
    """The modules that are imported for a command, beside those that Python starts with."""
    code = "from choreia.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("demo", "--help"), ("demo", "list")])
def test_listing_loads_no_agent_and_no_console(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(*arguments)
    assert "click" in loaded
    heavy = {"pykka", "rich", "attrs", "attr", "cattrs", "orjson", "re2", "asyncio", "watchfiles"}
    assert not (heavy | {"importlib.metadata", "tomllib", "sqlite3", "logging"}) & loaded
    assert not {
        name
        for name in loaded
        if name.startswith(("choreia.actors", "choreia.demos", "choreia.bench"))
        or (name.startswith("choreia.runtime.") and ".errors" not in name)
    }
    assert {name for name in loaded if name.startswith("choreia.cli.")} <= {
        f"choreia.cli.{name}" for name in ("app", "colour", "demo", "entry", "failures", "lazy")
    }


def test_the_version_is_said_without_click() -> None:
    assert not {"click", "choreia.cli.app", "asyncio", "attrs"} & loaded_by("--version")
    with_click = choreia("--version", "--help")  # not alone: click answers
    assert with_click.stdout == choreia("--version").stdout


def test_no_command_loads_the_console_before_it_runs() -> None:
    code = """
import sys
from choreia.cli.app import app
from choreia.cli.lazy import LazyCommand
for name, command in app.commands.items():
    if isinstance(command, LazyCommand) and name not in ("bench", "top"):
        command.load()
        assert not {"rich", "watchfiles", "psycopg"} & set(sys.modules), name
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_demo_is_wrong_usage_and_names_the_nearest() -> None:
    done = choreia("demo", "ordres")
    assert done.returncode == 2
    assert "No such command 'ordres'" in done.stderr
    assert "orders" in done.stderr


def test_no_color_is_heeded() -> None:
    arguments = ("demo", "orders", "--orders", "10", "--mode", "simulated")
    colours = re.compile(r"\x1b\[(\d+;)*[349]\d[;m]")
    as_terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert colours.search(choreia(*arguments, NO_COLOR="", **as_terminal).stdout)
    assert not colours.search(choreia(*arguments, NO_COLOR="1", **as_terminal).stdout)


@pytest.mark.parametrize(
    ("environment", "may"),
    [
        ({}, None),
        ({"TERM": "xterm-256color"}, None),
        ({"NO_COLOR": "", "FORCE_COLOR": ""}, None),
        ({"FORCE_COLOR": "1"}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "0", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False),
    ],
)
def test_who_says_whether_there_are_colours(environment: dict[str, str], may: bool | None) -> None:
    assert colour(environment) is may


def test_click_heeds_that(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    coloured = click.Command("red", callback=lambda: click.secho("red", fg="red"))
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, shown in (("FORCE_COLOR", "\x1b[31mred\x1b[0m\n"), ("NO_COLOR", "red\n")):
        monkeypatch.setenv(name, "1")
        assert run(coloured, []) == 0
        assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ChoreiaError("x"), 1),
        (InspectionFailed("x"), 1),
        (InspectionInsecure("x"), 1),
        (SeveralSystems("x"), 2),
        (NoSuchSystem("x"), 3),
        (SystemGone("x"), 3),
        (InspectionRefused("x"), 4),
        (InspectionTimeout("x"), 5),
        (IdleTimeout("x"), 5),
        (click.UsageError("x"), 2),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(error: BaseException, code: int) -> None:
    assert run(failing(error), []) == code


def test_an_error_raised_on_purpose_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    error = ChoreiaError("line 3 of orders.jsonl is no order\nput an amount into \x1b[31mit")
    assert run(failing(error), []) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: line 3 of orders.jsonl is no order\nput an amount")
    assert "\x1b" not in captured.err


def test_a_fault_in_the_program_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run(failing(ZeroDivisionError()), [])


def test_interrupted_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(KeyboardInterrupt()), []) == 130
    assert capsys.readouterr().err.strip() == ""


def test_ctrl_c_ends_a_demo_at_once_and_quietly() -> None:
    arguments = [*CHOREIA, "demo", "orders", "--orders", "50000"]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout
        assert demo.stdout.readline()  # it has begun
        demo.send_signal(signal.SIGINT)
        _, said = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert said.strip() == ""


def test_the_exit_code_is_what_the_command_asks_for() -> None:
    def callback() -> None:
        click.get_current_context().exit(3)

    assert run(click.Command("third", callback=callback), []) == 3


def test_a_reader_that_leaves_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*CHOREIA, "--help"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 1


def test_a_module_without_a_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("faulty")
    vars(module)["command"] = "orders"
    monkeypatch.setitem(sys.modules, "faulty", module)
    with pytest.raises(TypeError, match=r"faulty\.command is a str, not a command"):
        LazyCommand("faulty", "faulty", "").load()


@pytest.mark.parametrize("arguments", ["--version", "ps", "top", "demo list"])
def test_a_closed_output_is_no_fault(arguments: str, tmp_path: Path) -> None:
    command = f"{sys.executable} -m choreia {arguments} >&-"
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        command, shell=True, env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk at hand")
@pytest.mark.parametrize("arguments", ["--version", "demo list"])
def test_a_full_disk_is_told_in_one_line(arguments: str) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*CHOREIA, *arguments.split()], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (1, b"Error: No space left on device\n")
