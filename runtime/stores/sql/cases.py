"""Cases, newest first, without a look at the events of others.

`beginnings` holds the positions at which a case may begin. Who writes notes one for each event of
a case that it does not know, and it knows only the latest ones: to look up every event's case
would make commits slower. So some that are noted are not the first of their case, and are found
out here.
"""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.events.recorded import LIVE
from choreia.runtime.stores.base import CaseSpan
from choreia.runtime.stores.sql.connection import Connection
from choreia.runtime.stores.sql.rows import unpack

_AT_ONCE = 32, 512
"""Beginnings that are read in one statement, at least and at most."""
_END = 2**62
_BEGINNINGS = (
    "SELECT position, CASE WHEN length(correlation) > 0 THEN correlation ELSE id END "
    "FROM (SELECT position FROM beginnings WHERE position < ? ORDER BY position DESC LIMIT ?) "
    "AS newest JOIN events USING (position) ORDER BY position DESC"
)
# Times only grow with positions, so the greatest is the last one's.
_SPAN = (
    "SELECT min(position), max(position), count(*), min(at), max(at) FROM ("
    "SELECT position, at FROM events "
    f"WHERE correlation = ? AND length(correlation) > 0 AND flags & {LIVE} = 0 UNION ALL "
    "SELECT position, at FROM events "
    f"WHERE id = ? AND (correlation IS NULL OR length(correlation) = 0) AND flags & {LIVE} = 0"
    ") AS of_case"
)


def newest_cases(db: Connection, before: int | None, limit: int) -> list[CaseSpan]:
    """Up to `limit` that began before a position. Raises `ValueError` for an id that is none."""
    found: list[CaseSpan] = []
    spans: dict[bytes, CaseSpan] = {}
    for position, case in _beginnings(db, before, limit):
        if len(found) >= limit:
            break
        if case not in spans:
            spans[case] = CaseSpan(unpack(case), *db.execute(_SPAN, (case, case)).fetchone())
        if spans[case].first == position:
            found.append(spans[case])
    return found


def _beginnings(db: Connection, before: int | None, limit: int) -> Iterator[tuple[int, bytes]]:
    least, most = _AT_ONCE
    size = min(max(limit, least), most)
    before = _END if before is None else min(before, _END)
    while rows := db.execute(_BEGINNINGS, (before, size)).fetchall():
        yield from rows
        before = rows[-1][0]
