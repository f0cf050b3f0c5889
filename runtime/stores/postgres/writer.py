"""The one session that may write, and the truth about transactions that were lost on their way.

Whoever writes holds an advisory lock of its session. When the session ends, the lock is gone, and
another process may have written by the time there is a new one. So every opening counts up a
generation, which each transaction compares before anything else: who finds another one there never
writes again.

When the session ends while a COMMIT is on its way, nobody is told whether it happened. So each
transaction counts up a serial number of its generation, and the next session reads it: by the time
it has the lock, the old one is over for good. The numbers of earlier generations are kept, so this
is found out even when another process has come between.

Rejected: `pg_xact_status`, which needs the transaction's id, and that is an answer that may be
lost, too; and comparing the log's head, because a turn may commit without an event.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from itertools import count
from typing import TypeVar

import attrs
import psycopg
from psycopg import errors

from choreia.runtime.errors import StoreDamaged, StoreError, StoreUnavailable
from choreia.runtime.stores.postgres.connection import Session
from choreia.runtime.stores.postgres.lock import Lock, keep_from_children
from choreia.runtime.stores.postgres.schema import prepare
from choreia.runtime.stores.postgres.server import Server
from choreia.runtime.stores.sql.known import IdTaken

log = logging.getLogger("choreia.store")

T = TypeVar("T")

PATIENCE, PAUSE = 120, 0.25
"""Looks for the server, and seconds between two, while it is open whether a transaction happened:
half a minute; then whoever waits has to be told something."""
TRIES = 3
_REMEMBERED = 1_000  # earlier writers

# Fails, and with it all that was sent behind it, unless this is still our generation.
_CLAIM = (
    "WITH mine AS (UPDATE choreia SET serial = ? WHERE generation = ? AND serial = ? RETURNING 1) "
    "SELECT 1 / count(*) FROM mine"
)


@attrs.frozen
class _Doubt:
    """A transaction of which nobody knows whether it happened."""

    happened: Callable[[], None]
    """Called when it turns out that it did."""


class Writer:
    """Not thread-safe: hold the store's mutex."""

    def __init__(self, server: Server, *, relaxed: bool, wait: float) -> None:
        """Raises `StoreLocked` when another has the lock, after `wait` seconds."""
        self._server = server
        self._relaxed = relaxed
        self._pid = os.getpid()
        self._closing = threading.Event()
        self._lost: StoreError | None = None
        self._doubt: _Doubt | None = None
        self._serial = 0
        self._rollbacks = count()
        self._lock = Lock(server)
        self._db: Session | None = self._session()
        try:
            with server.explaining():
                self._take_over(self._db, wait)
        except BaseException:
            self._drop()
            raise

    def _session(self) -> Session:
        db = self._server.connect(writing=True)
        keep_from_children(db)
        with self._server.explaining():
            if self._relaxed:
                db.execute("SET synchronous_commit = off")
            elif db.execute("SELECT current_setting('synchronous_commit')").fetchone() == ("off",):
                db.execute("SET synchronous_commit = on")
        return db

    def _take_over(self, db: Session, wait: float) -> None:
        if not self._lock.take(db, wait):
            raise self._lock.refusal(db)
        prepare(db, self._server.schema, may_create=True)
        with db.raw.transaction():
            db.execute("INSERT INTO writers SELECT generation, serial FROM choreia")
            (self._generation,) = db.execute(
                "UPDATE choreia SET generation = generation + 1, serial = 0, pid = ?, host = ? "
                "RETURNING generation",
                (self._pid, socket.gethostname()),
            ).fetchone()
            db.execute(
                "DELETE FROM writers WHERE generation < ?", (self._generation - _REMEMBERED,)
            )
        if not self._relaxed:
            (synced,) = db.execute("SELECT current_setting('fsync')").fetchone()
            if synced != "on":
                log.warning("%s: the server does not sync (fsync=off)", self._server.where)

    # -- transactions -------------------------------------------------------------------------

    def transaction(
        self, work: Callable[[Session], T], happened: Callable[[T, bool], None] | None = None
    ) -> T:
        """Do `work` as a whole, or not at all; perhaps more than once until it is done.

        `happened` is told the result when it has happened, and whether that is a surprise: then
        this had raised `StoreUnavailable`, because nobody knew.

        Raises `IdTaken` when an event's id is in the log already.
        """
        for _ in range(TRIES):
            db = self.ready()
            done: list[T] = []
            try:
                self._attempt(db, work, done)
            except psycopg.Error as error:
                if self._roll_back(db):
                    raise self._reason(error) from error
                if not done or not self._find_out(done[0], happened, error):
                    continue
            except BaseException:
                if done or not self._roll_back(db):
                    self._leave_open(done, happened)
                raise
            self._serial += 1
            if happened is not None:
                happened(done[0], False)
            return done[0]
        raise StoreUnavailable(
            f"{self._server.where}: the connection was lost {TRIES} times. Nothing of this was "
            "written; when the cause is gone, it works again"
        )

    def _attempt(self, db: Session, work: Callable[[Session], T], done: list[T]) -> None:
        with db.together():
            db.execute("BEGIN")
            db.execute(_CLAIM, (self._serial + 1, self._generation, self._serial))
            done.append(work(db))
            db.execute("COMMIT")

    def _roll_back(self, db: Session) -> bool:
        """Whether the session can still be used, and so nothing has happened."""
        try:
            # psycopg forgets what it has prepared when it sees a rollback, which it must: what was
            # prepared in a pipeline that failed is not there. But it looks only at statements that
            # are new to it.
            db.execute(f"ROLLBACK -- {next(self._rollbacks)}")
        except psycopg.Error:
            self._drop()
            return False
        return True

    def _reason(self, error: psycopg.Error) -> Exception:
        if isinstance(error, errors.UniqueViolation) and error.diag.constraint_name == "events_id":
            return IdTaken()
        if isinstance(error, errors.DivisionByZero):
            self._lost = self._replaced()
            return self._lost
        return self._server.explain(error)

    def _replaced(self) -> StoreError:
        db = self._db
        assert db is not None
        with self._server.explaining():
            refusal = self._lock.refusal(db)
        self._drop()
        return refusal

    # -- sessions that were lost --------------------------------------------------------------

    def ready(self) -> Session:
        """A session that has the lock. Raises `StoreLocked` for ever when another process has
        written meanwhile, and `StoreUnavailable` while the server is away."""
        if self._closing.is_set():
            raise StoreUnavailable(f"{self._server.where}: this store has been closed")
        if os.getpid() != self._pid:
            raise StoreUnavailable(
                f"{self._server.where} was opened before this process was forked: open it again in "
                "the child"
            )
        if self._lost is not None:
            raise self._lost
        if self._db is None or not self._db.is_alive():
            self._drop()
            self._settle(self._reconnect())
            if self._lost is not None:
                raise self._lost
        assert self._db is not None
        return self._db

    def _settle(self, serial: int) -> bool:
        """Whether the doubtful transaction, if there is one, has happened, given the serial number
        that our last one had. Raises for ever when we are not to write any more."""
        doubt, self._doubt = self._doubt, None
        expected = self._serial
        if doubt is not None and serial == expected + 1:
            self._serial = serial
            doubt.happened()
        elif serial != expected and self._lost is None:
            self._lost = StoreDamaged(
                f"{self._server.where}: the last {expected - serial} commits that were "
                "acknowledged are not there any more: the server has come back from an older state "
                "(a standby that lagged behind, or durability='relaxed'). Open the store again to "
                "go on from what is there"
            )
            self._drop()
        if self._lost is not None and serial != expected + 1:
            raise self._lost
        return serial == expected + 1

    def _reconnect(self) -> int:
        """A new session; the serial number that our last transaction had. If another process has
        written meanwhile, this is found out for the last time."""
        db = self._session()
        try:
            with self._server.explaining():
                mine = self._lock.take(db)
                generation, serial = db.execute("SELECT generation, serial FROM choreia").fetchone()
                if generation != self._generation:
                    self._lost = self._lock.refusal(db)
                    row = db.execute(
                        "SELECT serial FROM writers WHERE generation = ?", (self._generation,)
                    ).fetchone()
                    return -1 if row is None else int(row[0])
                if not mine:
                    raise StoreUnavailable(
                        f"{self._server.where}: the server has not ended the session that was lost"
                    )
            self._db = db
            return int(serial)
        finally:
            if self._db is not db:
                db.close()

    def _find_out(
        self, result: T, happened: Callable[[T, bool], None] | None, cause: psycopg.Error
    ) -> bool:
        """Whether the transaction whose COMMIT was sent has happened: wait for the server."""
        for _ in range(PATIENCE):
            try:
                serial = self._reconnect()
            except StoreUnavailable:
                if self._closing.wait(PAUSE):
                    break
                continue
            if serial == self._serial + 1:
                return True
            self._settle(serial)
            return False
        self._leave_open([result], happened)
        raise StoreUnavailable(
            f"{self._server.where}: the connection was lost during a commit ({cause}), and has not "
            "come back, so nobody knows whether it happened. It is found out at the next commit"
        ) from cause

    def _leave_open(self, done: list[T], happened: Callable[[T, bool], None] | None) -> None:
        self._drop()

        def surprise() -> None:
            if happened is not None:
                happened(done[0], True)

        self._doubt = _Doubt(surprise) if done else None

    def _drop(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def give_up(self) -> None:
        """Wait for the server no longer. From any thread."""
        self._closing.set()

    def close(self) -> None:
        self._closing.set()
        if self._db is not None and os.getpid() == self._pid:
            try:
                self._lock.release(self._db)
            except psycopg.Error as error:
                log.debug("the lock was lost already: %s", error)
            self._drop()
