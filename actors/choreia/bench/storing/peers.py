"""The other side: sqlite3 by itself, the `eventsourcing` library, and the disk."""

from __future__ import annotations

import os
import queue
import sqlite3
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from choreia import Event
from choreia.bench.storing.ours import NOTE, PRODUCERS, WINDOW
from choreia.runtime.durable.journal import unit_of
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.sql.connection import Row
from choreia.runtime.stores.sql.rows import COLUMNS, insert_many, row_of
from choreia.runtime.stores.sqlite.schema import TABLES


def raw_publishing(folder: Path, count: int) -> float:
    """The same rows into the same tables, by one thread that takes what eight have queued: rows
    a second. Nothing but making the events, sqlite3 and a queue."""
    waiting: queue.SimpleQueue[tuple[list[Event], threading.Event] | None] = queue.SimpleQueue()

    def write() -> None:
        db = sqlite3.connect(folder / "raw.db", isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(TABLES)
        position, names = 0, {"work.item": 1, "me": 2}
        while (first := waiting.get()) is not None:
            batch = [first]
            while not waiting.empty() and len(batch) < 4:
                more = waiting.get()
                if more is None:
                    waiting.put(None)
                    break
                batch.append(more)
            rows: list[Row] = []
            for events, _ in batch:
                for event, body in zip(events, unit_of(events).bodies, strict=True):
                    position += 1
                    recorded = Recorded(position, event, float(position))
                    rows.append(row_of(recorded, body, bytes(32), names.__getitem__))
            db.execute("BEGIN IMMEDIATE")
            insert_many(db, f"INSERT INTO events ({COLUMNS}, link)", 13, rows)
            db.execute("COMMIT")
            for _, done in batch:
                done.set()
        db.close()

    def produce(producer: int) -> None:
        for first in range(0, count // PRODUCERS, WINDOW):
            events = [
                Event("work.item", "me", {"n": first + n, "producer": producer, "note": NOTE})
                for n in range(WINDOW)
            ]
            done = threading.Event()
            waiting.put((events, done))
            done.wait()

    writer = threading.Thread(target=write)
    writer.start()
    producers = [threading.Thread(target=produce, args=(number,)) for number in range(PRODUCERS)]
    began = time.perf_counter()
    for thread in producers:
        thread.start()
    for thread in producers:
        thread.join()
    seconds = time.perf_counter() - began
    waiting.put(None)
    writer.join()
    return count / seconds


def raw_one_by_one(folder: Path, count: int) -> float:
    """Milliseconds of one insert and its commit."""
    db = sqlite3.connect(folder / "raw.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE events (position INTEGER PRIMARY KEY, body BLOB)")
    began = time.perf_counter()
    for _ in range(count):
        db.execute("INSERT INTO events (body) VALUES (?)", (b"x" * 200,))
    milliseconds = 1_000 * (time.perf_counter() - began) / count
    db.close()
    return milliseconds


def fsync(folder: Path, count: int) -> float:
    """Milliseconds of a write of 8 KiB and its fdatasync: what the disk takes for a commit."""
    file = os.open(folder / "file", os.O_RDWR | os.O_CREAT)
    began = time.perf_counter()
    for number in range(count):
        os.pwrite(file, bytes(8_192), number * 8_192)
        os.fdatasync(file)
    milliseconds = 1_000 * (time.perf_counter() - began) / count
    os.close(file)
    return milliseconds


def eventsourcing_appending(folder: Path, count: int) -> float:
    """Events a second, 1,000 a call."""
    return _eventsourcing(folder, count)[0]


def eventsourcing_replaying(folder: Path, count: int) -> float:
    """Events a second, read as objects."""
    return _eventsourcing(folder, count)[1]


@cache
def _item_class() -> Any:
    from eventsourcing.domain import Aggregate, event

    class Item(Aggregate):
        def __init__(self) -> None:
            self.n = 0

        @event("Added")
        def add(self, n: int, note: str) -> None:
            self.n = n

    return Item


def _eventsourcing(folder: Path, count: int) -> tuple[float, float]:
    from eventsourcing.persistence import (
        DatetimeAsISO,
        DecimalAsStr,
        EventStore,
        JSONTranscoder,
        Mapper,
        UUIDAsHex,
    )
    from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteDatastore

    datastore = SQLiteDatastore(str(folder / "peer.db"))
    recorder = SQLiteAggregateRecorder(datastore)
    recorder.create_table()
    transcoder = JSONTranscoder()
    for transcoding in (UUIDAsHex, DecimalAsStr, DatetimeAsISO):
        transcoder.register(transcoding())
    store: Any = EventStore(Mapper(transcoder), recorder)
    item = _item_class()()
    for n in range(count - 1):
        item.add(n, NOTE)
    events = item.collect_events()
    began = time.perf_counter()
    for first in range(0, len(events), 1_000):
        store.put(events[first : first + 1_000])
    put = count / (time.perf_counter() - began)
    began = time.perf_counter()
    found = sum(1 for _ in store.get(item.id))
    got = found / (time.perf_counter() - began)
    datastore.close()
    return put, got
