"""A projection's tables in a schema of a PostgreSQL database; those that are rebuilt, in another.

The schema is called like the projection (``orders_by_status``), so that anybody reads
``orders_by_status.orders``. When the others have caught up, the schemas change names, in one
transaction. What others made that depends on the old tables (views) goes with them.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import conninfo, sql

from choreia.actors.projecting.tables import Moved, Standing
from choreia.runtime.errors import InvalidAgent
from choreia.runtime.stores.postgres.server import DEFAULTS

LONGEST = 63 - len("_rebuild")
"""Bytes of a schema's name."""
_SETTINGS = {"lock_timeout": "5000", "statement_timeout": "0"}
"""Milliseconds. Somebody who holds a lock on the tables makes us try again, not wait for ever."""


class Session:
    """A connection that is made anew when it was lost."""

    def __init__(self, url: str) -> None:
        """Raises `InvalidAgent`."""
        self._options = {**DEFAULTS, **_parsed(url)}
        self._db: psycopg.Connection[Any] | None = None

    @property
    def db(self) -> psycopg.Connection[Any]:
        if self._db is None or self._db.closed:
            self._db = psycopg.connect(autocommit=True, **self._options)
            for name, value in _SETTINGS.items():
                self._db.execute("SELECT set_config(%s, %s, false)", (name, value))
        return self._db

    def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()


class PostgresPlace:
    """Implements `Place` in one schema."""

    def __init__(self, session: Session, schema: str, statements: tuple[str, ...]) -> None:
        self._session = session
        self.schema = schema
        self._statements = statements

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier(self.schema, "choreia_projections")

    def standing(self) -> Standing | None:
        db = self._session.db
        quoted = self._table.as_string(db)
        found = db.execute("SELECT to_regclass(%s)", (quoted,)).fetchone()
        if found is None or found[0] is None:
            return None
        row = db.execute(
            sql.SQL("SELECT shape, build, position, event_id, skipped FROM {} FOR UPDATE").format(
                self._table
            )
        ).fetchone()
        return None if row is None else Standing(*row)

    @contextmanager
    def transaction(self, *, readonly: bool = False) -> Generator[Any, None, None]:
        db = self._session.db
        with db.transaction():
            if readonly:
                db.execute("SET TRANSACTION READ ONLY")
            path = sql.SQL("SET LOCAL search_path TO {}, public")
            db.execute(path.format(sql.Identifier(self.schema)))
            yield db

    @contextmanager
    def savepoint(self) -> Generator[None, None, None]:
        with self._session.db.transaction():
            yield

    def is_whole(self) -> bool:
        db = self._session._db
        return db is not None and not db.closed and not db.broken

    def begin(self, standing: Standing) -> None:
        with self.transaction() as db:
            db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self.schema)))
            for statement in self._statements:
                db.execute(statement.encode())
            db.execute(
                sql.SQL(
                    "CREATE TABLE {} (shape text NOT NULL, build bigint NOT NULL, position bigint "
                    "NOT NULL, event_id text NOT NULL, skipped bigint NOT NULL)"
                ).format(self._table)
            )
            db.execute(
                sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s, %s)").format(self._table),
                (
                    *(standing.shape, standing.build, standing.position),
                    *(standing.event_id, standing.skipped),
                ),
            )

    def keep(self, standing: Standing) -> None:
        self._session.db.execute(
            sql.SQL("UPDATE {} SET position = %s, event_id = %s, skipped = %s").format(self._table),
            (standing.position, standing.event_id, standing.skipped),
        )


class PostgresDatabase:
    """Implements `Database` in two schemas."""

    def __init__(self, url: str, name: str, statements: tuple[str, ...]) -> None:
        """Raises `InvalidAgent` for a name that makes no schema, and a URL that is none."""
        schema = name.replace("-", "_")
        if len(schema.encode()) > LONGEST:
            raise InvalidAgent(
                f"projection {name!r}: its name is its schema's, which has {LONGEST} bytes at most"
            )
        self._session = Session(url)
        self.serving = PostgresPlace(self._session, schema, statements)
        self.shadow = PostgresPlace(self._session, f"{schema}_rebuild", statements)
        self._old = f"{schema}_old"

    @contextmanager
    def answering(self) -> Generator[Any, None, None]:
        with self.serving.transaction(readonly=True) as db:
            yield db

    def switch(self, standing: Standing) -> None:
        self._drop(self._old)
        rename = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
        serving, shadow = self.serving.schema, self.shadow.schema
        with self.serving.transaction() as db:
            served = self.serving.standing()
            if served is None or served.build + 1 != standing.build:
                raise Moved
            for old, new in ((serving, self._old), (shadow, serving)):
                db.execute(rename.format(sql.Identifier(old), sql.Identifier(new)))
        # In a transaction of its own: it waits for who still reads the old tables, and nobody who
        # reads the new ones is to wait for that. What is left is dropped by the next switch.
        with suppress(psycopg.Error):
            self._drop(self._old)

    def discard(self) -> None:
        self._drop(self.shadow.schema)

    def _drop(self, schema: str) -> None:
        drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
        with self._session.db.transaction():
            self._session.db.execute("SET LOCAL client_min_messages TO warning")
            self._session.db.execute(drop)

    def close(self) -> None:
        self._session.close()


def _parsed(url: str) -> dict[str, Any]:
    with suppress(psycopg.Error):
        return {k: v for k, v in conninfo.conninfo_to_dict(url).items() if v is not None}
    # Out here, so that the error has no other behind it: libpq may quote the password.
    raise InvalidAgent(
        "into(…): this URL cannot be read; give one such as postgresql://user@host/database"
    )
