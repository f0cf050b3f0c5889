"""Which system is meant, the first time and again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from choreia.console.terminal.connecting import connector, wait_for
from choreia.runtime.errors import NoSuchSystem, SeveralSystems

if TYPE_CHECKING:
    from tests.actors.choreia.conftest import Serve


@pytest.fixture
def folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where systems are found by themselves."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place.parent))
    return place.parent / "choreia"


def test_one_that_was_started_again_is_found_by_its_node(folder: Path, serve: Serve) -> None:
    first = serve(folder / "a.sock")
    connect = connector(str(first.pid))
    with connect(None) as client:
        hello = client.hello
    first.kill()
    first.wait()
    with pytest.raises(NoSuchSystem):
        connect(None)
    with pytest.raises(NoSuchSystem):
        connect(hello)
    second = serve(folder / "b.sock")
    with connect(hello) as client:
        assert client.hello["pid"] == second.pid


def test_two_of_one_node_are_not_chosen_from(folder: Path, serve: Serve) -> None:
    connect = connector(None)
    serve(folder / "a.sock")
    with connect(None) as client:
        hello = client.hello
    serve(folder / "b.sock")
    with pytest.raises(SeveralSystems):
        connect(hello)


def test_a_path_means_what_is_there_and_nothing_else(folder: Path, serve: Serve) -> None:
    serve(folder / "a.sock")
    with pytest.raises(NoSuchSystem):
        connector(str(folder / "b.sock"))({"node": "kitchen"})


def test_waiting_ends_at_once_when_one_is_there(kitchen: Path) -> None:
    with wait_for(connector(str(kitchen))) as client:
        assert client.hello["node"] == "kitchen"
