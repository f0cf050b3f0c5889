"""A socket of one's own: nobody else's file is touched for it."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from choreia.runtime.errors import InspectionInsecure
from choreia.runtime.inspection import binding
from choreia.runtime.inspection.binding import Door
from choreia.runtime.inspection.places import folder, listens, sockets

NOBODY = 65_534


@pytest.fixture
def doors() -> Iterator[list[Door]]:
    made: list[Door] = []
    yield made
    for door in made:
        door.shut()


def test_the_socket_is_its_users_alone_whatever_the_umask(room: Path, doors: list[Door]) -> None:
    before = os.umask(0)
    try:
        doors.append(binding.bind(room / "new" / "it.sock"))
    finally:
        os.umask(before)
    found = (room / "new" / "it.sock").lstat()
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert stat.S_IMODE((room / "new").stat().st_mode) == 0o700
    assert [one.name for one in (room / "new").iterdir()] == ["it.sock"]


def test_it_goes_when_it_is_shut(path: Path) -> None:
    door = binding.bind(path)
    assert listens(path)
    door.shut()
    assert not path.exists()
    door.shut()
    assert not listens(path)


def test_what_has_come_in_its_place_stays(path: Path, doors: list[Door]) -> None:
    mine = binding.bind(path)
    path.unlink()
    doors.append(binding.bind(path))
    mine.shut()
    assert listens(path)


def test_what_a_process_left_makes_room(path: Path, doors: list[Door]) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    doors.append(binding.bind(path))
    assert listens(path)


def test_a_living_system_keeps_its_place(path: Path, doors: list[Door]) -> None:
    doors.append(binding.bind(path))
    with pytest.raises(InspectionInsecure, match="in use by another system"):
        binding.bind(path)
    assert listens(path)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_of_many_at_once_one_gets_it(path: Path, doors: list[Door]) -> None:
    started, refused = threading.Barrier(8), []

    def run() -> None:
        started.wait()
        try:
            doors.append(binding.bind(path))
        except InspectionInsecure as error:
            refused.append(str(error))

    for _ in range(10):
        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(doors) == 1
        assert all("in use" in said for said in refused)
        doors.pop().shut()
        assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "folder", "link", "datagram"])
def test_what_is_no_such_socket_is_never_removed(path: Path, kind: str) -> None:
    made: socket.socket | None = None
    if kind == "file":
        path.write_text("precious")
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("/nowhere")
    else:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.bind(str(path))
    with pytest.raises(InspectionInsecure, match="there already"):
        binding.bind(path)
    assert os.path.lexists(path)
    if made is not None:
        made.close()


@pytest.mark.parametrize("name", ["env.sock", "profile", "x.tar.sock", ".sock", "-1.sock"])
def test_no_file_beside_it_is_touched(room: Path, doors: list[Door], name: str) -> None:
    """It is bound under a hidden name first, which must be nobody's."""
    beside = [room / ".env", room / ".profile", room / ".x.tar", room / f".{os.getpid()}-0"]
    for one in beside:
        one.write_text("precious")
    doors.append(binding.bind(room / name))
    assert [one.read_text() for one in beside] == ["precious"] * 4
    assert {one.name for one in room.iterdir()} == {*(one.name for one in beside), name}


def test_one_that_is_being_bound_is_not_taken_for_stale(
    room: Path, doors: list[Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Path]] = []

    class Looked(socket.socket):
        """Somebody looks for systems before it listens, and after."""

        def listen(self, backlog: int = 0) -> None:
            seen.append(sockets(room))
            super().listen(backlog)
            seen.append(sockets(room))

    monkeypatch.setattr(socket, "socket", Looked)
    doors.append(binding.bind(room / "1-1.sock"))
    monkeypatch.undo()
    assert seen == [[], []]
    assert sockets(room) == [room / "1-1.sock"]


@pytest.mark.parametrize("there", ["nothing", "file"])
def test_a_file_system_without_links_will_do(
    path: Path, doors: list[Door], monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    if there == "file":
        path.write_text("precious")
        with pytest.raises(InspectionInsecure, match="there already"):
            binding.bind(path)
        assert path.read_text() == "precious"
    else:
        doors.append(binding.bind(path))
        assert listens(path)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_path_that_is_too_long_is_told_before_anything_is_made(room: Path) -> None:
    long = room / "new" / ("x" * 100 + ".sock")
    with pytest.raises(InspectionInsecure, match=r"too long for a socket: \d+ bytes of 100"):
        binding.bind(long)
    assert not long.parent.exists()


def test_bytes_are_counted_not_characters(room: Path, doors: list[Door]) -> None:
    fits = 100 - len(os.fsencode(room)) - 1
    doors.append(binding.bind(room / ("x" * fits)))
    with pytest.raises(InspectionInsecure, match="101 bytes of 100"):
        binding.bind(room / ("ä" + "x" * (fits - 1)))


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
def test_what_is_no_path_is_told(room: Path, name: str) -> None:
    with pytest.raises(InspectionInsecure, match="is no path of a file"):
        binding.bind(room / name)


@pytest.mark.parametrize("where", ["/", "/proc/1.sock", "/dev/null/x.sock", "/proc/none/x.sock"])
def test_where_no_socket_can_be_is_told(where: str) -> None:
    with pytest.raises(InspectionInsecure):
        binding.bind(Path(where))


def test_a_folder_that_others_can_write_is_refused(room: Path) -> None:
    room.chmod(0o777)
    with pytest.raises(InspectionInsecure, match="written by others"):
        binding.bind(room / "it.sock")
    room.chmod(0o700)
    assert list(room.iterdir()) == []


def test_the_folder_where_systems_are_found_must_be_closed(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have put it there first."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(room))
    folder().mkdir()
    folder().chmod(0o755)
    with pytest.raises(InspectionInsecure, match="open to others"):
        binding.bind(folder() / "1-1.sock")
    folder().rmdir()
    (room / "real").mkdir(mode=0o700)
    folder().symlink_to(room / "real")
    with pytest.raises(InspectionInsecure, match="is no folder"):
        binding.bind(folder() / "1-1.sock")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_folder_where_systems_are_found_must_be_ours(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(room))
    folder().mkdir(mode=0o700)
    os.chown(folder(), NOBODY, NOBODY)
    with pytest.raises(InspectionInsecure, match="belongs to user 65534"):
        binding.bind(folder() / "1-1.sock")


def test_nothing_is_left_of_a_failure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path, mode: int) -> None:
        raise PermissionError(1, "no modes here")

    monkeypatch.setattr(Path, "chmod", fail)
    with pytest.raises(InspectionInsecure, match="no socket can be made there"):
        binding.bind(path)
    assert list(path.parent.iterdir()) == []
