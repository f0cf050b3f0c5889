"""What a store can be asked, as the contract has it: nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import attrs

from choreia.runtime.errors import StoreDamaged
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.base import EVERYTHING, CaseSpan, Erasure, EventStore, Selection, When
from choreia.runtime.stores.selecting import PAGE, check_cases, events_of, reading, selection_of
from choreia.runtime.stores.sql.cases import newest_cases
from choreia.runtime.stores.sql.connection import Row
from choreia.runtime.stores.sql.readers import Readers
from choreia.runtime.stores.sql.rows import event_from
from choreia.runtime.stores.unit import (
    CaseRecord,
    Completed,
    Cursor,
    KeepAttempts,
    KeptInterest,
    Letter,
    Result,
    SetTimer,
    Snapshot,
)

_SNAPSHOTS = "SELECT name, position, code, state FROM snapshots JOIN names ON number = source"
_RECORD = "SELECT names.name, correlation, records.name, value, position"
# The loops in this order: by a name, and its records by their index. (SQLite takes CROSS JOIN for
# an order to keep.)
_RECORDS = f"{_RECORD} FROM names CROSS JOIN records WHERE number = agent"
TYPES = 50_000
"""Types beyond which nobody asks for the last position of each type."""


class SqlReads:
    """The half of a store that reads."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    # -- reading the log

    @property
    def head(self) -> int:
        rows = self._readers.rows("SELECT coalesce(max(position), 0) FROM events")
        return int(rows[0][0])

    def page(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Recorded]:
        return self._readers.page(after, limit, selection)

    def read(
        self,
        after: int = 0,
        limit: int | None = None,
        *,
        pattern: str | Sequence[str] = "#",
        source: str | None = None,
        correlation_id: str | None = None,
        up_to: int | None = None,
    ) -> Iterator[Recorded]:
        selection = selection_of(pattern, source, correlation_id)
        return reading(self.page, after, limit, selection, up_to)

    def find(self, id: str) -> Recorded | None:
        return self._readers.find(id)

    def position_at(self, time: float) -> int:
        return self._readers.position_at(time)

    def get_events(
        self, agent_id: str, up_to: When | None = None, *, after: int = 0
    ) -> Iterator[Event]:
        return events_of(cast("EventStore", self), agent_id, up_to, after)

    def cases(self, *, before: int | None = None, limit: int = 100) -> list[CaseSpan]:
        check_cases(before, limit)
        try:
            with self._readers.connection() as db:
                return newest_cases(db, before, limit)
        except ValueError as error:
            raise StoreDamaged(
                f"{self._readers.where} is damaged: the id of a case cannot be read ({error})"
            ) from error

    # -- reading what is kept beside it

    def cursors(self) -> list[Cursor]:
        rows = self._readers.rows(
            "SELECT name, epoch, position FROM cursors JOIN names ON number = agent"
        )
        # Sorted here, since databases differ in how they sort text.
        return sorted((Cursor(*row) for row in rows), key=attrs.astuple)

    def completed(self, agent: str | None = None) -> list[Completed]:
        rows = self._readers.rows(
            f"SELECT name, position FROM completed JOIN names ON number = agent {_of(agent)}",
            () if agent is None else (agent,),
        )
        return sorted((Completed(*row) for row in rows), key=attrs.astuple)

    def snapshot(self, source: str) -> Snapshot | None:
        rows = self._readers.rows(f"{_SNAPSHOTS} WHERE name = ?", (source,))
        return _snapshot(rows[0]) if rows else None

    def snapshots(self) -> Iterator[Snapshot]:
        after = ""
        while rows := self._readers.rows(
            f"{_SNAPSHOTS} WHERE name > ? ORDER BY name LIMIT ?", (after, PAGE)
        ):
            yield from map(_snapshot, rows)
            after = rows[-1][0]

    def timers(self, agent: str | None = None) -> list[SetTimer]:
        rows = self._readers.rows(
            "SELECT name, key, due, event, schedule FROM timers JOIN names ON number = agent "
            f"{_of(agent)}",
            () if agent is None else (agent,),
        )
        found = [
            SetTimer(name, key, due, event_from(blob), schedule)
            for name, key, due, blob, schedule in rows
        ]
        return sorted(found, key=lambda timer: (timer.due, timer.agent, timer.key))

    def letters(self, agent: str | None = None) -> list[Letter]:
        rows = self._readers.rows(
            "SELECT name, event, reason, error, traceback, attempts, time, waiting, crashes, "
            "letters.number FROM letters JOIN names ON names.number = agent "
            f"{_of(agent)} ORDER BY letters.number",
            () if agent is None else (agent,),
        )
        return [_letter(row) for row in rows]

    def attempts(self, agent: str) -> list[KeepAttempts]:
        rows = self._readers.rows(
            "SELECT event_id, failed, crashes FROM attempts WHERE agent = ?",
            (self._readers.number(agent),),
        )
        return sorted((KeepAttempts(agent, *row) for row in rows), key=attrs.astuple)

    def results(self, agent: str) -> list[Result]:
        rows = self._readers.rows(
            "SELECT event_id, name, value FROM results WHERE agent = ?",
            (self._readers.number(agent),),
        )
        return sorted((Result(*row) for row in rows), key=attrs.astuple)

    def unfinished(self) -> set[str]:
        rows = self._readers.rows(
            "SELECT name FROM names WHERE number IN (SELECT agent FROM timers UNION "
            "SELECT agent FROM letters WHERE waiting = 1 UNION SELECT agent FROM attempts UNION "
            "SELECT agent FROM results)"
        )
        return {name for (name,) in rows}

    def records(
        self, correlation_id: str | None = None, agent: str | None = None
    ) -> Iterator[CaseRecord]:
        if correlation_id is None:
            return self._all_records(agent)
        which, given = ("", ()) if agent is None else (" AND names.name = ?", (agent,))
        rows = self._readers.rows(
            f"{_RECORD} FROM records JOIN names ON number = agent WHERE correlation = ?{which}",
            (correlation_id, *given),
        )
        return iter(sorted(map(_record, rows), key=attrs.astuple))

    def _all_records(self, agent: str | None) -> Iterator[CaseRecord]:
        which, given = ("", ()) if agent is None else (" AND names.name = ?", (agent,))
        after = ("" if agent is None else agent, "", "")
        while rows := self._readers.rows(
            f"{_RECORDS}{which} AND names.name >= ? "
            "AND (names.name, correlation, records.name) > (?, ?, ?) "
            "ORDER BY names.name, correlation, records.name LIMIT ?",
            (*given, after[0], *after, PAGE),
        ):
            yield from map(_record, rows)
            after = rows[-1][:3]

    def interests(self) -> list[KeptInterest]:
        rows = self._readers.rows(
            "SELECT name, since, value, durable FROM interests JOIN names ON number = agent"
        )
        found = [
            KeptInterest(agent, since, bytes(value), bool(durable))
            for agent, since, value, durable in rows
        ]
        return sorted(found, key=lambda one: (one.since, one.agent))

    def last_of_types(self) -> dict[str, int]:
        (count,) = self._readers.rows("SELECT count(*) FROM types")[0]
        if count > TYPES:
            return {}
        rows = self._readers.rows(
            "SELECT name, (SELECT max(position) FROM events WHERE type = name_number) "
            "FROM types JOIN names ON names.number = name_number"
        )
        return {name: last for name, last in rows if last is not None}

    def erasures(self) -> list[Erasure]:
        rows = self._readers.rows("SELECT time, what, reason, events FROM erasures ORDER BY number")
        return [Erasure(*row) for row in rows]

    def history(self) -> Iterator[tuple[Recorded, bytes | None]]:
        for recorded, _, _, digest in self._readers.chain(PAGE):
            yield recorded, digest


def _of(agent: str | None) -> str:
    return "" if agent is None else "WHERE name = ?"


def _snapshot(row: Row) -> Snapshot:
    source, position, code, state = row
    return Snapshot(source, position, code, bytes(state))


def _record(row: Row) -> CaseRecord:
    agent, case, name, value, position = row
    return CaseRecord(agent, case, name, bytes(value), position)


def _letter(row: Row) -> Letter:
    name, blob, reason, error, traceback, attempts, time, waiting, crashes, number = row
    event = event_from(blob)
    return Letter(
        name, event, reason, error, traceback, attempts, time, bool(waiting), crashes, number
    )
