"""A batch of units, written in one transaction.

Positions, links and cursors are worked out first, from what the writer knows; so a batch is a few
statements, whatever its size. What it knows changes only when the transaction is on disk.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.chain import digest_of, link
from choreia.runtime.stores.refusals import (
    begins_at,
    duplicate,
    interest_of,
    not_set,
    stale,
    stale_family,
)
from choreia.runtime.stores.sql.beside import Beside
from choreia.runtime.stores.sql.connection import Connection, Row
from choreia.runtime.stores.sql.known import CASES, IdTaken, Known
from choreia.runtime.stores.sql.rows import (
    COLUMNS,
    event_from,
    events_of,
    insert_many,
    names_of,
    pack,
    row_of,
)
from choreia.runtime.stores.unit import (
    CancelTimer,
    CaseRecord,
    Change,
    Committed,
    Complete,
    KeepInterest,
    KeepRecord,
    KeepSnapshot,
    Outcome,
    Seated,
    SetTimer,
    Snapshot,
    Unit,
)

_ASKED = 500
"""Ids that are looked up in one statement."""


class Batch:
    """One attempt at writing `units`. Hold the transaction."""

    def __init__(self, db: Connection, known: Known, now: float) -> None:
        self._db = db
        self.head, self.link, self.at = known.head, known.link, max(known.at, float(now))
        self._known = known
        self.beside = Beside(db, self.number)
        self.names: dict[str, int] = {}
        """Those that are new, or were looked up."""
        self.last_name = known.last_name
        self.types: set[str] = set()
        """Those that are new."""
        self.seats: dict[str, tuple[int, int]] = {}
        """Those that changed."""
        self.cases: set[str] = set()
        """Some of those that began, as far as is known."""
        self._beginnings: list[Row] = []
        self._rows: list[Row] = []
        self._fresh: list[Row] = []
        """Names that are still to be written."""
        self._absent: set[str] = set()
        """Names that were looked up, and are not there unless they are in `names`."""
        self._completed: dict[str, list[int]] = {}
        self._added: dict[str, tuple[Recorded, bytes]] = {}
        self._stand: dict[str, tuple[Recorded, bytes]] = {}
        """What stands in the log under ids of this batch, if it was looked up."""

    def write(self, units: Sequence[Unit], *, carefully: bool) -> list[Outcome]:
        """Write all. Raises `IdTaken` unless `carefully`."""
        if carefully:
            self._look_up([event.id for unit in units for event in unit.events])
        self._look_up_names({event.source for unit in units for event in unit.events})
        outcomes = [self._happen(unit) for unit in units]
        self.flush()
        cursors = [(self.number(agent), *seat) for agent, seat in self.seats.items()]
        insert_many(
            self._db,
            "INSERT INTO cursors (agent, epoch, position)",
            3,
            cursors,
            "ON CONFLICT (agent) DO UPDATE "
            "SET epoch = excluded.epoch, position = excluded.position",
        )
        self._keep_completed()
        self._write_names()
        return outcomes

    def _keep_completed(self) -> None:
        """Only what the batch leaves above the cursors, which in good times is nothing."""
        rows: list[Row] = []
        for agent, positions in self._completed.items():
            number, low = self.number(agent), self.seats[agent][1]
            self._db.execute(
                "DELETE FROM completed WHERE agent = ? AND position <= ?", (number, low)
            )
            rows += [(number, position) for position in positions if position > low]
        insert_many(self._db, "INSERT INTO completed", 2, rows, "ON CONFLICT DO NOTHING")

    @property
    def waiting(self) -> int:
        """Events that are not in the file yet."""
        return len(self._rows)

    def flush(self) -> None:
        """Write the events, and the names they refer to. Raises `IdTaken`."""
        self._write_names()
        self._write_beginnings()
        rows, self._rows = self._rows, []
        try:
            insert_many(self._db, f"INSERT INTO events ({COLUMNS}, link, digest)", 14, rows)
        except self._db.IntegrityError as error:
            raise IdTaken from error

    def restore(self, recorded: Recorded, digest: bytes | None) -> None:
        """Append an event as it stood in another log; `digest` of what was erased."""
        body = orjson.dumps(recorded.event.payload)
        found = digest_of(body) if digest is None else digest
        self.head, self.at = recorded.position, recorded.at
        self.link = link(self.link, self.head, recorded.at, recorded.flags, recorded.event, found)
        self._rows.append((*row_of(recorded, body, self.link, self.number), digest))
        self._note(recorded)

    def _look_up(self, ids: list[str]) -> None:
        for place in range(0, len(ids), _ASKED):
            asked = [pack(id) for id in ids[place : place + _ASKED]]
            rows = self._db.execute(
                f"SELECT {COLUMNS}, digest FROM events WHERE id IN ({','.join('?' * len(asked))})",
                asked,
            ).fetchall()
            names = names_of(self._db, rows)
            for *row, digest in rows:
                recorded = events_of([tuple(row)], names)[0]
                self._stand[recorded.event.id] = (recorded, digest or digest_of(row[10]))

    # -- one unit ---------------------------------------------------------------------------

    def _happen(self, unit: Unit) -> Outcome:
        """Checked first, written then: a unit that is refused has touched nothing."""
        error = self._refusal(unit)
        if error is not None:
            return error
        before = self.head
        recorded: dict[int, Recorded] = {}
        repeated: set[int] = set()
        conflicts: list[Event] = []
        for event, body in zip(unit.events, unit.bodies, strict=True):
            stands = self._stand.get(event.id) or self._added.get(event.id)
            if stands is None:
                one = self._append(event, body, unit.flags)
                recorded[one.position] = one
            elif (
                stands[0].event.type == event.type and stands[1] == digest_of(body)
            ) or self._says_the_same(stands[0], event):
                recorded[stands[0].position] = stands[0]
                repeated.add(stands[0].position)
            else:
                conflicts.append(event)
        if unit.move is not None:
            self.seats[unit.move.agent] = (unit.move.epoch, unit.move.after)
        if unit.complete is not None:
            self._complete(unit.complete)
        seated = self._seat(unit)
        if unit.fires is not None:
            self.beside.change(CancelTimer(unit.fires.agent, unit.fires.key))
        for change in unit.changes:
            if isinstance(change, KeepInterest):
                self.beside.interest(interest_of(change, unit, seated, self.head))
            else:
                self._change(change, fresh=not conflicts and not repeated)
        old = frozenset(position for position in repeated if position <= before)
        return Committed(tuple(recorded.values()), old, tuple(conflicts), seated)

    def _change(self, change: Change, *, fresh: bool) -> None:
        """What is kept with a position is kept with the last of the unit."""
        match change:
            case KeepSnapshot(source, code, state):
                if fresh and source not in self._known.erased:
                    self.beside.snapshot(Snapshot(source, self.head, code, state))
            case KeepRecord(agent, case, name, value):
                self.beside.record(CaseRecord(agent, case, name, value, self.head))
            case _:
                self.beside.change(change)

    def _says_the_same(self, stands: Recorded, event: Event) -> bool:
        """With its keys in another order, perhaps."""
        same = stands.event.type == event.type and stands.event.payload == event.payload
        return same and not stands.erased

    def _refusal(self, unit: Unit) -> ChoreiaError | None:
        move, fires = unit.move, unit.fires
        if move is not None and self._seat_of(move.agent) != (move.epoch, move.before):
            return stale(move.agent)
        if unit.complete is not None:
            fault = stale_family(unit.complete, self._seat_of(unit.complete.agent))
            if fault is not None:
                return fault
        if fires is not None and self._timer_event(fires) != fires.event.id:
            return not_set(fires)
        if unit.strict:
            own: dict[str, Event] = {}
            for event, body in zip(unit.events, unit.bodies, strict=True):
                stands = self._stand.get(event.id) or self._added.get(event.id)
                if stands is not None:
                    same = stands[0].event.type == event.type and stands[1] == digest_of(body)
                    if not same and not self._says_the_same(stands[0], event):
                        return duplicate(stands[0].event, event)
                earlier = own.setdefault(event.id, event)
                if (earlier.type, earlier.payload) != (event.type, event.payload):
                    return duplicate(earlier, event)
        return None

    def _append(self, event: Event, body: bytes, flags: int) -> Recorded:
        self.head += 1
        recorded = Recorded(self.head, event, self.at, flags)
        digest = digest_of(body)
        self.link = link(self.link, self.head, self.at, flags, event, digest)
        self._rows.append((*row_of(recorded, body, self.link, self.number), None))
        self._note(recorded)
        self._added[event.id] = (recorded, digest)
        return recorded

    def _note(self, recorded: Recorded) -> None:
        """Its type, and that its case may begin with it."""
        self._type(recorded.event.type)
        case = recorded.case
        if recorded.live or case in self._known.cases or case in self.cases:
            return
        if len(self.cases) >= CASES:
            self.cases.clear()
        self.cases.add(case)
        self._beginnings.append((recorded.position,))

    def _write_beginnings(self) -> None:
        rows, self._beginnings = self._beginnings, []
        insert_many(self._db, "INSERT INTO beginnings", 1, rows)

    def number(self, name: str) -> int:
        number = self._number(name)
        if number is None:
            number = self.names[name] = self.last_name = self.last_name + 1
            self._fresh.append((number, name))
        return number

    def _look_up_names(self, wanted: set[str]) -> None:
        """Of those that are not known: many in one statement, for keyed agents are many sources."""
        unknown = [name for name in wanted if name not in self._known.names]
        for place in range(0, len(unknown), _ASKED):
            some = unknown[place : place + _ASKED]
            marks = ",".join("?" * len(some))
            rows = self._db.execute(
                f"SELECT name, number FROM names WHERE name IN ({marks})", some
            ).fetchall()
            self.names.update(rows)
            self._absent.update(some)

    def _write_names(self) -> None:
        rows, self._fresh = self._fresh, []
        insert_many(self._db, "INSERT INTO names", 2, rows)

    def _number(self, name: str) -> int | None:
        number = self._known.names.get(name) or self.names.get(name)
        if number is None and self._known.last_name and name not in self._absent:
            found = self._db.execute("SELECT number FROM names WHERE name = ?", (name,)).fetchone()
            if found is not None:
                number = self.names[name] = found[0]
        return number

    def _type(self, type: str) -> None:
        if type not in self._known.types and type not in self.types:
            self.types.add(type)
            number = len(self._known.types) + len(self.types)
            self._db.execute("INSERT INTO types VALUES (?, ?)", (number, self.number(type)))

    # -- cursors and timers -----------------------------------------------------------------

    def _seat_of(self, agent: str) -> tuple[int, int] | None:
        return self.seats.get(agent) or self._known.seats.get(agent) or self._stored_seat(agent)

    def _stored_seat(self, agent: str) -> tuple[int, int] | None:
        number = self._number(agent)
        found: tuple[int, int] | None = self._db.execute(
            "SELECT epoch, position FROM cursors WHERE agent = ?", (number,)
        ).fetchone()
        return found

    def _complete(self, complete: Complete) -> None:
        agent = complete.agent
        stands = self._seat_of(agent)
        assert stands is not None, "it was compared before"
        self.seats[agent] = (complete.epoch, max(stands[1], complete.low))
        self._completed.setdefault(agent, []).extend(complete.positions)

    def _seat(self, unit: Unit) -> Seated | None:
        if unit.seat is None:
            return None
        agent = unit.seat.agent
        stands = self._seat_of(agent)
        epoch, position = stands or (0, begins_at(unit.seat.start, self.head))
        self.seats[agent] = (epoch + 1, position)
        return Seated(epoch + 1, position, stands is None)

    def _timer_event(self, timer: SetTimer) -> str | None:
        found = self._db.execute(
            "SELECT event FROM timers WHERE agent = ? AND key = ?",
            (self._number(timer.agent), timer.key),
        ).fetchone()
        return None if found is None else event_from(found[0]).id
