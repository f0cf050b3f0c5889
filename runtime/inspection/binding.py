"""A socket at a path, for its user alone.

It is bound under another name, and gets its own when it listens: between the two it would look
stale, and somebody who looks for systems would tidy it away.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from choreia.runtime.errors import InspectionInsecure
from choreia.runtime.inspection.places import LONGEST, is_stale, prepare

BACKLOG = 16


def bind(path: Path) -> socket.socket:
    """Listen at `path`. A folder that is missing is made, closed to others; what a process left
    there that is gone makes room. Raises `InspectionInsecure`."""
    if len(os.fsencode(path)) > LONGEST:
        raise InspectionInsecure(
            f"{path} is too long for a socket: {len(os.fsencode(path))} bytes of {LONGEST}. Give a "
            'shorter one, ActorSystem(inspect="PATH")'
        )
    if not path.parent.is_dir():
        prepare(path.parent)
    if os.path.lexists(path) and not is_stale(path):
        raise InspectionInsecure(f"{path} is in use by another system: give another path")
    if os.path.lexists(path):
        raise InspectionInsecure(f"{path} is there already, and is no socket: give another path")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    first = path.with_name(f".{path.stem}")
    try:
        listening.setblocking(False)
        first.unlink(missing_ok=True)
        listening.bind(str(first))
        first.chmod(0o600)
        listening.listen(BACKLOG)
        first.rename(path)
    except OSError as error:
        listening.close()
        first.unlink(missing_ok=True)
        raise InspectionInsecure(
            f"{path}: no socket can be made there ({error.strerror or error})"
        ) from error
    return listening
