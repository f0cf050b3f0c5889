"""An event as a row, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from choreia.runtime.events import fields
from choreia.runtime.events.event import Event, Metadata, make_event, make_metadata
from choreia.runtime.events.payload import EMPTY, FrozenDict
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.unseal import unseal
from choreia.runtime.stores.sql.connection import Connection, Row

COLUMNS = (
    "position, at, id, type, source, timestamp, correlation, causation, hops, rest, payload, flags"
)
OWN_ID = b""
"""Stands for a correlation that is the event's own id, as it is for the first of a case."""


def pack(id: str | None) -> bytes | None:
    """An id as it is stored: 16 bytes when it is 32 hexadecimal digits, as ours are; else its text
    behind a zero byte, or, where that would be 16 bytes too, between a one and a zero."""
    if id is None:
        return None
    if len(id) == 32:
        try:
            packed = bytes.fromhex(id)
        except ValueError:
            packed = b""
        if packed.hex() == id:
            return packed
    text = id.encode()
    return b"\0" + text if len(text) != 15 else b"\1" + text + b"\0"


def unpack(packed: bytes) -> str:
    """The id that was packed so."""
    if len(packed) == 16:
        return packed.hex()
    return (packed[1:-1] if packed[0] else packed[1:]).decode()


def rest_of(event: Event) -> bytes | None:
    """What most events have nothing of."""
    meta = event.metadata
    if (
        not meta.causes
        and not meta.extensions
        and not event.extra
        and meta.version == fields.DEFAULT_VERSION
        and event.timestamp.__class__ is float
    ):
        return None
    # The timestamp, too: a whole number would come back as a float from where floats are kept.
    return orjson.dumps((meta.version, meta.causes, meta.extensions, event.extra, event.timestamp))


def row_of(recorded: Recorded, body: bytes, link: bytes, number: Callable[[str], int]) -> Row:
    event = recorded.event
    meta = event.metadata
    correlation: object = pack(meta.correlation_id)
    if meta.correlation_id == event.id:
        correlation = OWN_ID
    return (
        recorded.position,
        recorded.at,
        pack(event.id),
        number(event.type),
        number(event.source),
        event.timestamp,
        correlation,
        pack(meta.causation_id),
        meta.hops,
        rest_of(event),
        body,
        recorded.flags,
        link,
    )


def events_of(rows: Iterable[Row], names: Mapping[int, str]) -> list[Recorded]:
    """Rows of `COLUMNS` as events. Raises `KeyError` for a name that is not in `names`, and
    `ValueError` for a payload that is none."""
    # Plain, in one loop: replays read hundreds of thousands of events a second here.
    found: list[Recorded] = []
    add, default = found.append, fields.DEFAULT_VERSION
    for position, at, id, type, source, stamp, case, cause, hops, rest, payload, flags in rows:
        id = id.hex() if len(id) == 16 else unpack(id)
        if case is not None:
            case = case.hex() if len(case) == 16 else unpack(case) if case else id
        if cause is not None:
            cause = cause.hex() if len(cause) == 16 else unpack(cause)
        extra = EMPTY
        if rest is None:
            meta = make_metadata(case, cause, default, hops)
        else:
            meta, extra, stamp = _with_rest(case, cause, hops, rest)
        event = make_event(id, names[type], names[source], stamp, unseal(payload), meta, extra)
        add(Recorded(position, event, at, flags))
    return found


def names_of(db: Connection, rows: Sequence[Row]) -> dict[int, str]:
    """The names that rows of `COLUMNS` refer to."""
    wanted = sorted({number for row in rows for number in (row[3], row[4])})
    found: dict[int, str] = {}
    for place in range(0, len(wanted), _ASKED):
        some = ",".join(map(str, wanted[place : place + _ASKED]))
        found.update(
            db.execute(f"SELECT number, name FROM names WHERE number IN ({some})").fetchall()
        )
    return found


def _with_rest(
    case: str | None, cause: str | None, hops: int, rest: bytes
) -> tuple[Metadata, FrozenDict, float]:
    version, causes, extensions, extra, stamp = orjson.loads(rest)
    meta = make_metadata(case, cause, version, hops, tuple(causes), _sealed(extensions))
    return meta, _sealed(extra), stamp


_ASKED = 500
"""Names that are looked up in one statement."""
_SIZES = (256, 64, 16, 4, 1)


def insert_many(
    db: Connection, insert: str, width: int, rows: Sequence[Row], after: str = ""
) -> None:
    """Insert `rows`, many in one statement.

    Python's sqlite3 gives up the interpreter's lock in each step of a statement, and getting it
    back from a busy thread takes up to 5 ms: `executemany`, a step a row, was 100 times slower
    than this while agents were computing.
    """
    place, one = 0, f"({','.join('?' * width)})"
    for size in _SIZES:
        while len(rows) - place >= size:
            values: list[Any] = []
            for row in rows[place : place + size]:
                values += row
            db.execute(f"{insert} VALUES {','.join([one] * size)} {after}", values)
            place += size


# -- events inside of rows: of timers and dead letters --------------------------------------------


def event_blob(event: Event) -> bytes:
    meta = event.metadata
    return orjson.dumps(
        (
            event.id, event.type, event.source, event.timestamp, event.payload,
            meta.correlation_id, meta.causation_id, meta.version, meta.hops, meta.causes,
            meta.extensions, event.extra,
        )
    )  # fmt: skip


def event_from(blob: bytes) -> Event:
    """Raises `ValueError` for what is none."""
    id, type, source, stamp, payload, case, cause, version, hops, causes, extensions, extra = (
        orjson.loads(blob)
    )
    meta = make_metadata(case, cause, version, hops, tuple(causes), _sealed(extensions))
    return make_event(id, type, source, stamp, _sealed(payload), meta, _sealed(extra))


def _sealed(value: object) -> Any:
    return unseal(orjson.dumps(value))
