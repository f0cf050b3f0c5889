"""Queries. Each page is a short transaction of its own, on a connection that can only read."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from choreia.runtime.errors import StoreDamaged, StoreError, StoreUnavailable
from choreia.runtime.events.recorded import LIVE, Recorded
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.stores.base import Selection
from choreia.runtime.stores.sql.connection import Connection, Row
from choreia.runtime.stores.sql.rows import COLUMNS, events_of, names_of, pack

T = TypeVar("T")

SPARE = 4
"""Reading connections that are kept for the next reader."""
SELECTIONS = 1_024
"""Selections whose types are remembered."""
NAMES = 50_000
"""Names that are remembered."""
NEW_TYPES = (
    "SELECT types.number, name_number, name FROM types JOIN names ON names.number = name_number "
    "WHERE types.number > ? ORDER BY types.number"
)
MERGED = 16
"""So many types are read by index and merged where each is read to the limit of a page."""
INDEXED = 400
"""So many types are read by index and merged where only positions are (SQLite takes 500 parts);
more, by looking at every event."""
Choice = tuple[str, tuple[object, ...]]
"""A condition that has an index, and its values."""


class Readers:
    """A pool of reading connections. Thread-safe."""

    def __init__(
        self,
        where: str,
        connect: Callable[[], Connection],
        errors: type[Exception],
        explain: Callable[[Exception], StoreError],
    ) -> None:
        """`connect` opens a connection that only reads; what it raises of `errors` is one of ours
        when `explain` has seen it."""
        self.where = where
        self._connect = connect
        self._errors = errors
        self._explain = explain
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._closed = False
        self._pid = os.getpid()
        self._last = 0
        """The greatest number of a type that is known."""
        self._types: list[tuple[int, str]] = []
        """The types: numbers of their names, and the names."""
        self._selected: dict[tuple[str, ...], tuple[int, list[int]]] = {}
        """By patterns: those of the first so many types that match."""
        self._names: dict[int, str] = {}
        """Some: there may be millions of sources."""

    @contextmanager
    def connection(self) -> Generator[Connection, None, None]:
        """One for a moment. Raises `StoreUnavailable` and `StoreDamaged` for what goes wrong."""
        try:
            db = self._take()
            try:
                yield db
            except BaseException:
                db.close()  # it may be of no use any more
                raise
            self._give_back(db)
        except self._errors as error:
            raise self._explain(error) from error

    def _take(self) -> Connection:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"{self.where}: this store has been closed")
            if os.getpid() != self._pid:  # two processes on one connection would mix their answers
                raise StoreUnavailable(
                    f"{self.where} was opened before this process was forked: open it again in the "
                    "child"
                )
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, db: Connection) -> None:
        with self._lock:
            if len(self._idle) < SPARE and not self._closed:
                self._idle.append(db)
                return
        db.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    # -- names ------------------------------------------------------------------------------

    def number(self, name: str) -> int | None:
        """The number of a name; None when nothing has it."""
        rows = self.rows("SELECT number FROM names WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def _refresh_in(self, db: Connection) -> None:
        """Learn of types that are new."""
        with self._lock:
            last = self._last
        self._learn_types(db.execute(NEW_TYPES, (last,)).fetchall())

    def _learn_types(self, found: list[Row]) -> None:
        with self._lock:
            for place, number, name in found:
                if place > self._last:  # others read meanwhile
                    self._types.append((number, name))
                    self._last = place

    def _learn_names(self, rows: list[Row]) -> dict[int, str]:
        """Those that `rows` refer to."""
        with self.connection() as db:
            found = names_of(db, rows)
        with self._lock:
            if len(self._names) + len(found) > NAMES:
                self._names = {}
            self._names.update(found)
        return found

    # -- events -----------------------------------------------------------------------------

    def events(self, where: str, parameters: tuple[object, ...] = ()) -> list[Recorded]:
        with self.connection() as db:
            rows = db.execute(f"SELECT {COLUMNS} FROM events WHERE {where}", parameters).fetchall()
        return self._as_events(rows)

    def find(self, id: str) -> Recorded | None:
        found = self.events("id = ?", (pack(id),))
        return found[0] if found else None

    def page(self, after: int, limit: int, selection: Selection) -> list[Recorded]:
        if selection == Selection(source=selection.source) and selection.source is not None:
            # As agents begin that are made of what they said: thousands at a time, so in one step.
            return self.events(
                "source = (SELECT number FROM names WHERE name = ?) AND position > ? "
                "ORDER BY position LIMIT ?",
                (selection.source, after, limit),
            )
        with self.connection() as db:
            # In one transaction: an event of a type that was not known when the names were read
            # must not be left out of a page that goes beyond it.
            db.execute("BEGIN")
            try:
                self._refresh_in(db)
                rows = self._page_in(db, after, limit, selection)
            finally:
                db.execute("COMMIT")
        return self._as_events(rows)

    def _page_in(self, db: Connection, after: int, limit: int, selection: Selection) -> list[Row]:
        query = self._query(db, after, selection)
        if query is None:
            return []
        choices, rest = query
        if len(choices) == 1:
            [(choice, values)] = choices
            where = f"position > ? {choice} {rest}"
            parameters = (after, *values, limit)
        else:
            found, values = _merged(after, choices, rest)
            where = f"position IN (SELECT position FROM ({found} LIMIT ?) AS found)"
            parameters = (*values, limit, limit)
        rows: list[Row] = db.execute(
            f"SELECT {COLUMNS} FROM events WHERE {where} ORDER BY position LIMIT ?", parameters
        ).fetchall()
        return rows

    def _query(
        self, db: Connection, after: int, selection: Selection
    ) -> tuple[list[Choice], str] | None:
        """Choices that each have an index, merged by position, and what else must hold; None when
        nothing can match."""
        rest, types = "", None
        if "#" not in selection.patterns:
            types = self._matching(selection.patterns)
            if not types:
                return None
        if selection.live is not None:
            rest += f" AND flags & {LIVE} = {LIVE if selection.live else 0}"
        choices: list[Choice] = [("", ())]
        by_type: list[Choice] = [("AND type = ?", (type,)) for type in types or ()]
        if selection.correlation_id is not None:
            case = pack(selection.correlation_id)
            choices = [
                ("AND correlation = ? AND length(correlation) > 0", (case,)),
                ("AND id = ?", (case,)),
            ]
        if selection.source is not None:
            found = db.execute("SELECT number FROM names WHERE name = ?", (selection.source,))
            row = found.fetchone()
            if row is None:
                return None
            (source,) = row
            by_source: list[Choice] = [("AND source = ?", (source,))]
            if selection.correlation_id is None and not (
                0 < len(by_type) <= INDEXED and _rarer(db, after, by_type, by_source)
            ):
                choices = by_source
            else:
                rest += f" AND +source = {source}"
        if types is not None:
            if choices == [("", ())] and len(types) <= INDEXED:
                choices = by_type
            else:  # `+`: not by the index on types, which would have to sort
                rest += f" AND +type IN ({','.join(map(str, types))})"
        return choices, rest

    def _matching(self, patterns: tuple[str, ...]) -> list[int]:
        """The numbers of the types that match. They are only added, so only new ones are tried."""
        with self._lock:
            upto, types = self._selected.get(patterns, (0, []))
            fresh = self._types[upto:]
            if fresh:
                checked = [TopicPattern(pattern) for pattern in patterns]
                types = types + [
                    number
                    for number, name in fresh
                    if any(pattern.matches(name) for pattern in checked)
                ]
                if len(self._selected) >= SELECTIONS:
                    self._selected.clear()
                self._selected[patterns] = (len(self._types), types)
            return types

    def _as_events(self, rows: list[Row]) -> list[Recorded]:
        try:
            try:
                return events_of(rows, self._names)
            except KeyError:  # names are added as events bring them
                return events_of(rows, self._learn_names(rows))
        except (ValueError, TypeError, KeyError) as error:
            raise StoreDamaged(
                f"{self.where} is damaged: an event between positions {rows[0][0]} and "
                f"{rows[-1][0]} cannot be read ({error})",
                position=rows[0][0] - 1,
            ) from error

    def position_at(self, time: float) -> int:
        """Times only grow with positions: bisect."""
        with self.connection() as db:
            (high,) = db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
            low = 0
            while low < high:
                middle = (low + high + 1) // 2
                row = db.execute("SELECT at FROM events WHERE position = ?", (middle,)).fetchone()
                if row is None:
                    raise StoreDamaged(
                        f"{self.where} is damaged: position {middle} is missing",
                        position=middle - 1,
                    )
                low, high = (middle, high) if row[0] <= time else (low, middle - 1)
            return low

    def rows(self, sql: str, parameters: tuple[object, ...] = ()) -> list[Row]:
        with self.connection() as db:
            found: list[Row] = db.execute(sql, parameters).fetchall()
        return found

    def chain(self, size: int) -> Iterator[tuple[Recorded, bytes, bytes, bytes | None]]:
        """Every event with its payload's JSON, its link, and the digest of what was erased."""
        after = 0
        while True:
            rows = self.rows(
                f"SELECT {COLUMNS}, link, digest FROM events WHERE position > ? "
                "ORDER BY position LIMIT ?",
                (after, size),
            )
            for row in rows:
                *columns, link, digest = row
                yield self._as_events([tuple(columns)])[0], columns[10], link, digest
            if len(rows) < size:
                return
            after = rows[-1][0]


def _rarer(db: Connection, after: int, one: list[Choice], other: list[Choice]) -> bool:
    """Whether there is less of `one` than of `other` in what comes next: the rarer one's hundredth
    is farther away. (Counting would take as long as there is much.)"""
    far: list[float] = []
    for choices in (one, other):
        found, values = _merged(after, choices, "")
        row = db.execute(f"{found} LIMIT 1 OFFSET 99", values).fetchone()
        far.append(math.inf if row is None else row[0])
    return far[0] > far[1]


def _merged(after: int, choices: list[Choice], rest: str) -> tuple[str, tuple[object, ...]]:
    """The positions of all choices, in order, and the values for it.

    Only positions, because the indexes have those: SQLite then walks them side by side, as far as
    it is asked. Merging whole rows read each choice to its limit and sorted them all: 13 ms for a
    page of 16 types, where this takes 0.8.
    """
    parts = [f"SELECT position FROM events WHERE position > ? {part} {rest}" for part, _ in choices]
    values = [value for _, given in choices for value in (after, *given)]
    return " UNION ALL ".join(parts) + " ORDER BY position", tuple(values)
