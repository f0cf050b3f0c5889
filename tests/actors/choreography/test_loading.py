"""Code that is named on the command line, and is not what was meant."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from choreia import InvalidModule
from choreia.actors.choreography import load


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("no_such_module_at_all", "cannot be imported"),
        ("choreia.demos.incident.events", "no function 'build'"),
        ("choreia.demos.incident:nothing", "no function 'nothing'"),
        ("unfit:asks", "called with an ActorSystem, and nothing else"),
        ("unfit:later", "coroutine"),
        ("unfit:leave", "SystemExit"),
    ],
)
def test_what_cannot_be_loaded_is_told(
    where: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unfit.py").write_text(
        "def asks(system, more): ...\n"
        "async def later(system): ...\n"
        "def leave(system): raise SystemExit\n"
    )
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidModule, match=message):
        load(where)


def test_a_file_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "one_of_its_own.py"
    file.write_text("def start(system): system.subscribe('a', print, name='printer')\n")

    choreography = load(f"{file}:start")

    assert [player.name for player in choreography.players] == ["printer"]


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("import attrs\n\nraise ValueError('no')\n", "ValueError: no", 3),
        ("x = 1\ndef (\n", "SyntaxError", 2),
        (
            "from choreia import Agent, on\nclass A(Agent):\n    pass\non('a..b')\n",
            "InvalidPattern",
            4,
        ),
        ("import no_such_module_at_all\n", "ModuleNotFoundError", 1),
    ],
)
def test_a_module_that_fails_is_told_with_the_place(
    tmp_path: Path, source: str, message: str, line: int
) -> None:
    file = tmp_path / "failing_of_its_own.py"
    file.write_text(source)

    with pytest.raises(InvalidModule, match=message) as caught:
        load(str(file))

    assert f"{file}:{line})" in str(caught.value)
    assert "dotted name" not in str(caught.value)


def test_no_thread_is_left_of_a_function_that_waits(tmp_path: Path) -> None:
    file = tmp_path / "one_that_waits.py"
    file.write_text(
        "def build(system):\n"
        "    system.subscribe('a', lambda event: None, name='ear')\n"
        "    system.publish('a')\n"
        "    system.wait_idle()\n"
        "def fails(system):\n"
        "    build(system)\n"
        "    raise OSError\n"
    )
    before = set(threading.enumerate())

    load(str(file))
    with pytest.raises(InvalidModule, match="OSError"):
        load(f"{file}:fails")

    assert not [thread.name for thread in threading.enumerate() if thread not in before]


def test_what_a_module_prints_is_not_in_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "talking_of_its_own.py"
    file.write_text("print('here I am')\ndef build(system): print('and here')\n")

    load(str(file))

    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "here I am\nand here\n")
