"""The files of a store: who may read them, who has them, and the anchor beside them."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import struct
import time
import weakref
import zlib
from pathlib import Path

import orjson

from choreia.runtime.errors import (
    InvalidStore,
    StoreInsecure,
    StoreLocked,
    StoreUnavailable,
)

log = logging.getLogger("choreia.store")

ENDS = ("-wal", "-shm", "-lock", "-anchor", "-hand")
"""Of the names of the files beside a database."""
POLL = 0.05
"""Seconds between two looks whether another process has let go of the lock."""


def checked_path(given: object) -> Path:
    """The path of a database, made absolute. Raises `InvalidStore`."""
    if not isinstance(given, (str, Path)) or not str(given).strip() or "\0" in str(given):
        raise InvalidStore(f"store={given!r}: give the path of a file, such as 'events.db'")
    if str(given) == ":memory:":
        raise InvalidStore("store=':memory:': for a store in memory, give MemoryStore()")
    path = Path(given).expanduser()
    path = path.resolve() if path.exists() else path.parent.resolve() / path.name
    if path.is_dir():
        raise InvalidStore(f"{path} is a folder: give the path of a file in it")
    if not path.parent.is_dir():
        raise InvalidStore(f"{path.parent} does not exist: make that folder first")
    return path


def secure(path: Path) -> None:
    """Make an empty file that only we can read, or look whether that is so.

    Raises `StoreInsecure` when others can read the file, or write in its folder.
    """
    folder = path.parent.stat()
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        raise StoreInsecure(
            f"everybody can write in {path.parent}, and so replace {path.name}: chmod o-w it, or "
            "put the store elsewhere"
        )
    for name in (
        path,
        *(beside(path, end) for end in ENDS),
    ):
        try:
            found = name.lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(found.st_mode):
            raise StoreInsecure(f"{name} is no ordinary file: remove it")
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise StoreInsecure(
                f"others can read or write {name} (mode {found.st_mode & 0o777:o}), and events may "
                f"be confidential: chmod 600 {name}"
            )
    if not path.exists():
        os.close(_open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))


def beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreUnavailable(
            f"{path} cannot be opened: {error.strerror}; make room, or permit it, and try again"
        ) from error


class Lock:
    """Held by the one process that writes. Of a file of its own: closing any descriptor of the
    database itself would drop the locks that SQLite has on it."""

    def __init__(self, path: Path, wait: float) -> None:
        """Raises `StoreLocked` when another has it, after `wait` seconds."""
        self._file = _open(beside(path, "-lock"), os.O_RDWR | os.O_CREAT)
        try:
            self._take(path, wait)
        except BaseException:
            os.close(self._file)
            raise
        _held.add(self)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def _take(self, path: Path, wait: float) -> None:
        ends = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= ends:
                    raise self._refusal(path) from None
                time.sleep(POLL)

    def _refusal(self, path: Path) -> StoreLocked:
        written = os.pread(self._file, 32, 0)
        pid = int(written) if written.isdigit() else 0
        who = "this process" if pid == os.getpid() else f"process {pid}" if pid else "a process"
        return StoreLocked(
            f"{who} has {path} open, and only one at a time can write to it. Workers of a web "
            "server each need a store of their own, or one worker must have it and the others "
            "publish through that; a new process that takes over waits with store_wait=SECONDS",
            pid=pid,
        )

    def release(self) -> None:
        """At once, also when a child that is just being forked still has a copy."""
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self.drop()

    def drop(self) -> None:
        """Let go of this process's copy only."""
        _held.discard(self)
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


_held: weakref.WeakSet[Lock] = weakref.WeakSet()


def _after_fork() -> None:
    # A child has a copy of the descriptor, and with it would keep the lock when we are gone.
    for lock in list(_held):
        lock.drop()


os.register_at_fork(after_in_child=_after_fork)


class Hand:
    """Which suspects are in their handlers' hands. Not synced: it has to survive a killed process,
    and a store without it only takes longer to tell the innocent from the guilty."""

    def __init__(self, path: Path) -> None:
        self._path = beside(path, "-hand")
        self._file = -1

    def read(self) -> frozenset[tuple[str, str]] | None:
        try:
            length, written = self._path.read_bytes().split(b"\n", 1)
            found = orjson.loads(written[: int(length)])
        except FileNotFoundError:
            return frozenset()
        except (OSError, ValueError):
            return None
        return frozenset((str(agent), str(event_id)) for agent, event_id in found)

    def write(self, deliveries: frozenset[tuple[str, str]]) -> None:
        if not deliveries and self._file < 0:
            return
        body = orjson.dumps(sorted(deliveries))
        try:
            if self._file < 0:
                self._file = os.open(
                    self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
                )
            os.pwrite(self._file, b"%d\n%b" % (len(body), body), 0)
        except OSError:
            self.close()

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def remove(self) -> None:
        """Nothing is in anybody's hands."""
        self.close()
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            log.error("%s cannot be removed", self._path)


class Anchor:
    """The last commit, written down beside the database: its position, and its link.

    What SQLite itself does not notice (a write-ahead log that was deleted, cut or changed is taken
    for one that ends earlier) shows here. It is written after each commit and never synced: that
    takes 2 µs, survives a killed process, and after a power cut is at most older than the log.
    """

    FORMAT = struct.Struct(">Q32sI")

    def __init__(self, path: Path) -> None:
        self._path = beside(path, "-anchor")
        self._file = -1

    def read(self) -> tuple[int, bytes] | None:
        """Position and link; None when there is none, or not a whole one."""
        try:
            written = self._path.read_bytes()
        except OSError:
            return None
        if len(written) != self.FORMAT.size:
            return None
        position, link, check = self.FORMAT.unpack(written)
        return (position, link) if zlib.crc32(written[:-4]) == check else None

    def write(self, position: int, link: bytes) -> None:
        """Never fails: without an anchor a store is as safe, only its damage shows later."""
        head = self.FORMAT.pack(position, link, 0)[:-4]
        try:
            if self._file < 0:
                self._file = os.open(
                    self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
                )
            os.pwrite(self._file, head + struct.pack(">I", zlib.crc32(head)), 0)
        except OSError:
            self.close()

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
