"""Filling an empty file with an export, in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from choreia.runtime.errors import InvalidStore
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.base import Contents, Erasure
from choreia.runtime.stores.refusals import check_next, check_restored
from choreia.runtime.stores.sql.connection import Connection
from choreia.runtime.stores.sql.known import Known
from choreia.runtime.stores.sql.writing import Batch
from choreia.runtime.stores.unit import (
    CaseRecord,
    Completed,
    Cursor,
    KeepAttempts,
    KeepLetter,
    KeepResult,
    KeptInterest,
    Letter,
    Result,
    SetTimer,
    Snapshot,
)

TOGETHER = 1_024


def restore_into(
    db: Connection, contents: Contents, expected: Callable[[], tuple[int, str]]
) -> Batch:
    """In a transaction: what was written. Raises `InvalidStore`."""
    batch = Batch(db, Known.read(db), 0)
    if batch.head:
        raise InvalidStore("only an empty store can be restored")
    for item in contents:
        _take(db, batch, item)
        if batch.waiting >= TOGETHER:
            batch.flush()
    batch.flush()
    check_restored(batch.head, batch.link, expected())
    return batch


def _take(db: Connection, batch: Batch, item: object) -> None:
    match item:
        case (Recorded() as recorded, (None | bytes()) as digest):
            check_next(recorded, batch.head)
            batch.restore(recorded, digest)
        case Cursor(agent, epoch, position):
            row = (batch.number(agent), epoch, position)
            db.execute("INSERT INTO cursors VALUES (?, ?, ?)", row)
        case Completed(agent, position):
            db.execute("INSERT INTO completed VALUES (?, ?)", (batch.number(agent), position))
        case Snapshot():
            batch.beside.snapshot(item)
        case Letter():
            batch.beside.change(KeepLetter(item))
            db.execute(
                "UPDATE letters SET number = ? WHERE agent = ? AND event_id = ?",
                (item.number, batch.number(item.agent), item.event.id),
            )
        case (str() as agent, Result() as result):
            batch.beside.change(KeepResult(agent, result.event_id, result.name, result.value))
        case CaseRecord():
            batch.beside.record(item)
        case KeptInterest(agent, since, value, durable):
            db.execute(
                "INSERT INTO interests VALUES (?, ?, ?, ?)",
                (batch.number(agent), since, value, int(durable)),
            )
        case Erasure(time, what, reason, events):
            db.execute(
                "INSERT INTO erasures (time, what, reason, events) VALUES (?, ?, ?, ?)",
                (time, what, reason, events),
            )
        case SetTimer() | KeepAttempts():
            batch.beside.change(item)
        case _:
            raise InvalidStore(f"{item!r} is nothing that a store holds")
