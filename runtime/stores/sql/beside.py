"""Writing what a unit changes beside the log: a statement for each."""

from __future__ import annotations

from collections.abc import Callable

from choreia.runtime.stores.sql.connection import Connection
from choreia.runtime.stores.sql.rows import event_blob
from choreia.runtime.stores.unit import (
    CancelTimer,
    CaseRecord,
    Change,
    DropLetter,
    DropRecord,
    Forget,
    KeepAttempts,
    KeepInterest,
    KeepLetter,
    KeepRecord,
    KeepResult,
    KeepSnapshot,
    KeptInterest,
    SetTimer,
    Snapshot,
)

# Nothing is asked, so that a server is not waited for: thousands of agents begin at a time.
_IS_LAST = (
    "EXISTS (SELECT 1 FROM interests AS last WHERE last.agent = ? AND last.value = ? "
    "AND (last.durable = ? OR length(last.value) = 0) "
    "AND last.since = (SELECT max(since) FROM interests WHERE agent = ?))"
)
_FORGET_LATER = f"DELETE FROM interests WHERE agent = ? AND since >= ? AND NOT {_IS_LAST}"
_KEEP_INTEREST = f"INSERT INTO interests SELECT ?, ?, ?, ? WHERE NOT {_IS_LAST}"
_KEEP_END = f"{_KEEP_INTEREST} AND EXISTS (SELECT 1 FROM interests WHERE agent = ?)"
_END_WITH_RUN = (
    "SELECT agent FROM interests WHERE durable = 0 AND length(value) > 0 AND since = "
    "(SELECT max(since) FROM interests AS later WHERE later.agent = interests.agent)"
)


def keep_interest(db: Connection, agent: int, since: int, value: bytes, durable: bool) -> None:
    same = (agent, value, int(durable), agent)
    db.execute(_FORGET_LATER, (agent, since, *same))
    row = (agent, since, value, int(durable))
    if value:
        db.execute(_KEEP_INTEREST, (*row, *same))
    else:
        db.execute(_KEEP_END, (*row, *same, agent))


def end_interests(db: Connection, head: int) -> None:
    """Those that end with a run."""
    for (agent,) in db.execute(_END_WITH_RUN).fetchall():
        keep_interest(db, agent, head, b"", durable=False)


class Beside:
    """Hold the transaction."""

    def __init__(self, db: Connection, number: Callable[[str], int]) -> None:
        """`number` gives a name's number, and a new name one."""
        self._db = db
        self._number = number

    def snapshot(self, snapshot: Snapshot) -> None:
        """Keep it, in place of the one before."""
        self._db.execute(
            "INSERT INTO snapshots VALUES (?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET "
            "position = excluded.position, code = excluded.code, state = excluded.state",
            (self._number(snapshot.source), snapshot.position, snapshot.code, snapshot.state),
        )

    def record(self, record: CaseRecord) -> None:
        """Keep it, in place of the one before."""
        self._db.execute(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?) ON CONFLICT (correlation, agent, name) "
            "DO UPDATE SET value = excluded.value, position = excluded.position",
            (
                self._number(record.agent), record.correlation_id, record.name, record.value,
                record.position,
            ),
        )  # fmt: skip

    def interest(self, kept: KeptInterest) -> None:
        """Let it be the last one, unless it is that already."""
        keep_interest(self._db, self._number(kept.agent), kept.since, kept.value, kept.durable)

    def change(self, change: Change) -> None:  # one line for each kind
        run, agent = self._db.execute, self._number
        match change:
            case SetTimer():
                run(
                    "INSERT INTO timers VALUES (?, ?, ?, ?, ?) ON CONFLICT (agent, key) DO UPDATE "
                    "SET due = excluded.due, event = excluded.event, schedule = excluded.schedule",
                    (
                        agent(change.agent), change.key, change.due, event_blob(change.event),
                        change.schedule,
                    ),
                )  # fmt: skip
            case CancelTimer():
                run(
                    "DELETE FROM timers WHERE agent = ? AND key = ?",
                    (agent(change.agent), change.key),
                )
            case KeepLetter(letter):
                run(
                    "INSERT INTO letters (agent, event_id, event, reason, error, traceback, "
                    "attempts, time, waiting, crashes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (agent, event_id) DO UPDATE SET event = excluded.event, "
                    "reason = excluded.reason, error = excluded.error, "
                    "traceback = excluded.traceback, attempts = excluded.attempts, "
                    "time = excluded.time, waiting = excluded.waiting, crashes = excluded.crashes",
                    (
                        agent(letter.agent), letter.event.id, event_blob(letter.event),
                        letter.reason, letter.error, letter.traceback, letter.attempts,
                        letter.time, int(letter.waiting), letter.crashes,
                    ),
                )  # fmt: skip
            case DropLetter():
                run(
                    "DELETE FROM letters WHERE agent = ? AND event_id = ?",
                    (agent(change.agent), change.event_id),
                )
            case KeepAttempts():
                run(
                    "INSERT INTO attempts VALUES (?, ?, ?, ?) ON CONFLICT (agent, event_id) "
                    "DO UPDATE SET failed = excluded.failed, crashes = excluded.crashes",
                    (agent(change.agent), change.event_id, change.failed, change.crashes),
                )
            case KeepResult():
                run(
                    "INSERT INTO results VALUES (?, ?, ?, ?) ON CONFLICT (agent, event_id, name) "
                    "DO UPDATE SET value = excluded.value",
                    (agent(change.agent), change.event_id, change.name, change.value),
                )
            case Forget():
                for table in ("attempts", "results"):
                    run(
                        f"DELETE FROM {table} WHERE agent = ? AND event_id = ?",
                        (agent(change.agent), change.event_id),
                    )
            case DropRecord():
                run(
                    "DELETE FROM records WHERE correlation = ? AND agent = ? AND name = ?",
                    (change.correlation_id, agent(change.agent), change.name),
                )
            case KeepRecord() | KeepInterest() | KeepSnapshot():
                raise AssertionError("kept where the unit's last position is known")
