"""Where the sockets of running systems are, so that they are found.

A folder that only its user can enter: in ``XDG_RUNTIME_DIR``, which the system has made so, or else
in the folder for temporary files, where anybody might have put something of that name first. So it
is looked at before it is used: a real folder, ours, and closed to others.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from choreia.runtime.errors import InspectionInsecure

SUFFIX: Final = ".sock"
PRIVATE: Final = 0o700
LONGEST: Final = 100
"""Bytes of a socket's path: the kernel takes 107 on Linux, 103 on macOS."""
NAME: Final = 20
"""Bytes of a socket's name, with the slash before it."""
REFUSES_WHEN_FULL = sys.platform != "linux"
"""Whether a connection is refused, too, where somebody listens whose hands are full (BSD, macOS):
then only the process's end says that nobody does."""


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where this user's systems are to be found. It need not exist."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    if runtime and _is_ours(Path(runtime)) and _has_room(Path(runtime) / "choreia"):
        return Path(runtime) / "choreia"
    return Path(tempfile.gettempdir()) / f"choreia-{os.geteuid()}"


def prepare(where: Path) -> None:
    """Make the folder, closed to others. Raises `InspectionInsecure` if it is not, or cannot be."""
    try:
        where.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    except OSError as error:
        raise InspectionInsecure(
            f"{where} cannot be made ({error.strerror}): give another place, "
            'ActorSystem(inspect="PATH"), or set XDG_RUNTIME_DIR to a folder of yours'
        ) from error
    check(where)


def check(where: Path) -> None:
    """Raises `InspectionInsecure` unless it is a folder of ours that nobody else can enter."""
    found = _look(where, follow=False)
    if not stat.S_ISDIR(found.st_mode):
        wrong = "is no folder"
    elif found.st_uid != os.geteuid():
        wrong = f"belongs to user {found.st_uid}"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        wrong = f"is open to others (mode {stat.S_IMODE(found.st_mode):04o})"
    else:
        return
    raise InspectionInsecure(
        f"{where} {wrong}: a system's socket belongs where only its user can get at it. "
        f"Make it `chmod 700`, remove it, or set XDG_RUNTIME_DIR to a folder of yours"
    )


def check_named(where: Path) -> None:
    """Raises `InspectionInsecure` unless nobody but us and root can put something there in the
    place of our socket. Others may enter: it was named by whoever runs the system, and the socket
    itself is closed to them."""
    found = _look(where, follow=True)
    if found.st_uid not in (os.geteuid(), 0):
        wrong = f"belongs to user {found.st_uid}"
    elif found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        wrong = f"can be written by others (mode {stat.S_IMODE(found.st_mode):04o})"
    else:
        return
    raise InspectionInsecure(
        f"{where} {wrong}, who could put another socket in the place of the system's. "
        "Make it `chmod go-w`, or give a path in a folder of yours"
    )


def _look(where: Path, *, follow: bool) -> os.stat_result:
    try:
        return where.stat(follow_symlinks=follow)
    except OSError as error:
        raise InspectionInsecure(
            f"{where} cannot be looked at ({error.strerror}): give another place, "
            'ActorSystem(inspect="PATH"), or set XDG_RUNTIME_DIR to a folder of yours'
        ) from error


def sockets(where: Path | None = None) -> list[Path]:
    """The sockets of systems that are running, the oldest first. Those whose process is gone are
    removed. Raises `InspectionInsecure`."""
    where = folder() if where is None else where
    if not os.path.lexists(where):
        return []
    check(where)
    try:
        there = [path for path in where.iterdir() if path.suffix == SUFFIX]
    except FileNotFoundError:  # removed meanwhile
        return []
    found = [path for path in there if listens(path)]
    return sorted(found, key=lambda path: (_made(path), path.name))


def listens(path: Path) -> bool:
    """Whether somebody listens there. A socket that nobody listens at any more is removed; what is
    no socket is not ours to remove."""
    try:
        found = path.lstat()
    except OSError:
        return False
    if not stat.S_ISSOCK(found.st_mode):
        return False
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            probe.connect(str(path))
    except BlockingIOError:  # it listens, and has its hands full
        return True
    except ConnectionRefusedError:
        if REFUSES_WHEN_FULL and _is_running(path):
            return True
        remove(path, found)
        return False
    except OSError:
        return False
    return True


def remove(path: Path, made: os.stat_result) -> None:
    """Remove a socket, unless something else has come in its place since it was looked at."""
    with contextlib.suppress(OSError):
        now = path.lstat()
        if os.path.samestat(now, made) and now.st_mtime_ns == made.st_mtime_ns:
            path.unlink()


def _is_running(path: Path) -> bool:
    """Whether the process that a socket is named for is there, and ours."""
    number = path.name.partition("-")[0]
    try:
        os.kill(int(number), 0)
    except (ValueError, OverflowError, OSError):
        return False
    return True


def _has_room(where: Path) -> bool:
    """Whether the path of a socket there is short enough for the kernel."""
    return len(os.fsencode(where)) + NAME <= LONGEST


def _is_ours(where: Path) -> bool:
    """Whether it is a folder of this user's. After `su` or `sudo -E` the environment names
    another's, where this one must leave nothing, or can find nothing."""
    try:
        found = where.stat()
    except OSError:
        return False
    return where.is_absolute() and stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _made(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0
