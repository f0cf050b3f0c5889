"""Queries, where PostgreSQL wants them spelled otherwise than in `sql.readers`."""

from __future__ import annotations

import os

import psycopg

from choreia.runtime.events.recorded import LIVE, Recorded
from choreia.runtime.stores.base import Selection
from choreia.runtime.stores.postgres.connection import Session
from choreia.runtime.stores.postgres.server import Server
from choreia.runtime.stores.sql.connection import Connection, Row
from choreia.runtime.stores.sql.readers import MERGED, NEW_TYPES, Readers
from choreia.runtime.stores.sql.rows import COLUMNS, pack

_FOUND = f"SELECT {COLUMNS} FROM events WHERE"
# The whole search in one statement: a way to the server each would be 24 for 10 million events.
_POSITION_AT = """
WITH RECURSIVE search (low, high) AS (
    SELECT 0::int8, (SELECT coalesce(max(position), 0) FROM events)
    UNION ALL
    SELECT CASE WHEN earlier THEN middle ELSE low END,
           CASE WHEN earlier THEN high ELSE middle - 1 END
    FROM (
        SELECT low, high, middle, (SELECT at FROM events WHERE position = middle) <= ? AS earlier
        FROM (SELECT low, high, (low + high + 1) / 2 AS middle FROM search WHERE low < high) AS half
    ) AS halved
)
SELECT low FROM search WHERE low >= high
"""

Part = tuple[str, list[object]]
"""A query whose rows come by position, and its parameters."""


class ServerReaders(Readers):
    """A pool of sessions that only read. Thread-safe."""

    def __init__(self, server: Server) -> None:
        super().__init__(
            server.where, lambda: server.connect(writing=False), psycopg.Error, server.explain
        )
        self._pid = os.getpid()
        self._inherited: list[Connection] = []

    def _take(self) -> Connection:
        """Not one that has ended while it was idle."""
        self._leave_to_parent()
        while True:
            db = super()._take()
            if not isinstance(db, Session) or db.is_alive():
                return db
            db.close()

    def close(self) -> None:
        self._leave_to_parent()
        super().close()

    def _leave_to_parent(self) -> None:
        if os.getpid() != self._pid:
            # Kept: what nobody refers to is closed, and that would end the parent's sessions.
            self._inherited, self._idle = self._idle, []
            self._pid = os.getpid()

    def position_at(self, time: float) -> int:
        return int(self.rows(_POSITION_AT, (float(time),))[0][0])

    # -- pages --------------------------------------------------------------------------------

    def page(self, after: int, limit: int, selection: Selection) -> list[Recorded]:
        """With patterns a page is whole only as far as their types are known. So types that are new
        are asked for behind it, and if some match, it is asked for again."""
        source = None
        if selection.source is not None:
            source = self.number(selection.source)
            if source is None:
                return []
        while True:
            types = self._known_types(selection.patterns)
            rows = self._ask(_parts(after, limit, selection, source, types), limit, types)
            if types is None or self._known_types(selection.patterns) == types:
                return self._as_events(rows)

    def _ask(self, parts: list[Part], limit: int, types: list[int] | None) -> list[Row]:
        """The rows of all parts, as many as `limit`; and the names that are new, if that matters:
        both in one go, one after the other."""
        sql = " UNION ALL ".join(
            f"SELECT * FROM ({part}) AS _{n}" for n, (part, _) in enumerate(parts)
        )
        values = [value for _, part in parts for value in part]
        if len(parts) > 1:
            sql += " ORDER BY position LIMIT ?"
            values.append(limit)
        with self.connection() as db:
            assert isinstance(db, Session)
            if types is None:
                return db.execute(sql, values).fetchall()
            with db.together():
                rows = db.execute(sql, values) if parts else None
                names = db.execute(NEW_TYPES, (self._last,))
                found = [] if rows is None else rows.fetchall()
                self._learn_types(names.fetchall())
            return found

    def _known_types(self, patterns: tuple[str, ...]) -> list[int] | None:
        """Of the types that are known, the numbers of those that match; None when all do."""
        return None if "#" in patterns else self._matching(patterns)


def _parts(
    after: int, limit: int, selection: Selection, source: int | None, types: list[int] | None
) -> list[Part]:
    """Each has an index of its own, and all together are what was selected."""
    if types == []:
        return []
    rest = ""
    if selection.live is not None:
        rest += f" AND flags & {LIVE} = {LIVE if selection.live else 0}"
    if selection.correlation_id is not None:
        if types is not None:
            rest += _one_of(types)
        if source is not None:
            rest += f" AND +source = {source}"
        case = pack(selection.correlation_id)
        within = rest + " AND length(correlation) > 0"  # as the index has it
        begins = f"{_FOUND} id = ? AND position > ? {rest}"
        return [_range("correlation", case, after, limit, within), (begins, [case, after])]
    if source is not None:
        rest += "" if types is None else _one_of(types)
        return [_range("source", source, after, limit, rest)]
    if types is not None and len(types) <= MERGED:
        return [_range("type", type, after, limit, rest) for type in types]
    rest += "" if types is None else _one_of(types)
    return [(f"{_FOUND} position > ? {rest} ORDER BY position LIMIT ?", [after, limit])]


def _one_of(types: list[int]) -> str:
    return f" AND +type IN ({','.join(map(str, types))})"  # `+`: not by the index on types


def _range(column: str, value: object, after: int, limit: int, rest: str) -> Part:
    # Not `column = value`: for that the planner may go by position from `after` on, if it thinks
    # the value frequent, and then looks at the whole log where it is not.
    query = (
        f"{_FOUND} ({column}, position) > (?, ?) AND {column} <= ? {rest} "
        f"ORDER BY {column}, position LIMIT ?"
    )
    return query, [value, after, value, limit]
