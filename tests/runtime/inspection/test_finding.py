"""Which system is meant."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from choreia.runtime.errors import InspectionInsecure, NoSuchSystem, SeveralSystems
from choreia.runtime.inspection import finding
from choreia.runtime.inspection.finding import Found, find, look, systems
from choreia.runtime.inspection.frames import Fields
from choreia.runtime.inspection.meter import Meter
from choreia.runtime.inspection.places import folder
from choreia.runtime.inspection.server import Server

Start = Callable[..., Path]


class Greeter:
    """Says who it is, and nothing else."""

    def __init__(self, hello: Fields) -> None:
        self._hello = hello

    def is_slow(self, verb: str) -> bool:
        return False

    def answer(self, verb: str, args: object, peer: object) -> Fields:
        return self._hello


@pytest.fixture
def start(room: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """``start("node", 7)``: a system of that node and process."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(room))
    made: list[Server] = []

    def build(node: str, pid: int, where: Path | None = None) -> Path:
        hello: Fields = {"node": node, "pid": pid, "program": f"{node}.py\x1b[2J --all"}
        made.append(Server(where or folder() / f"{pid}-1.sock", Greeter(hello), Meter()))
        made[-1].start()
        return made[-1].path

    yield build
    for server in made:
        server.stop("the test is over")


def test_the_only_one_needs_no_name(start: Start) -> None:
    path = start("shop", 7)
    assert find(None) == find() == find("shop") == find("7") == path


def test_none_is_told_how_to_start_one(start: Start) -> None:
    with pytest.raises(NoSuchSystem, match=r"no running system .*`choreia run`.*inspect=True"):
        find()
    with pytest.raises(NoSuchSystem, match=r"called 'shop'. There are: none"):
        find("shop")
    assert systems() == []


def test_of_several_one_is_chosen_by_node_or_process(start: Start) -> None:
    shop, store = start("shop", 7), start("store", 8)
    assert find("shop") == find("7") == shop
    assert find("store") == find("8") == store
    with pytest.raises(
        SeveralSystems, match=r"2 systems could be meant: .*--system PID"
    ) as several:
        find()
    assert sorted(several.value.systems) == [
        "shop, process 7 (shop.py[2J --all)", "store, process 8 (store.py[2J --all)"
    ]  # fmt: skip
    with pytest.raises(NoSuchSystem, match=r"called 'x\[2J'. There are: .*shop, process 7"):
        find("x\x1b[2J")


def test_two_of_one_node_are_told_apart_by_process(start: Start) -> None:
    start("shop", 7)
    second = start("shop", 8)
    start("store", 9)
    with pytest.raises(SeveralSystems, match="2 systems could be meant") as several:
        find("shop")
    assert len(several.value.systems) == 2
    assert find("8") == second


def test_a_path_is_taken_at_its_word(start: Start, room: Path) -> None:
    elsewhere = start("shop", 7, room / "shop.sock")
    assert systems() == []  # it is not where systems are looked for
    assert find(str(elsewhere)) == elsewhere
    assert find("shop.sock") == Path("shop.sock")
    assert find("./x") == Path("./x")


def test_those_that_have_ended_hang_or_are_something_else_are_passed_over(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PATIENCE", 0.05)
    path = start("shop", 7)
    with socket.socket(socket.AF_UNIX) as ended:
        ended.bind(str(folder() / "1-1.sock"))
    with socket.socket(socket.AF_UNIX) as hangs:
        hangs.bind(str(folder() / "2-1.sock"))
        hangs.listen()
        assert [one.path for one in systems()] == [path]
    assert not (folder() / "1-1.sock").exists()


def test_one_that_hangs_is_there_all_the_same(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PATIENCE", 0.05)
    start("shop", 7)
    with socket.socket(socket.AF_UNIX) as hangs:
        path = folder() / "2-1.sock"
        hangs.bind(str(path))
        hangs.listen()
        found, silent = look()
        assert ([one.hello["node"] for one in found], [one.path for one in silent]) == (
            ["shop"],
            [path],
        )
        assert find("2") == path  # whoever connects is told
        assert find() == find("7") != path  # one that answers is meant sooner
        with pytest.raises(NoSuchSystem, match=r"shop, process 7.*process 2 .*did not answer"):
            find("other")


def test_the_only_one_is_meant_though_it_hangs(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PATIENCE", 0.05)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(room))
    folder().mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as hangs:
        hangs.bind(str(folder() / "2-1.sock"))
        hangs.listen()
        assert find() == folder() / "2-1.sock"


def test_what_is_said_is_not_trusted() -> None:
    found = Found(Path("/x"), {"node": "a\x1b[2J\u202e" + "x" * 500, "pid": [], "program": None})
    assert str(found).isprintable()
    assert len(str(found)) <= 200
    assert str(Found(Path("/x"), {})) == "?, process ? (?)"


def test_an_unsafe_folder_is_told(start: Start) -> None:
    folder().mkdir()
    folder().chmod(0o755)
    with pytest.raises(InspectionInsecure, match="open to others"):
        find()
