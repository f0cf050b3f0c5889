"""`SqliteStore`: one connection writes, everything, also checkpoints; any number read.

Before SQLite 3.51.3 two writing connections can corrupt a database when its write-ahead log is
reset, so there is one, under one lock. WAL with ``synchronous=FULL``: a commit is on disk when it
returns. (NORMAL lost acknowledged events in 239 of 400 simulated power losses; FULL in none.)
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeVar

from choreia.runtime.errors import InvalidStore, StoreDamaged, StoreLocked, StoreUnavailable
from choreia.runtime.stores.base import (
    Contents,
    Info,
    Opened,
    Verdict,
)
from choreia.runtime.stores.sql.beside import end_interests
from choreia.runtime.stores.sql.erasing import erase_from
from choreia.runtime.stores.sql.known import IdTaken, Known
from choreia.runtime.stores.sql.readers import Readers
from choreia.runtime.stores.sql.reads import SqlReads
from choreia.runtime.stores.sql.restoring import restore_into
from choreia.runtime.stores.sql.verifying import verify_log
from choreia.runtime.stores.sql.writing import Batch
from choreia.runtime.stores.sqlite.connecting import Connect, connection_to_read, explain
from choreia.runtime.stores.sqlite.files import Anchor, Hand, Lock, beside, checked_path, secure
from choreia.runtime.stores.sqlite.salvage import whole_copy
from choreia.runtime.stores.sqlite.schema import prepare
from choreia.runtime.stores.unit import (
    Outcome,
    Unit,
)

log = logging.getLogger("choreia.store")

T = TypeVar("T")

SYNCHRONOUS = {"full": "FULL", "relaxed": "NORMAL"}


class SqliteStore(SqlReads):
    """Implements `EventStore` in a file at `path`, which is made when there is none.

    ``durability="relaxed"`` survives a killed process, but not a power cut. `wait`: seconds to wait
    for another process that has it open. `readonly`: takes no lock and writes nothing, also while
    another process writes. `recover`: go on although acknowledged events are missing from the end.

    Raises `InvalidStore`, `StoreInsecure`, `StoreLocked`, `StoreDamaged`, `StoreUnavailable`.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        durability: Literal["full", "relaxed"] = "full",
        wait: float = 0,
        readonly: bool = False,
        recover: bool = False,
        connect: Connect | None = None,
    ) -> None:
        if durability not in SYNCHRONOUS:
            raise InvalidStore(f'durability={durability!r}: choose "full" or "relaxed"')
        self.path = checked_path(path)
        self.durability: str = durability
        self.readonly = readonly
        self._connect: Connect = connect or sqlite3.connect
        self._mutex = threading.RLock()
        self._pid = os.getpid()
        self._running = self._closed = False
        self._db: sqlite3.Connection | None = None
        self._lock: Lock | None = None
        self._known = Known()
        self._copy: TemporaryDirectory[str] | None = None
        """Of a file that was cut, to read in."""
        self._anchor = Anchor(self.path)
        self._hand = Hand(self.path)
        super().__init__(self._readers_of(self.path))
        if readonly:
            try:
                self._open_to_read()
            except BaseException:
                self.close()
                raise
            return
        secure(self.path)
        self._lock = Lock(self.path, wait)
        try:
            self._open(recover)
        except BaseException:
            self.close()
            raise

    def _readers_of(self, path: Path) -> Readers:
        return Readers(
            str(path),
            lambda: connection_to_read(str(path), self._connect),
            sqlite3.Error,
            lambda error: explain(error, str(self.path)),
        )

    def _open_to_read(self) -> None:
        if not self.path.exists():
            raise InvalidStore(f"{self.path} does not exist")
        self._copy = whole_copy(self.path)
        if self._copy is not None:
            self._readers = self._readers_of(Path(self._copy.name) / self.path.name)
        with self._readers.connection() as db:
            prepare(db, str(self.path), may_create=False)

    def _open(self, recover: bool) -> None:
        try:
            db = self._db = self._connect(
                str(self.path), isolation_level=None, check_same_thread=False, timeout=10.0
            )
            prepare(db, str(self.path), may_create=True)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"PRAGMA synchronous = {SYNCHRONOUS[self.durability]}")
            self._known = Known.read(db)
        except sqlite3.Error as error:
            raise explain(error, str(self.path)) from error
        self._compare_with_anchor(recover)
        self._anchor.write(self._known.head, self._known.link)

    def _compare_with_anchor(self, recover: bool) -> None:
        anchored = self._anchor.read()
        if anchored is None:
            return
        position, link = anchored
        fault = None
        if position > self._known.head:
            fault = (
                f"{self.path} ends at position {self._known.head}, but {position} was written and "
                "acknowledged: its write-ahead log (-wal) was deleted, cut or changed"
            )
        elif position and self._link_at(position) != link:
            fault = f"{self.path} holds another event at position {position} than was written there"
        if fault is None:
            return
        if self.durability == "relaxed":
            fault += ", or there was a power cut, which durability='relaxed' does not survive"
        if recover:
            log.warning("%s; going on from what is there", fault)
            return
        raise StoreDamaged(
            f"{fault}. What is there can be read. Put back the missing file or a backup; or go on "
            f"from what is there: `choreia store verify --accept {self.path.name}` "
            "(SqliteStore(…, recover=True))",
            position=min(position, self._known.head),
        )

    def _link_at(self, position: int) -> bytes | None:
        rows = self._readers.rows("SELECT link FROM events WHERE position = ?", (position,))
        return rows[0][0] if rows else None

    # -- a run

    def open_run(self, now: float) -> Opened:
        with self._mutex:
            if self._running:
                raise StoreLocked(
                    f"another system of this process works with {self.path}: stop it first, or "
                    "give each a store of its own",
                    pid=self._pid,
                )
            clean = self._transaction(self._begin)
            self._known.erased.clear()
            self._running = True
            in_hand = self._hand.read()
            self._hand.remove()
            return Opened(clean, self._known.head, in_hand)

    def close_run(self) -> None:
        with self._mutex:
            if self._running:
                self._running = False
                self._transaction(lambda db: self._mark(db, clean=True))
                self._hand.remove()

    def in_hand(self, deliveries: frozenset[tuple[str, str]]) -> None:
        self._hand.write(deliveries)

    def _begin(self, db: sqlite3.Connection) -> bool:
        end_interests(db, self._known.head)
        return self._mark(db, clean=False)

    @staticmethod
    def _mark(db: sqlite3.Connection, *, clean: bool) -> bool:
        (was,) = db.execute("SELECT value FROM meta WHERE key = 'clean'").fetchone()
        db.execute("UPDATE meta SET value = ? WHERE key = 'clean'", (int(clean),))
        return bool(was)

    def close(self) -> None:
        if os.getpid() != self._pid:
            return  # a child of ours: SQLite must not close there what was opened here
        with self._mutex:
            self._closed = True
            self._readers.close()  # first: the last connection to close tidies up the log
            if self._copy is not None:
                self._copy.cleanup()
            if self._db is not None:
                try:
                    self._db.close()
                except sqlite3.Error as error:
                    log.error("%s was not closed well: %s", self.path, error)
                self._db = None
            self._anchor.close()
            self._hand.close()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    # -- writing

    def commit(self, units: Sequence[Unit], now: float) -> list[Outcome]:
        self._writer()  # first: in a forked child the lock may have nobody who lets it go
        with self._mutex:
            try:
                return self._commit(units, now, carefully=False)
            except IdTaken:
                return self._commit(units, now, carefully=True)

    def _commit(self, units: Sequence[Unit], now: float, *, carefully: bool) -> list[Outcome]:
        batches: list[Batch] = []

        def write(db: sqlite3.Connection) -> list[Outcome]:
            batch = Batch(db, self._known, now)
            batches.append(batch)
            return batch.write(units, carefully=carefully)

        outcomes = self._transaction(write)
        self._learn(batches[0])
        return outcomes

    def _learn(self, batch: Batch) -> None:
        """It is on disk."""
        self._known.learn(batch)
        self._anchor.write(self._known.head, self._known.link)

    def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` as a whole, or not at all."""
        db = self._writer()
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise explain(error, str(self.path)) from error
        return result

    def erase(
        self,
        *,
        correlation_id: str | None = None,
        subject: str | None = None,
        reason: str,
        now: float,
    ) -> int:
        with self._mutex:
            # What is overwritten or freed is filled with zeros.
            self._writer().execute("PRAGMA secure_delete = ON").fetchall()
            erased, sources = self._transaction(
                lambda db: erase_from(db, correlation_id, subject, reason, now)
            )
            self._known.erased |= sources
            # What was overwritten must not be left in the log beside the database, either.
            rows = self._writer().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if rows[0][0]:
                log.warning(
                    "%s: somebody was reading, so what was erased is in %s-wal until the next "
                    "checkpoint: compact the store",
                    self.path, self.path.name,
                )  # fmt: skip
            return erased

    def restore(self, contents: Contents, expected: Callable[[], tuple[int, str]]) -> int:
        with self._mutex:
            batch = self._transaction(lambda db: restore_into(db, contents, expected))
            self._learn(batch)
            return batch.head

    def compact(self) -> int:
        with self._mutex:
            before = self._size()
            db = self._writer()
            try:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                db.execute("VACUUM")
                db.execute("PRAGMA optimize").fetchall()
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error as error:
                raise explain(error, str(self.path)) from error
            return max(0, before - self._size())

    def _writer(self) -> sqlite3.Connection:
        if self.readonly:
            raise StoreUnavailable(f"{self.path} was opened with readonly=True")
        if self._db is None or self._closed:
            raise StoreUnavailable(f"{self.path}: this store has been closed")
        if os.getpid() != self._pid:
            raise StoreUnavailable(
                f"{self.path} was opened before this process was forked: open it again in the child"
            )
        return self._db

    # -- looking

    @property
    def head(self) -> int:
        return super().head if self.readonly else self._known.head

    def info(self) -> Info:
        counted = self._readers.rows(
            "SELECT (SELECT count(*) FROM cursors), (SELECT count(*) FROM timers), "
            "(SELECT count(*) FROM letters), (SELECT count(*) FROM erasures), "
            "(SELECT value FROM meta WHERE key = 'clean'), "
            "(SELECT coalesce(max(position), 0) FROM events)"
        )
        agents, timers, letters, erasures, clean, head = counted[0]
        link = self._link_at(head) or bytes(32)
        return Info(
            kind="sqlite",
            where=str(self.path),
            events=head,
            head=head,
            chain=link.hex(),
            agents=agents,
            timers=timers,
            dead_letters=letters,
            erasures=erasures,
            bytes=self._size(),
            clean=bool(clean) or self._running,
            durability=self.durability,
        )

    def _size(self) -> int:
        files = (self.path, beside(self.path, "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def verify(self) -> Verdict:
        return verify_log(self._readers, self._anchor.read(), self._quick_check)

    def _quick_check(self) -> list[str]:
        rows = self._readers.rows("PRAGMA quick_check")
        return [str(problem) for (problem,) in rows if problem != "ok"]
