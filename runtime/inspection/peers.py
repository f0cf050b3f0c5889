"""Who is at the other end of a Unix socket, as the kernel knows it."""

from __future__ import annotations

import os
import pwd
import socket
import struct
import sys

import attrs

_CREDENTIALS = struct.Struct("3i")
"""Linux, ``struct ucred``: process, user, group."""


@attrs.frozen
class Peer:
    """A process. What the kernel does not tell is None."""

    pid: int | None = None
    uid: int | None = None

    @property
    def user(self) -> str:
        """The name of the user."""
        if self.uid is None:
            return "somebody"
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    @property
    def trusted(self) -> bool:
        """Whether it is this process's own user, or root, who can do anything anyway. Where the
        kernel does not tell, the folder's and the socket's modes are all there is."""
        return self.uid is None or self.uid in (os.geteuid(), 0)


def peer_of(connection: socket.socket) -> Peer:
    """Who has connected."""
    if sys.platform != "linux":  # SO_PEERCRED is Linux's
        return Peer()
    size = _CREDENTIALS.size
    pid, uid, _ = _CREDENTIALS.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    return Peer(pid or None, uid)
