"""Where the sockets of running systems are, so that they are found.

A folder that only its user can enter: in ``XDG_RUNTIME_DIR``, which the system has made so, or else
in the folder for temporary files, where anybody might have put something of that name first. So it
is looked at before it is used: a real folder, ours, and closed to others.
"""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from choreia.runtime.errors import InspectionInsecure

SUFFIX: Final = ".sock"
PRIVATE: Final = 0o700
LONGEST: Final = 100
"""Bytes of a socket's path: the kernel takes 107 on Linux, 103 on macOS."""


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where this user's systems are to be found. It need not exist."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_absolute() and Path(runtime).is_dir():
        return Path(runtime) / "choreia"
    return Path(tempfile.gettempdir()) / f"choreia-{os.getuid()}"


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
    found = where.lstat()
    if not stat.S_ISDIR(found.st_mode):
        wrong = "is no folder"
    elif found.st_uid != os.getuid():
        wrong = f"belongs to user {found.st_uid}"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        wrong = f"is open to others (mode {stat.S_IMODE(found.st_mode):04o})"
    else:
        return
    raise InspectionInsecure(
        f"{where} {wrong}: a system's socket belongs where only its user can get at it. "
        f"Make it `chmod 700`, remove it, or set XDG_RUNTIME_DIR to a folder of yours"
    )


def sockets(where: Path | None = None) -> list[Path]:
    """The sockets of systems that are running, the oldest first. Those whose process is gone are
    removed. Raises `InspectionInsecure`."""
    where = folder() if where is None else where
    if not where.exists():
        return []
    check(where)
    found = [path for path in where.iterdir() if path.suffix == SUFFIX and not is_stale(path)]
    return sorted(found, key=lambda path: (_made(path), path.name))


def is_stale(path: Path) -> bool:
    """Whether nobody listens there any more; then it is removed, too."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return True  # no socket at all: not ours to remove
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            probe.connect(str(path))
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
        return True
    except BlockingIOError:  # it listens, and has its hands full
        return False
    except OSError:
        return True
    return False


def _made(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0
