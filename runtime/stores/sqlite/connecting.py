"""SQLite's connections, and what its errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import cast

from choreia.runtime.errors import StoreDamaged, StoreError, StoreUnavailable
from choreia.runtime.stores.sql.connection import Connection

Connect = Callable[..., sqlite3.Connection]
"""`sqlite3.connect`, or what tests put in its place."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def connection_to_read(path: str, connect: Connect) -> Connection:
    """One that cannot write."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    db = connect(f"file:{quoted}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    return cast("Connection", db)


def explain(error: Exception, path: str) -> StoreError:
    """What SQLite found wrong, as one of ours."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return StoreDamaged(
            f"{path} is damaged: {error}. `choreia store verify` says how far it is whole; restore "
            "a backup, or export what can be read and import it into a new store"
        )
    return StoreUnavailable(
        f"{path}: {error}. Nothing of this was written; when the cause is gone (room on the disk, "
        "permissions, file descriptors), it works again"
    )
