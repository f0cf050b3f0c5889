"""`PostgresStore`: one session writes, and any number read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from choreia.runtime.errors import InvalidStore, StoreDamaged, StoreLocked, StoreUnavailable
from choreia.runtime.stores.base import Contents, Info, Opened, Verdict
from choreia.runtime.stores.postgres.schema import CONTENT, checked_schema, prepare
from choreia.runtime.stores.sql.beside import end_interests
from choreia.runtime.stores.sql.erasing import erase_from
from choreia.runtime.stores.sql.known import IdTaken, Known
from choreia.runtime.stores.sql.reads import SqlReads
from choreia.runtime.stores.sql.restoring import restore_into
from choreia.runtime.stores.sql.verifying import verify_log
from choreia.runtime.stores.sql.writing import Batch
from choreia.runtime.stores.unit import Outcome, Unit

if TYPE_CHECKING:
    from choreia.runtime.stores.postgres.connection import Session
    from choreia.runtime.stores.postgres.writer import Writer

_TWICE = "two events have one id; nothing was imported"
_ANCHOR = "UPDATE choreia SET head = ?, link = ?"
_SIZE = (
    "SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0)::int8 FROM pg_class "
    "JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = ? AND relkind = 'r'"
)


class PostgresStore(SqlReads):
    """Implements `EventStore` in a schema of the database that `dsn` names (``postgresql://…``).

    The schema is made when there is none. ``durability="relaxed"`` does not wait for the server's
    disk: it survives a killed process, but not the server's end. `wait`: seconds to wait for
    another process that writes there. `readonly`: takes no lock and writes nothing, also while
    another process writes, and from a standby. What is erased stays in the server's write-ahead
    log, its archive and backups for as long as those are kept.

    Raises `InvalidStore`, also when psycopg is missing, `StoreLocked`, `StoreUnavailable`, and
    `StoreDamaged`.
    """

    def __init__(
        self,
        dsn: str,
        *,
        schema: str = "choreia",
        wait: float = 0,
        durability: Literal["full", "relaxed"] = "full",
        readonly: bool = False,
    ) -> None:
        if durability not in ("full", "relaxed"):
            raise InvalidStore(f'durability={durability!r}: choose "full" or "relaxed"')
        if isinstance(wait, bool) or not isinstance(wait, (int, float)) or not wait >= 0:
            raise InvalidStore(f"wait={wait!r}: give seconds, 0 or more")
        self.schema = checked_schema(schema)
        _need_psycopg()
        from choreia.runtime.stores.postgres.readers import ServerReaders
        from choreia.runtime.stores.postgres.server import Server

        self.durability: str = durability
        self.readonly = readonly
        self._mutex = threading.RLock()
        self._running = False
        self._writer: Writer | None = None
        self._known = Known()
        self._told: dict[int, tuple[Unit, Outcome]] = {}
        """What became of units of which nobody knew it, and that happened; by identity."""
        self._server = Server(dsn, self.schema)
        super().__init__(ServerReaders(self._server))
        try:
            self._open(wait)
        except BaseException:
            self.close()
            raise

    def _open(self, wait: float) -> None:
        if self.readonly:
            db = self._server.connect(writing=False)
            try:
                with self._server.explaining():
                    prepare(db, self.schema, may_create=False)
            finally:
                db.close()
            return
        from choreia.runtime.stores.postgres.writer import Writer

        self._writer = Writer(self._server, relaxed=self.durability == "relaxed", wait=wait)
        with self._server.explaining():
            self._known = Known.read(self._writer.ready())
        anchored = self._anchor()
        if anchored != (self._known.head, self._known.link):
            raise StoreDamaged(
                f"{self._server.where} ends at position {self._known.head}, but {anchored[0]} was "
                "written last: rows were removed or changed. What is there can be read "
                "(readonly=True), and exported into a new store",
                position=min(self._known.head, anchored[0]),
            )

    # -- a run

    def open_run(self, now: float) -> Opened:
        with self._mutex:
            if self._running:
                raise StoreLocked(
                    f"another system of this process works with {self._server.where}: stop it "
                    "first, or give each a store of its own (a schema each)"
                )
            clean = self._write().transaction(lambda db: _begin(db, self._known.head))
            self._known.erased.clear()
            self._running = True
            return Opened(clean, self._known.head)

    def close_run(self) -> None:
        with self._mutex:
            if self._running:
                self._running = False
                self._write().transaction(lambda db: db.execute("UPDATE choreia SET clean = true"))

    def in_hand(self, deliveries: frozenset[tuple[str, str]]) -> None:
        """Nothing: telling a server takes too long."""

    def close(self) -> None:
        if self._writer is not None:
            self._writer.give_up()
        with self._mutex:
            self._readers.close()
            if self._writer is not None:
                self._writer.close()

    # -- writing

    def commit(self, units: Sequence[Unit], now: float) -> list[Outcome]:
        with self._mutex:
            self._write().ready()  # finds out what is open
            told = [self._told.pop(id(unit), None) for unit in units]
            rest = [unit for unit, known in zip(units, told, strict=True) if known is None]
            outcomes = iter(self._commit(rest, now) if rest else ())
            return [next(outcomes) if known is None else known[1] for known in told]

    def _commit(self, units: Sequence[Unit], now: float) -> list[Outcome]:
        try:
            return self._try_to_commit(units, now, carefully=False)
        except IdTaken:
            return self._try_to_commit(units, now, carefully=True)

    def _try_to_commit(
        self, units: Sequence[Unit], now: float, *, carefully: bool
    ) -> list[Outcome]:
        from choreia.runtime.stores.postgres.batch import ArrayBatch

        def write(db: Session) -> tuple[Batch, list[Outcome]]:
            batch = ArrayBatch(db, self._known, now)
            outcomes = batch.write(units, carefully=carefully)
            if batch.head != self._known.head:
                db.execute(_ANCHOR, (batch.head, batch.link))
            return batch, outcomes

        def happened(result: tuple[Batch, list[Outcome]], surprise: bool) -> None:
            batch, outcomes = result
            self._learn(batch)
            if surprise:
                pairs = zip(units, outcomes, strict=True)
                self._told = {id(unit): (unit, outcome) for unit, outcome in pairs}

        return self._write().transaction(write, happened)[1]

    def _learn(self, batch: Batch) -> None:
        """It has happened."""
        self._known.learn(batch)

    def erase(
        self,
        *,
        correlation_id: str | None = None,
        subject: str | None = None,
        reason: str,
        now: float,
    ) -> int:
        with self._mutex:
            erased, sources = self._write().transaction(
                lambda db: erase_from(db, correlation_id, subject, reason, now)
            )
            self._known.erased |= sources
        self._vacuum("events", "timers", "letters", "results")
        return erased

    def restore(self, contents: Contents, expected: Callable[[], tuple[int, str]]) -> int:
        def fill(db: Session) -> Batch:
            try:
                batch = restore_into(db, contents, expected)
            except IdTaken:
                raise InvalidStore(_TWICE) from None
            db.execute(_ANCHOR, (batch.head, batch.link))
            return batch

        with self._mutex:
            try:
                return self._write().transaction(fill, lambda batch, _: self._learn(batch)).head
            except IdTaken:
                raise InvalidStore(_TWICE) from None

    def compact(self) -> int:
        self._write()
        before = self._size()
        self._vacuum("choreia", *CONTENT)
        return max(0, before - self._size())

    def _vacuum(self, *tables: str) -> None:
        """In a session of its own, beside those who write and read, of whom none has to wait."""
        db = self._server.connect(writing=True)
        try:
            with self._server.explaining():
                for table in tables:
                    db.execute(f"VACUUM (ANALYZE) {table}")
        finally:
            db.close()

    def _write(self) -> Writer:
        if self._writer is None:
            raise StoreUnavailable(f"{self._server.where} was opened with readonly=True")
        return self._writer

    # -- looking

    @property
    def head(self) -> int:
        return super().head if self.readonly else self._known.head

    def _anchor(self) -> tuple[int, bytes]:
        [(head, link)] = self._readers.rows("SELECT head, link FROM choreia")
        return head, link

    def _size(self) -> int:
        return int(self._readers.rows(_SIZE, (self.schema,))[0][0])

    def info(self) -> Info:
        [(agents, timers, letters, erasures, clean, head, link)] = self._readers.rows(
            "SELECT (SELECT count(*) FROM cursors), (SELECT count(*) FROM timers), "
            "(SELECT count(*) FROM letters), (SELECT count(*) FROM erasures), clean, head, link "
            "FROM choreia"
        )
        return Info(
            kind="postgres",
            where=self._server.where,
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

    def verify(self) -> Verdict:
        return verify_log(self._readers, self._anchor(), tuple)


def _begin(db: Session, head: int) -> bool:
    end_interests(db, head)
    (was,) = db.execute("SELECT clean FROM choreia").fetchone()
    db.execute("UPDATE choreia SET clean = false")
    return bool(was)


def _need_psycopg() -> None:
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise InvalidStore(
            f"a PostgreSQL store needs psycopg: pip install 'choreia[postgres]' ({error})"
        ) from error
