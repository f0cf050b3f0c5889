"""The lock of the one who writes: a session's, so it ends with the session."""

from __future__ import annotations

import math
import os
import socket
import weakref
from hashlib import blake2b

from psycopg import errors

from choreia.runtime.errors import StoreLocked
from choreia.runtime.stores.postgres.connection import Session
from choreia.runtime.stores.postgres.server import Server

GRACE = 0.5
"""Seconds that the server has to notice that a process which had the lock is no more."""
_LONGEST = 2**31 - 1  # milliseconds that the server can wait


class Lock:
    """Of one schema. Errors are psycopg's."""

    def __init__(self, server: Server) -> None:
        self._server = server
        digest = blake2b(f"choreia store {server.schema}".encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, signed=True)

    def take(self, db: Session, wait: float = 0) -> bool:
        """Whether `db` has it, after `wait` seconds at most, but `GRACE` always. It is the server
        that waits: it knows at once when the lock is free, and who was first."""
        milliseconds = math.ceil(min(max(wait, GRACE) * 1_000, _LONGEST))
        db.execute("SELECT set_config('lock_timeout', ?, false)", (str(milliseconds),))
        try:
            db.execute("SELECT pg_advisory_lock(?)", (self._key,))
        except errors.LockNotAvailable:
            return False
        finally:
            if not db.raw.closed:
                db.execute("SELECT set_config('lock_timeout', '0', false)")
        return True

    def release(self, db: Session) -> None:
        """Now: the server takes a moment to end a session, and the next may come at once."""
        db.execute("SELECT pg_advisory_unlock(?)", (self._key,))

    def refusal(self, db: Session) -> StoreLocked:
        """Why another has it, and who, as far as is known."""
        try:
            found = db.execute("SELECT pid, host FROM choreia").fetchone()
        except errors.UndefinedTable:  # somebody is just creating it
            found = None
        pid, host = found or (0, "")
        if host != socket.gethostname():
            who, pid = f"a process on {host}" if host else "a process", 0
        else:
            who = "this process" if pid == os.getpid() else f"process {pid}"
        return StoreLocked(
            f"{who} has {self._server.where} open, and only one at a time can write to it. Workers "
            "of a web server each need a store of their own (a schema each), or one worker must "
            "have it and the others publish through that; a new process that takes over waits with "
            "store_wait=SECONDS (PostgresStore(…, wait=SECONDS))",
            pid=pid,
        )


# A child has a copy of the socket, and with it would keep the session, and so the lock, when we
# are gone.
_held: weakref.WeakSet[Session] = weakref.WeakSet()


def keep_from_children(db: Session) -> None:
    """Processes that are forked from now on get nothing of `db`."""
    _held.add(db)


def _after_fork() -> None:
    for db in list(_held):
        if not db.raw.closed:
            # Covered, not closed: psycopg knows the number, and something else might get it.
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            os.dup2(null, db.raw.fileno(), inheritable=False)
            os.close(null)


os.register_at_fork(after_in_child=_after_fork)
