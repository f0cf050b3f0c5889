"""A socket at a path, for its user alone.

It is bound under another name, and gets its own when it listens: between the two it would look
stale, and somebody who looks for systems would tidy it away.
"""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import attrs

from choreia.runtime.errors import InspectionInsecure
from choreia.runtime.inspection.places import (
    LONGEST,
    check,
    check_named,
    folder,
    listens,
    prepare,
    remove,
)

BACKLOG = 16
_NAMES = 100


@attrs.frozen(eq=False)
class Door:
    """Where clients come in."""

    socket: socket.socket
    path: Path
    _made: os.stat_result

    def shut(self) -> None:
        """Nobody comes in any more. What another system has put at the path meanwhile stays: a
        socket's number is not given anew before it is closed, so it is closed last."""
        remove(self.path, self._made)
        self.socket.close()


def bind(path: Path) -> Door:
    """Listen at `path`. A folder that is missing is made, closed to others; what a process left
    there that is gone makes room. Raises `InspectionInsecure`."""
    _check_length(path)
    _check_folder(path.parent)
    if listens(path):
        raise _taken(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        first = _bind_beside(listening, path)
        try:
            first.chmod(0o600)
            listening.listen(BACKLOG)
            _rename(first, path)
        except OSError:
            first.unlink()
            raise
        return Door(listening, path, path.lstat())
    except FileExistsError:
        listening.close()
        raise _taken(path) from None
    except OSError as error:
        listening.close()
        raise InspectionInsecure(
            f"{path}: no socket can be made there ({error.strerror or error})"
        ) from error


def _check_length(path: Path) -> None:
    try:
        length = len(os.fsencode(path))
    except UnicodeEncodeError:
        length = 0
    if not length or not path.name or "\0" in str(path):
        raise InspectionInsecure(f"{str(path)!r} is no path of a file: give another")
    if length > LONGEST:
        raise InspectionInsecure(
            f"{path} is too long for a socket: {length} bytes of {LONGEST}. Give a "
            'shorter one, ActorSystem(inspect="PATH")'
        )


def _check_folder(where: Path) -> None:
    if not os.path.isdir(where):  # noqa: PTH112  # Path's raises where we may not look
        prepare(where)
    elif where == folder():
        check(where)
    else:
        check_named(where)


def _bind_beside(listening: socket.socket, path: Path) -> Path:
    """Bind it under a name that is nobody's. What is there is never removed: it may be a file of
    the user's."""
    for number in range(_NAMES):
        first = path.with_name(f".{os.getpid()}-{number}")
        try:
            listening.bind(str(first))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return first
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _rename(first: Path, path: Path) -> None:
    """Give it its name, if nobody has it: `rename` itself would take it from a system that has come
    meanwhile, and from any file. Raises `FileExistsError`."""
    try:
        path.hardlink_to(first)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(path):
            raise FileExistsError from None
        first.rename(path)
    else:
        first.unlink()


def _taken(path: Path) -> InspectionInsecure:
    if listens(path):
        return InspectionInsecure(f"{path} is in use by another system: give another path")
    return InspectionInsecure(
        f"{path} is there already, and is no socket of a system's that has ended: give another path"
    )
