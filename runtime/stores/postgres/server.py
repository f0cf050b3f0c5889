"""The server: connections to it, and what its errors mean here."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import conninfo, sql

from choreia.runtime.errors import InvalidStore, StoreDamaged, StoreError, StoreUnavailable
from choreia.runtime.stores.postgres.connection import Raw, Session

DEFAULTS: Mapping[str, str] = {
    "application_name": "choreia",
    "connect_timeout": "10",
    # A server that vanished without a word is noticed in about a minute.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
# Of every session. What a role or a database may have been given for its clients must not cut ours
# short: an idle session that is ended would lose the writer's lock.
_ALWAYS = {
    "client_encoding": "UTF8",
    "default_transaction_isolation": "read committed",
    "statement_timeout": "0",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
_TO_WRITE = {
    "default_transaction_read_only": "off",
    # A writer whose machine vanished is noticed in about a minute, and its lock is free.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_TO_READ = {
    "default_transaction_read_only": "on",
    # Pages come in the order of an index. A planner that thinks that little of it will be left
    # would rather sort all of it, for every page, and compile that, too.
    "enable_sort": "off",
    "jit": "off",
}
# Not every version has each of them.
_SET = (
    "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS wanted "
    "(name, value) WHERE name IN (SELECT name FROM pg_settings)"
)
# Messages of libpq that quote an option's name, and no secrets.
_TELLING = ("invalid connection option", "invalid URI query parameter")
_DAMAGED = ("XX001", "XX002", "42P01", "42703")  # pages, indexes, tables, columns
_RULES = ("23505", "23502")  # rows that nobody but another writer can have brought in


class Server:
    """One schema of a database on a server. Thread-safe."""

    def __init__(self, dsn: object, schema: str) -> None:
        """Raises `InvalidStore`."""
        if not isinstance(dsn, str) or not dsn.strip() or "\0" in dsn:
            raise InvalidStore(
                "dsn: give a connection string, such as postgresql://user@host/database"
            )
        self.schema = schema
        self._options = {**DEFAULTS, **_parsed(dsn)}
        get = self._options.get
        host = get("host") or get("hostaddr") or "localhost"
        self.where = f"{host}:{get('port') or 5432}/{get('dbname') or ''} schema {schema}"

    def connect(self, *, writing: bool) -> Session:
        """A session of our own. Raises `StoreUnavailable`."""
        with self.explaining():
            db: Raw = psycopg.connect(autocommit=True, **self._options)
            try:
                self._set_up(db, writing)
            except BaseException:
                db.close()
                raise
            return Session(db)

    def _set_up(self, db: Raw, writing: bool) -> None:
        settings = _ALWAYS | (_TO_WRITE if writing else _TO_READ)
        with db.pipeline():
            db.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(self.schema)))
            db.execute(_SET, (list(settings), list(settings.values())))

    @contextmanager
    def explaining(self) -> Generator[None, None, None]:
        """Errors of psycopg's, as ours."""
        try:
            yield
        except psycopg.Error as error:
            raise self.explain(error) from error

    def explain(self, error: Exception) -> StoreError:
        """What psycopg found wrong, as one of our errors."""
        what = " ".join(str(error).split()) or error.__class__.__name__
        if getattr(error, "sqlstate", None) in (*_DAMAGED, *_RULES):
            return StoreDamaged(
                f"{self.where} is damaged: {what}. `choreia store verify` says how far it is "
                "whole; restore a backup, or export what can be read into a new store"
            )
        return StoreUnavailable(
            f"{self.where}: {what}. Nothing of this was written; when the cause is gone (server, "
            "network, room on its disk, permissions), it works again"
        )


def _parsed(dsn: str) -> dict[str, Any]:
    try:
        return {k: v for k, v in conninfo.conninfo_to_dict(dsn).items() if v is not None}
    except psycopg.Error as error:
        reason = str(error).strip()
    if not reason.startswith(_TELLING):
        reason = "it cannot be read"
    # Out here, so that the error has no other behind it: libpq may quote the password.
    raise InvalidStore(
        f"dsn: {reason}; give a connection string, such as postgresql://user@host/database"
    )
