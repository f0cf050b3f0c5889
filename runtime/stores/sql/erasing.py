"""Erasing: payloads are blanked, their digests stay, and the hash chain still holds."""

from __future__ import annotations

from choreia.runtime.events.recorded import ERASED
from choreia.runtime.stores.chain import digest_of
from choreia.runtime.stores.refusals import blank, erasure
from choreia.runtime.stores.sql.connection import Connection
from choreia.runtime.stores.sql.rows import (
    COLUMNS,
    event_blob,
    event_from,
    events_of,
    names_of,
    pack,
)


def erase_from(
    db: Connection,
    correlation_id: str | None,
    subject: str | None,
    reason: str,
    now: float,
) -> tuple[int, set[str]]:
    """In a transaction: how many events were blanked, and whose. Raises `InvalidStore`."""
    wanted = erasure(correlation_id, subject, reason)
    where = "rest IS NOT NULL"
    parameters: tuple[object, ...] = ()
    if correlation_id is not None:
        case = pack(correlation_id)
        where = "(correlation = ? AND length(correlation) > 0) OR id = ?"
        parameters = (case, case)
    rows = db.execute(
        f"SELECT {COLUMNS} FROM events WHERE ({where}) AND flags & {ERASED} = 0", parameters
    )
    hit: list[tuple[bytes, bytes, int]] = []
    ids: list[tuple[str]] = []
    sources: dict[int, str] = {}
    for row in rows:  # one by one: all that have a `rest` may be more than memory holds
        [recorded] = events_of([row], names_of(db, [row]))
        if wanted(recorded.event):
            hit.append((b"{}", digest_of(row[10]), recorded.position))
            ids.append((recorded.event.id,))
            sources[row[4]] = recorded.event.source
    db.executemany(
        f"UPDATE events SET payload = ?, digest = ?, flags = flags | {ERASED} WHERE position = ?",
        hit,
    )
    for agent, key, blob in db.execute("SELECT agent, key, event FROM timers").fetchall():
        event = event_from(blob)
        if wanted(event):
            db.execute(
                "UPDATE timers SET event = ? WHERE agent = ? AND key = ?",
                (event_blob(blank(event)), agent, key),
            )
    for number, blob in db.execute("SELECT number, event FROM letters").fetchall():
        event = event_from(blob)
        if wanted(event):
            db.execute(
                "UPDATE letters SET event = ?, error = '', traceback = '' WHERE number = ?",
                (event_blob(blank(event)), number),
            )
    # States were made of it.
    db.executemany("DELETE FROM snapshots WHERE source = ?", [(one,) for one in sources])
    db.executemany("DELETE FROM results WHERE event_id = ?", ids)
    what = f"case {correlation_id}" if subject is None else f"subject {subject}"
    db.execute(
        "INSERT INTO erasures (time, what, reason, events) VALUES (?, ?, ?, ?)",
        (now, what, reason, len(hit)),
    )
    return len(hit), set(sources.values())
