"""A system's socket, from its beginning to its end."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

import choreia
from choreia import ActorSystem, Inspection, InspectionInsecure, NoSuchSystem, SystemGone
from choreia.runtime.inspection import finding, places
from choreia.runtime.inspection.client import Client


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "choreia"


def test_it_is_found_by_itself_and_nobody_else_gets_at_it(folder: Path) -> None:
    with ActorSystem(inspect=True, node="shop"):
        path = finding.find()
        assert path.parent == folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert finding.find("shop") == finding.find(str(os.getpid())) == path
    assert not path.exists()
    with pytest.raises(NoSuchSystem):
        finding.find()


def test_it_says_who_it_is(tmp_path: Path) -> None:
    store = tmp_path / "e.db"
    with (
        ActorSystem(inspect=True, node="shop", workers=2, store=store),
        Client(finding.find()) as client,
    ):
        hello = client.hello
        assert hello["node"] == "shop"
        assert hello["pid"] == os.getpid()
        assert hello["uid"] == os.getuid()
        assert hello["version"] == choreia.__version__
        assert hello["python"] == sys.version.split()[0]
        assert hello["mode"] == "threads"
        assert hello["workers"] == 2
        assert hello["store"] == str(store)
        assert hello["control"] is False
        assert "snapshot" in str(hello["verbs"])


def test_the_end_of_the_system_is_told() -> None:
    with ActorSystem(inspect=True) as system, Client(finding.find()) as client:
        client.send("snapshot", every=0.05)
        assert client.receive(30)
        system.stop()
        with pytest.raises(SystemGone) as caught:
            _read_on(client)
        assert caught.value.reason == "stopped"
    assert not [one for one in threading.enumerate() if one.name.startswith("choreia-inspect")]


def _read_on(client: Client) -> None:
    while client.receive(30):
        pass


def test_several_in_one_process_do_not_get_in_each_others_way() -> None:
    with ActorSystem(inspect=True, node="a"), ActorSystem(inspect=True, node="b"):
        assert len(places.sockets()) == 2
        with Client(finding.find("b")) as client:
            assert client.hello["node"] == "b"


def test_a_system_that_cannot_be_served_does_not_begin(tmp_path: Path) -> None:
    before = threading.active_count()
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(InspectionInsecure):
        ActorSystem(inspect=taken)
    assert taken.read_text() == "mine"
    assert threading.active_count() == before


def test_a_store_that_is_a_server_is_shown_without_its_password() -> None:
    from choreia.actors.keeping import shown_store

    assert shown_store("postgresql://ada:secret@db.host:5432/shop") == "postgresql://db.host/shop"
    assert shown_store(Path("/x/e.db")) == "/x/e.db"
    assert shown_store(None) is None


def test_where_it_is_may_be_said(tmp_path: Path) -> None:
    path = tmp_path / "here.sock"
    with ActorSystem(inspect=Inspection(path)), Client(finding.find(str(path))) as client:
        assert client.hello["pid"] == os.getpid()
