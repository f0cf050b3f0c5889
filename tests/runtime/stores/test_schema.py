"""A store of the second version is brought up to date where it is, and nothing of it is lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from choreia import InvalidStore, SqliteStore
from choreia.runtime.events.recorded import LIVE
from choreia.runtime.stores.base import CaseSpan, EventStore
from choreia.runtime.stores.conformance.making import append, event, unit
from choreia.runtime.stores.jsonl import export
from choreia.runtime.stores.postgres import PostgresStore
from choreia.runtime.stores.unit import CaseRecord, KeepRecord, Seat, Unit

if TYPE_CHECKING:
    from tests.runtime.stores.conftest import PostgresServer

SINCE_2 = ("records", "interests", "beginnings")
"""Tables that version 2 had not."""
OLDER = r"older Choreia.*store compact"


Before = tuple[list[bytes], list[CaseSpan]]


def fill(store: EventStore) -> Before:
    """What it says of itself, when it has something of what there was."""
    append(store, event("a"), event("b", id="x"))
    for case in ("x", "far", "y", "far"):
        append(store, event("c", metadata={"correlationId": case}))
    append(store, event("d", id="y"), event("e", id="z", metadata={"correlationId": "z"}))
    news = (event("agent.online"), event("agent.online", metadata={"correlationId": "news"}))
    store.commit([Unit(seat=Seat("me")), unit(*news, flags=LIVE)], 1.0)
    return list(export(store)), store.cases()


def check(store: EventStore, before: Before) -> None:
    assert (list(export(store)), store.cases()) == before
    assert (list(store.records()), store.interests()) == ([], [])
    store.commit([unit(event("c"), changes=[KeepRecord("me", "case", "pay", b"1")])], 2.0)
    assert list(store.records("case")) == [CaseRecord("me", "case", "pay", b"1", 11)]
    assert store.verify().whole


def schema_of(path: Path) -> tuple[object, set[tuple[str]]]:
    """The version, and the statements that made the tables."""
    with closing(sqlite3.connect(path)) as db:
        [version] = db.execute("PRAGMA user_version").fetchone()
        return version, set(db.execute("SELECT sql FROM sqlite_master").fetchall())


def test_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = SqliteStore(path)
    before = fill(store)
    store.close()
    new = schema_of(path)
    with closing(sqlite3.connect(path)) as db:
        for table in SINCE_2:
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 2")
    with pytest.raises(InvalidStore, match=OLDER):
        SqliteStore(path, readonly=True)
    store = SqliteStore(path)
    check(store, before)
    store.close()
    assert schema_of(path) == new


def test_postgres(postgres: PostgresServer, tmp_path: Path) -> None:
    import psycopg

    schema = postgres.schema_of(tmp_path)
    with closing(PostgresStore(postgres.dsn, schema=schema)) as store:
        before = fill(store)
    with psycopg.connect(postgres.dsn, autocommit=True) as db:
        for table in SINCE_2:
            db.execute(f"DROP TABLE {schema}.{table}".encode())
        db.execute(f"UPDATE {schema}.choreia SET version = 2".encode())
    with pytest.raises(InvalidStore, match=OLDER):
        PostgresStore(postgres.dsn, schema=schema, readonly=True)
    with closing(PostgresStore(postgres.dsn, schema=schema)) as store:
        check(store, before)
    PostgresStore(postgres.dsn, schema=schema, readonly=True).close()
