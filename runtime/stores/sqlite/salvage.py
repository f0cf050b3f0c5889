"""Reading what is left of a database that was cut.

SQLite reads nothing of a file that is shorter than its header says. In a copy that is filled up
with zeros it reads all that is there; what is not shows as damage where it is met.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from choreia.runtime.stores.sqlite.files import beside

log = logging.getLogger("choreia.store")

_HEADER = b"SQLite format 3\0"


def missing_bytes(path: Path) -> int:
    """How many bytes the file is shorter than it says (SQLite's file format, section 1.3)."""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(_HEADER):
        return 0
    size = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    return max(0, pages * (65_536 if size == 1 else size) - path.stat().st_size)


def whole_copy(path: Path) -> TemporaryDirectory[str] | None:
    """A folder with a copy that SQLite reads; None when nothing is missing."""
    missing = missing_bytes(path)
    if not missing:
        return None
    log.error("%s was cut, %d bytes are missing; reading a copy of what is there", path, missing)
    folder = TemporaryDirectory(prefix="choreia-")
    copy = Path(folder.name) / path.name
    shutil.copy(path, copy)
    os.truncate(copy, copy.stat().st_size + missing)
    if beside(path, "-wal").exists():
        shutil.copy(beside(path, "-wal"), beside(copy, "-wal"))
    return folder
