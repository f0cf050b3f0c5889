"""Where sockets are: closed to others, and tidied without hurting anybody."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from choreia.runtime.errors import InspectionInsecure
from choreia.runtime.inspection import places

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
NOBODY = 65_534


@pytest.fixture
def listen() -> Iterator[list[socket.socket]]:
    made: list[socket.socket] = []
    yield made
    for one in made:
        one.close()


def listening(path: Path, backlog: int = 4) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen(backlog)
    return made


def stale(path: Path) -> Path:
    listening(path).close()
    return path


# -- the folder ------------------------------------------------------------------------------------


def test_it_is_in_the_users_runtime_folder(room: Path) -> None:
    assert places.folder({"XDG_RUNTIME_DIR": str(room)}) == room / "choreia"


@pytest.mark.parametrize("given", ["", "relative", "/nowhere/at/all", "FILE", "LONG"])
def test_or_in_the_one_for_temporary_files(
    given: str, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (room / "file").touch()
    (room / "relative").mkdir()
    long = room / ("x" * places.LONGEST)
    long.mkdir()
    monkeypatch.chdir(room)
    given = given.replace("FILE", str(room / "file")).replace("LONG", str(long))
    environment = {"XDG_RUNTIME_DIR": given}
    folder = places.folder(environment)
    assert folder.name == f"choreia-{os.geteuid()}"
    assert folder == places.folder({})


@root_only
def test_another_users_runtime_folder_is_not_ours(room: Path) -> None:
    """`sudo -E` keeps the variable: root would leave a folder there that its user cannot enter."""
    os.chown(room, NOBODY, NOBODY)
    assert places.folder({"XDG_RUNTIME_DIR": str(room)}) == places.folder({})


@root_only
def test_a_runtime_folder_that_may_not_be_looked_at_is_not_ours(room: Path) -> None:
    """`su` keeps the variable, too."""
    code = (
        "import os, sys; os.setuid(65534)\n"
        "from choreia.runtime.inspection.places import folder, sockets\n"
        "print(folder({'XDG_RUNTIME_DIR': sys.argv[1]}).name, sockets(__import__('pathlib')"
        ".Path(sys.argv[1] + '/choreia')))"
    )
    (room / "choreia").mkdir(mode=0o700)
    assert as_nobody(code, str(room / "choreia")) == "choreia-65534 []"


def as_nobody(code: str, *args: str) -> str:
    """What it prints; imported first, because nobody may not read where this is."""
    imports = "import choreia.runtime.inspection.client, choreia.runtime.inspection.places\n"
    ran = subprocess.run(
        [sys.executable, "-c", imports + code, *args],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert not ran.stderr
    return ran.stdout.strip()


def test_it_is_made_for_its_user_alone(room: Path) -> None:
    before = os.umask(0)
    try:
        places.prepare(room / "a" / "choreia")
        places.prepare(room / "a" / "choreia")
    finally:
        os.umask(before)
    assert (room / "a" / "choreia").stat().st_mode & 0o7777 == 0o700


@pytest.mark.parametrize("mode", [0o750, 0o740, 0o710, 0o701, 0o777, 0o1777, 0o770])
def test_one_that_others_can_enter_is_refused(room: Path, mode: int) -> None:
    open_one = room / "choreia"
    open_one.mkdir()
    open_one.chmod(mode)
    with pytest.raises(InspectionInsecure, match=r"open to others .*chmod 700"):
        places.prepare(open_one)
    with pytest.raises(InspectionInsecure, match="open to others"):
        places.sockets(open_one)


@root_only
def test_another_users_is_refused(room: Path) -> None:
    theirs = room / "choreia"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, NOBODY, NOBODY)
    with pytest.raises(InspectionInsecure, match="belongs to user 65534"):
        places.prepare(theirs)
    with pytest.raises(InspectionInsecure, match="belongs to user 65534"):
        places.sockets(theirs)


@pytest.mark.parametrize("to", ["real", "nowhere", "choreia"])
def test_a_link_is_refused_wherever_it_leads(room: Path, to: str) -> None:
    (room / "real").mkdir(mode=0o700)
    (room / "choreia").symlink_to(room / to)
    with pytest.raises(InspectionInsecure):
        places.prepare(room / "choreia")
    with pytest.raises(InspectionInsecure, match="is no folder"):
        places.sockets(room / "choreia")


def test_a_file_is_refused(room: Path) -> None:
    (room / "choreia").touch()
    with pytest.raises(InspectionInsecure, match="cannot be made"):
        places.prepare(room / "choreia")
    with pytest.raises(InspectionInsecure, match="cannot be made"):
        places.prepare(room / "choreia" / "deeper")
    with pytest.raises(InspectionInsecure, match="is no folder"):
        places.check(room / "choreia")


def test_one_that_has_gone_is_refused_when_it_is_needed_and_empty_when_looked_at(
    room: Path,
) -> None:
    with pytest.raises(InspectionInsecure, match="cannot be looked at"):
        places.check(room / "choreia")
    assert places.sockets(room / "choreia") == []


@pytest.mark.parametrize(
    ("mode", "good"), [(0o700, True), (0o755, True), (0o1777, True), (0o777, False), (0o775, False)]
)
def test_a_named_folder_may_be_entered_by_others_but_not_written(
    room: Path, mode: int, good: bool
) -> None:
    room.chmod(mode)
    if good:
        places.check_named(room)
    else:
        with pytest.raises(InspectionInsecure, match=r"can be written by others .*chmod go-w"):
            places.check_named(room)
    room.chmod(0o700)


@root_only
def test_a_named_folder_may_be_roots_but_nobody_elses(room: Path) -> None:
    places.check_named(Path("/"))
    os.chown(room, NOBODY, NOBODY)
    with pytest.raises(InspectionInsecure, match="belongs to user 65534"):
        places.check_named(room)


# -- the sockets in it -----------------------------------------------------------------------------


def test_those_that_listen_are_found_and_stale_ones_removed(
    room: Path, listen: list[socket.socket]
) -> None:
    listen += [listening(room / "1-1.sock"), listening(room / "2-1.sock")]
    os.utime(room / "1-1.sock", (2e9, 2e9))
    gone = stale(room / "3-1.sock")
    (room / "4-1.sock").write_text("a file")
    (room / "5-1.sock").mkdir()
    (room / "6-1.sock").symlink_to(room / "1-1.sock")
    (room / "7-1.sock").symlink_to(room / "nowhere")
    listen.append(listening(room / "other"))
    assert places.sockets(room) == [room / "2-1.sock", room / "1-1.sock"]  # the oldest first
    assert not gone.exists()
    assert sorted(one.name for one in room.iterdir()) == [
        "1-1.sock", "2-1.sock", "4-1.sock", "5-1.sock", "6-1.sock", "7-1.sock", "other"
    ]  # fmt: skip


def test_one_that_has_its_hands_full_is_alive(room: Path, listen: list[socket.socket]) -> None:
    path = room / "1-1.sock"
    listen.append(listening(path, backlog=0))
    while True:
        one = socket.socket(socket.AF_UNIX)
        listen.append(one)
        one.setblocking(False)
        try:
            one.connect(str(path))
        except OSError:
            break
    assert places.listens(path)
    assert path.exists()


@pytest.mark.parametrize(
    ("number", "alive"), [(os.getpid(), True), (2**40, False)], ids=["us", "none"]
)
def test_where_a_full_one_refuses_its_process_is_looked_for(
    room: Path, monkeypatch: pytest.MonkeyPatch, number: int, alive: bool
) -> None:
    monkeypatch.setattr(places, "REFUSES_WHEN_FULL", True)
    path = stale(room / f"{number}-1.sock")
    assert places.listens(path) is alive
    assert path.exists() is alive


def test_there_a_name_without_a_process_is_stale(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "REFUSES_WHEN_FULL", True)
    assert not places.listens(stale(room / "mine.sock"))
    assert not (room / "mine.sock").exists()


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_a_socket_of_another_kind_is_left_alone(room: Path, kind: socket.SocketKind) -> None:
    path = room / "1-1.sock"
    with socket.socket(socket.AF_UNIX, kind) as other:
        other.bind(str(path))
        assert not places.listens(path)
        assert path.exists()


def test_a_path_too_long_to_connect_to_is_left_alone(room: Path) -> None:
    deep = room / ("x" * 120)
    deep.mkdir()
    assert not places.listens(deep / "1-1.sock")


def test_what_has_come_in_its_place_is_not_removed(room: Path, listen: list[socket.socket]) -> None:
    path = stale(room / "1-1.sock")
    seen = path.lstat()
    path.rename(room / "away")
    listen.append(listening(path))
    places.remove(path, seen)
    assert places.listens(path)
    places.remove(room / "away", seen)
    assert not (room / "away").exists()
    places.remove(room / "away", seen)


def test_one_that_may_not_be_removed_is_not_there(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "no")

    path = stale(room / "1-1.sock")
    monkeypatch.setattr(Path, "unlink", refuse)
    assert places.sockets(room) == []
    monkeypatch.undo()
    assert path.exists()
