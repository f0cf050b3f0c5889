"""A projection's tables in a SQLite file of the user's; those that are rebuilt, in one beside it.

They are copied over in one transaction when they have caught up. That takes as long as copying
does, and keeps whoever reads the file (it is in WAL mode) waiting for nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

from choreia.actors.projecting.tables import Moved, Standing
from choreia.runtime.errors import InvalidAgent

_TABLE = (
    "CREATE TABLE IF NOT EXISTS choreia_projections (name TEXT PRIMARY KEY, shape TEXT NOT NULL, "
    "build INTEGER NOT NULL, position INTEGER NOT NULL, event_id TEXT NOT NULL, "
    "skipped INTEGER NOT NULL, objects TEXT NOT NULL)"
)
_MADE = (
    "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
    "AND name <> 'choreia_projections'"
)
_KINDS = ("view", "trigger", "index", "table")
"""In the order in which they can be dropped."""
PATIENCE = 5.0
"""Seconds to wait while another connection writes in the file."""


class Connection(sqlite3.Connection):
    """What methods get: the transaction is the projection's, and its end is not theirs."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise InvalidAgent(
            "a method of a projection cannot commit or roll back: what it writes is committed with "
            "the projection's position, in one transaction; use db.execute(…)"
        )

    commit = rollback = executescript = __enter__ = _refuse


class SqlitePlace:
    """Implements `Place` in one file."""

    def __init__(self, path: Path, name: str, statements: tuple[str, ...]) -> None:
        self.path = path
        self._name = name
        self._statements = statements
        self._db: Connection | None = None

    @property
    def db(self) -> Connection:
        if self._db is None:
            self._db = sqlite3.connect(
                self.path,
                timeout=PATIENCE,
                isolation_level=None,
                check_same_thread=False,
                factory=Connection,
            )
            # A power cut may take back the last transactions; the log has them still.
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
        return self._db

    def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def standing(self) -> Standing | None:
        row = self._row("shape, build, position, event_id, skipped")
        return None if row is None else Standing(*row)

    def objects(self) -> list[tuple[str, str]]:
        """What the user's statements made: kinds and names."""
        row = self._row("objects")
        return [] if row is None else [(kind, name) for kind, name in json.loads(row[0])]

    def _row(self, columns: str) -> tuple[Any, ...] | None:
        if self._db is None and not self.path.exists():
            return None
        if not self._all("SELECT 1 FROM sqlite_master WHERE name = 'choreia_projections'"):
            return None
        found = self._all(
            f"SELECT {columns} FROM choreia_projections WHERE name = ?", (self._name,)
        )
        return found[0] if found else None

    def _all(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with closing(self.db.execute(sql, parameters)) as rows:
            return rows.fetchall()

    @contextmanager
    def transaction(self) -> Generator[Any, None, None]:
        db = self.db
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    @contextmanager
    def savepoint(self) -> Generator[None, None, None]:
        db = self.db
        db.execute("SAVEPOINT choreia_event")
        try:
            yield
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK TO choreia_event")
                db.execute("RELEASE choreia_event")
            raise
        db.execute("RELEASE choreia_event")

    def is_whole(self) -> bool:
        return self.db.in_transaction

    def begin(self, standing: Standing) -> None:
        with self.transaction() as db:
            db.execute(_TABLE)
            before = set(self._all(_MADE))
            for statement in self._statements:
                db.execute(statement)
            self.write(standing, [one for one in self._all(_MADE) if one not in before])

    def write(self, standing: Standing, objects: list[tuple[Any, ...]]) -> None:
        """In a transaction: it stands so from now on, with these objects."""
        self.db.execute(_TABLE)
        self.db.execute(
            "INSERT OR REPLACE INTO choreia_projections VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(self._name, standing.shape, standing.build, standing.position),
                *(standing.event_id, standing.skipped, json.dumps(objects)),
            ),
        )

    def keep(self, standing: Standing) -> None:
        self.db.execute(
            "UPDATE choreia_projections SET position = ?, event_id = ?, skipped = ? WHERE name = ?",
            (standing.position, standing.event_id, standing.skipped, self._name),
        )


class SqliteDatabase:
    """Implements `Database` in a file, and another one beside it while something is rebuilt."""

    def __init__(self, path: Path, name: str, statements: tuple[str, ...]) -> None:
        """Raises `InvalidAgent` for what cannot be rebuilt beside the old."""
        for statement in statements:
            if statement.upper().split()[:2] == ["CREATE", "VIRTUAL"]:
                raise InvalidAgent(
                    "tables: a virtual table cannot be rebuilt beside the old one; make an "
                    "ordinary table, and index it outside"
                )
        self.serving = SqlitePlace(path, name, statements)
        beside = path.with_name(f"{path.name}-rebuild-{name}")
        self.shadow = SqlitePlace(beside, name, statements)

    @contextmanager
    def answering(self) -> Generator[Any, None, None]:
        db = self.serving.db
        db.execute("PRAGMA query_only = 1")
        try:
            yield db
        finally:
            db.execute("PRAGMA query_only = 0")

    def switch(self, standing: Standing) -> None:
        main = self.serving
        main.db.execute("ATTACH ? AS choreia_rebuild", (str(self.shadow.path),))
        try:
            with main.transaction():
                served = main.standing()
                if served is None or served.build + 1 != standing.build:
                    raise Moved
                self._drop()
                main.write(standing, self._copy())
        finally:
            main.db.execute("DETACH choreia_rebuild")
        self.discard()

    def _drop(self) -> None:
        objects = self.serving.objects()
        for kind in _KINDS:
            for one, name in objects:
                if one == kind:
                    self.serving.db.execute(f"DROP {kind} IF EXISTS main.{_quoted(name)}")

    def _copy(self) -> list[tuple[str, str]]:
        """Make what was rebuilt, and fill it. Triggers come last: they have fired already."""
        db = self.serving.db
        made: list[tuple[str, str]] = []
        sources = _MADE.replace("type, name", "type, name, sql")
        sources = sources.replace("sqlite_master", "choreia_rebuild.sqlite_master")
        with closing(db.execute(sources)) as rows:
            found = [row for row in rows.fetchall() if row[2] is not None]
        for kind, name, sql in sorted(found, key=lambda one: -_KINDS.index(one[0])):
            db.execute(sql)
            if kind == "table":
                self._fill(name)
            made.append((kind, name))
        return made

    def _fill(self, name: str) -> None:
        db = self.serving.db
        # Not `SELECT *`: generated columns cannot be inserted, and are not in this list.
        with closing(db.execute(f"PRAGMA main.table_info({_quoted(name)})")) as rows:
            columns = ", ".join(_quoted(row[1]) for row in rows.fetchall())
        table = _quoted(name)
        db.execute(
            f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM choreia_rebuild.{table}"
        )

    def discard(self) -> None:
        self.shadow.close()
        path = self.shadow.path
        # The journal first: a new file must not find an old one's.
        for end in ("-wal", "-shm", ""):
            path.with_name(path.name + end).unlink(missing_ok=True)

    def close(self) -> None:
        self.serving.close()
        self.shadow.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
