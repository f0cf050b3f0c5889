"""The tables, and whether a file has them.

Positions are rowids: the log is one B-tree, appended to at its right edge. Names (types, sources,
agents) are numbers into `names`; ids are bytes (`sql/rows.py`). Indexes on source, type
and correlation end in the rowid by themselves, so each also sorts by position. Time has none: what
is recorded later has a later time, so it is found by bisecting positions.
"""

from __future__ import annotations

import sqlite3
from typing import cast

from choreia.runtime.errors import InvalidStore
from choreia.runtime.stores.sql.connection import Connection

APPLICATION = 0x63686F72  # "chor"
VERSION = 3

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE names (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE types (number INTEGER PRIMARY KEY, name_number INTEGER NOT NULL UNIQUE);
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    id NOT NULL,
    type INTEGER NOT NULL,
    source INTEGER NOT NULL,
    timestamp NOT NULL,
    correlation,           -- NULL: none; empty: its own id
    causation,
    hops INTEGER NOT NULL,
    rest,                  -- JSON of what metadata and extra fields hold besides, if anything
    payload BLOB NOT NULL, -- JSON, as it was encoded when it was recorded
    flags INTEGER NOT NULL,
    link BLOB NOT NULL,
    digest BLOB            -- of the payload that was here before it was erased
);
CREATE UNIQUE INDEX events_id ON events (id);
CREATE INDEX events_source ON events (source);
CREATE INDEX events_type ON events (type);
CREATE INDEX events_correlation ON events (correlation)
    WHERE correlation IS NOT NULL AND length(correlation) > 0;
CREATE TABLE cursors (
    agent INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, position INTEGER NOT NULL
);
CREATE TABLE completed (
    agent INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (agent, position)
) WITHOUT ROWID;
CREATE TABLE snapshots (
    source INTEGER PRIMARY KEY, position INTEGER NOT NULL, code TEXT NOT NULL, state BLOB NOT NULL
);
CREATE TABLE timers (
    agent INTEGER NOT NULL, key TEXT NOT NULL, due REAL NOT NULL, event BLOB NOT NULL,
    schedule TEXT NOT NULL, PRIMARY KEY (agent, key)
) WITHOUT ROWID;
CREATE TABLE letters (
    number INTEGER PRIMARY KEY, agent INTEGER NOT NULL, event_id TEXT NOT NULL,
    event BLOB NOT NULL, reason TEXT NOT NULL, error TEXT NOT NULL, traceback TEXT NOT NULL,
    attempts INTEGER NOT NULL, time REAL NOT NULL, waiting INTEGER NOT NULL,
    crashes INTEGER NOT NULL, UNIQUE (agent, event_id)
);
CREATE TABLE attempts (
    agent INTEGER NOT NULL, event_id TEXT NOT NULL, failed INTEGER NOT NULL,
    crashes INTEGER NOT NULL, PRIMARY KEY (agent, event_id)
) WITHOUT ROWID;
CREATE TABLE results (
    agent INTEGER NOT NULL, event_id TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (agent, event_id, name)
) WITHOUT ROWID;
CREATE TABLE erasures (
    number INTEGER PRIMARY KEY, time REAL NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL,
    events INTEGER NOT NULL
);
"""
"""As in version 2."""

SINCE_2 = """
CREATE TABLE records (
    agent INTEGER NOT NULL, correlation TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
    position INTEGER NOT NULL, PRIMARY KEY (correlation, agent, name)
) WITHOUT ROWID;
CREATE INDEX records_agent ON records (agent, correlation, name);
CREATE TABLE interests (
    agent INTEGER NOT NULL, since INTEGER NOT NULL, value BLOB NOT NULL, durable INTEGER NOT NULL,
    PRIMARY KEY (agent, since)
) WITHOUT ROWID;
CREATE TABLE beginnings (position INTEGER PRIMARY KEY); -- see `sql.cases`
INSERT INTO beginnings
    SELECT position FROM events
    WHERE (correlation IS NULL OR length(correlation) = 0) AND flags & 1 = 0
    UNION SELECT min(position) FROM events
    WHERE correlation IS NOT NULL AND length(correlation) > 0 AND flags & 1 = 0
    GROUP BY correlation;
"""
"""What version 3 has besides: records of cases, interests, and where cases may begin."""
SINCE_1 = """
CREATE TABLE types (number INTEGER PRIMARY KEY, name_number INTEGER NOT NULL UNIQUE);
CREATE TABLE completed (
    agent INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (agent, position)
) WITHOUT ROWID;
CREATE TABLE snapshots (
    source INTEGER PRIMARY KEY, position INTEGER NOT NULL, code TEXT NOT NULL, state BLOB NOT NULL
);
INSERT INTO types (name_number) SELECT DISTINCT type FROM events;
"""
"""What version 2 has besides: families of agents, snapshots, and types apart from other names."""


def _bring_up_to_date(
    db: Connection | sqlite3.Connection, path: str, version: int, *, may_write: bool
) -> None:
    if not may_write:
        raise InvalidStore(
            f"{path} was written by an older Choreia: bring it up to date with "
            f"`choreia store compact {path}`, or by starting a system with it"
        )
    cast("sqlite3.Connection", db).executescript(
        f"BEGIN IMMEDIATE; {SINCE_1 if version < 2 else ''} {SINCE_2} "
        f"PRAGMA user_version = {VERSION}; COMMIT;"
    )


def prepare(db: Connection | sqlite3.Connection, path: str, *, may_create: bool) -> None:
    """Make the tables in an empty file. Raises `InvalidStore` for a file of somebody else's, or of
    a newer version."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == APPLICATION:
        if version > VERSION:
            raise InvalidStore(
                f"{path} was written by a newer Choreia (store version {version}, this one knows "
                f"{VERSION}): upgrade Choreia"
            )
        if version < VERSION:
            _bring_up_to_date(db, path, version, may_write=may_create)
        return
    if application or version or tables or not may_create:
        what = "is a database of another program" if tables else "is no event store yet"
        raise InvalidStore(f"{path} {what}: give another path")
    cast("sqlite3.Connection", db).executescript(
        f"BEGIN IMMEDIATE; {TABLES} {SINCE_2} PRAGMA application_id = {APPLICATION};"
        f"PRAGMA user_version = {VERSION};"
        "INSERT INTO meta VALUES ('clean', 1); COMMIT;"
    )
