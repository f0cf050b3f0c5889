"""Code that is named on the command line, and is not what was meant."""

from __future__ import annotations

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
