"""The SQLite store against the one in memory, in any order of what one can ask, with crashes.

A crash is: the files as they are, copied, and opened again; the store that had them is let go. It
may come between any two statements of a commit, and any of them may fail.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from choreia import Event, MemoryStore, SqliteStore, StoreUnavailable
from choreia.runtime.stores.base import Selection
from choreia.runtime.stores.jsonl import export, import_into
from choreia.runtime.stores.unit import (
    CancelTimer,
    Change,
    Committed,
    Complete,
    DropLetter,
    DropRecord,
    Forget,
    KeepAttempts,
    KeepInterest,
    KeepLetter,
    KeepRecord,
    KeepResult,
    KeepSnapshot,
    Letter,
    Move,
    Outcome,
    Seat,
    SetTimer,
    Unit,
)

agents = st.sampled_from(["a", "b", "ünïcode"])
ids = st.sampled_from([f"{n:032x}" for n in range(6)] + ["x", "y" * 15, "z" * 32, "A" * 32])
payloads = st.dictionaries(
    st.text(max_size=3),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2),
        max_leaves=4,
    ),
    max_size=2,
)  # fmt: skip
metadata = st.fixed_dictionaries(
    {},
    optional={
        "correlationId": ids,
        "causationId": ids,
        "hops": st.integers(0, 5),
        "version": st.sampled_from(["1.0.0", "2.3.4"]),
        "subject": st.sampled_from(["s", "t"]),
    },
)
events = st.builds(
    Event,
    type=st.sampled_from(["order.placed", "order.paid", "sent"]),
    source=agents.map(lambda name: f"did:choreia:local:{name}"),
    payload=payloads,
    id=ids,
    timestamp=st.floats(0, 1e10) | st.integers(0, 10**10),
    metadata=metadata,
)
keys = st.sampled_from(["k", "l"])
letters = st.builds(
    Letter, agents, events, st.just("failed"), st.text(max_size=3), st.text(max_size=3),
    st.integers(0, 3), st.floats(0, 100), st.booleans(), st.integers(0, 3),
)  # fmt: skip
changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(SetTimer, agents, keys, st.floats(0, 100), events, st.sampled_from(["", "60 s"])),
    st.builds(CancelTimer, agents, keys),
    st.builds(KeepLetter, letters),
    st.builds(DropLetter, agents, ids),
    st.builds(KeepAttempts, agents, ids, st.integers(0, 3), st.integers(0, 3)),
    st.builds(KeepResult, agents, ids, keys, payloads.map(orjson.dumps)),
    st.builds(Forget, agents, ids),
    st.builds(KeepRecord, agents, ids, keys, payloads.map(orjson.dumps)),
    st.builds(DropRecord, agents, ids, keys),
    st.builds(KeepInterest, agents, st.sampled_from([b"", b"1", b"2"]), st.booleans()),
    st.builds(
        KeepSnapshot,
        agents.map(lambda name: f"did:choreia:local:{name}"),
        st.sampled_from(["v1", "v2"]),
        payloads.map(orjson.dumps),
    ),
)
completes = st.builds(
    Complete,
    agents,
    st.integers(1, 2),
    st.lists(st.integers(0, 9), max_size=3, unique=True).map(tuple),
    st.integers(0, 6),
)
units = st.builds(
    lambda events, strict, move, seat, changes, fires, complete: Unit(
        events, [orjson.dumps(one.payload) for one in events], strict=strict, move=move,
        seat=seat, changes=changes, fires=fires, complete=complete,
    ),
    st.lists(events, max_size=3),
    st.booleans(),
    st.none() | st.builds(Move, agents, st.integers(1, 2), st.integers(0, 3), st.integers(0, 9)),
    st.none() | st.builds(Seat, agents, st.sampled_from(["now", "beginning", 2])),
    st.lists(changes, max_size=3),
    st.none() | st.builds(SetTimer, agents, keys, st.floats(0, 100), events),
    st.none() | completes,
)  # fmt: skip


class Dying:
    """A connection that fails at one of its statements; just before, the files may be copied."""

    left: int | None = None
    """Statements until then."""
    copy_to: Path | None = None

    def __init__(self, path: str, **options: Any) -> None:
        self._db = sqlite3.connect(path, **options)
        self._path = Path(path)

    def execute(self, sql: str, *parameters: Any) -> Any:
        if Dying.left is not None and sql != "ROLLBACK":
            if not Dying.left:
                Dying.left = None
                if Dying.copy_to is not None:
                    copy_store(self._path.parent, Dying.copy_to)
                raise sqlite3.OperationalError("disk I/O error")
            Dying.left -= 1
        return self._db.execute(sql, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def copy_store(folder: Path, to: Path) -> None:
    """What a killed process leaves behind."""
    to.mkdir()
    for file in folder.glob("events.db*"):
        if not file.name.endswith("-shm"):  # which SQLite makes anew
            shutil.copy(file, to)


class StoreMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="choreia-"))
        self.generation = 0
        self.running = False
        self.model = MemoryStore()
        self.store = self.opened(self.next_folder())

    def next_folder(self) -> Path:
        self.generation += 1
        return self.folder / str(self.generation)

    def opened(self, folder: Path) -> SqliteStore:
        folder.mkdir(exist_ok=True)
        return SqliteStore(folder / "events.db", connect=Dying)  # type: ignore[arg-type]

    def goes_on_in(self, folder: Path) -> None:
        """The process has died, and left this."""
        self.store.close()
        self.store = self.opened(folder)
        self.model.crash()
        self.running = False

    def teardown(self) -> None:
        Dying.left = Dying.copy_to = None
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(batch=st.lists(units, min_size=1, max_size=4), now=st.floats(0, 1000))
    def commit(self, batch: list[Unit], now: float) -> None:
        self.compare(batch, now, self.store.commit(batch, now))

    def compare(self, batch: list[Unit], now: float, found: list[Outcome]) -> None:
        for one, other in zip(self.model.commit(batch, now), found, strict=True):
            if isinstance(one, Committed):
                assert other == one
            else:
                assert type(other) is type(one)

    @rule(
        batch=st.lists(units, min_size=1, max_size=4),
        now=st.floats(0, 1000),
        after=st.integers(0, 12),
        dies=st.booleans(),
    )
    def fail_or_die_in_a_commit(
        self, batch: list[Unit], now: float, after: int, dies: bool
    ) -> None:
        Dying.left, Dying.copy_to = after, self.next_folder() if dies else None
        left = Dying.copy_to
        try:
            found = self.store.commit(batch, now)
        except StoreUnavailable:  # then nothing has happened
            if left is not None:
                self.goes_on_in(left)
            return
        finally:
            Dying.left = Dying.copy_to = None
        self.compare(batch, now, found)

    @rule(agent=agents, ahead=st.integers(0, 3))
    def move_as_one_should(self, agent: str, ahead: int) -> None:
        for cursor in self.model.cursors():
            if cursor.agent == agent:
                to = cursor.position + ahead
                self.commit([Unit(move=Move(agent, cursor.epoch, cursor.position, to))], 1.0)

    @rule(
        agent=agents,
        ahead=st.lists(st.integers(1, 6), max_size=3, unique=True),
        low=st.integers(0, 4),
    )
    def complete_as_one_should(self, agent: str, ahead: list[int], low: int) -> None:
        for cursor in self.model.cursors():
            if cursor.agent == agent:
                positions = tuple(cursor.position + one for one in ahead)
                unit = Complete(agent, cursor.epoch, positions, cursor.position + low)
                self.commit([Unit(complete=unit)], 1.0)

    @rule(key=keys, agent=agents)
    def fire_as_one_should(self, key: str, agent: str) -> None:
        for timer in self.model.timers(agent):
            if timer.key == key:
                self.commit([Unit(fires=timer)], 1.0)

    @rule(case=ids)
    def erase_a_case(self, case: str) -> None:
        arguments: dict[str, Any] = {"correlation_id": case, "reason": "asked", "now": 5.0}
        assert self.store.erase(**arguments) == self.model.erase(**arguments)

    @rule()
    def erase_a_subject(self) -> None:
        arguments: dict[str, Any] = {"subject": "s", "reason": "asked", "now": 5.0}
        assert self.store.erase(**arguments) == self.model.erase(**arguments)

    @rule()
    def crash(self) -> None:
        copy = self.next_folder()
        copy_store(self.store.path.parent, copy)
        self.goes_on_in(copy)

    @rule()
    def close_and_open(self) -> None:
        self.goes_on_in(self.store.path.parent)

    @rule()
    def compact(self) -> None:
        self.store.compact()

    @precondition(lambda self: not self.running)
    @rule()
    def open_run(self) -> None:
        assert self.store.open_run(1.0) == self.model.open_run(1.0)
        self.running = True

    @precondition(lambda self: self.running)
    @rule()
    def close_run(self) -> None:
        for store in (self.store, self.model):
            store.in_hand(frozenset())
            store.close_run()
        self.running = False

    @precondition(lambda self: self.running)
    @rule(deliveries=st.frozensets(st.tuples(agents, ids), max_size=3))
    def in_hand(self, deliveries: frozenset[tuple[str, str]]) -> None:
        self.store.in_hand(deliveries)
        self.model.in_hand(deliveries)

    @precondition(lambda self: self.model.head > 0)
    @rule()
    def export_and_import(self) -> None:
        lines = list(export(self.store))
        copy = self.opened(self.next_folder())
        try:
            import_into(copy, lines)
            assert list(export(copy)) == lines
            assert copy.verify() == self.store.verify()
        finally:
            copy.close()

    @rule(
        pattern=st.sampled_from(["#", "order.*", "sent", "*"]),
        source=st.none() | agents.map(lambda name: f"did:choreia:local:{name}"),
        case=st.none() | ids,
        after=st.integers(0, 5),
        limit=st.integers(1, 4),
    )
    def select(
        self, pattern: str, source: str | None, case: str | None, after: int, limit: int
    ) -> None:
        selection = Selection((pattern,), source, case)
        assert self.store.page(after, limit, selection) == self.model.page(after, limit, selection)

    @rule(case=st.none() | ids, agent=st.none() | agents)
    def look_for_records(self, case: str | None, agent: str | None) -> None:
        assert list(self.store.records(case, agent)) == list(self.model.records(case, agent))

    @rule(before=st.none() | st.integers(0, 9), limit=st.integers(0, 4))
    def look_for_cases(self, before: int | None, limit: int) -> None:
        some, wanted = (
            store.cases(before=before, limit=limit) for store in (self.store, self.model)
        )
        assert some == wanted

    @rule(time=st.floats(0, 1000))
    def look_for_a_time(self, time: float) -> None:
        assert self.store.position_at(time) == self.model.position_at(time)

    @invariant()
    def they_say_the_same(self) -> None:
        if hasattr(self, "store"):
            assert list(export(self.store)) == list(export(self.model))
            assert list(self.store.read()) == list(self.model.read())
            assert self.store.info().clean == self.model.info().clean

    @invariant()
    def it_is_whole(self) -> None:
        if hasattr(self, "store"):
            verdict = self.store.verify()
            assert verdict.whole, verdict
            assert verdict == self.model.verify()


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
