"""Tracks write what the log says, whoever else writes, and whatever comes meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreia import MemoryStore, Projection, project
from choreia.actors.projecting.marks import Method, Methods
from choreia.actors.projecting.opening import open_database
from choreia.actors.projecting.tables import Database
from choreia.actors.projecting.work import Work
from choreia.runtime.stores.base import EVERYTHING, Selection
from choreia.runtime.stores.conformance.making import append, event

if TYPE_CHECKING:
    from choreia import Event
    from choreia.runtime.events.recorded import Recorded
    from tests.actors.projecting.conftest import Target

TABLES = ("CREATE TABLE numbers (n INTEGER)",)


class Numbers(Projection):
    @project("number")
    def write(self, db: Any, event: Event) -> None: ...


class Writing:
    """Writes without an agent."""

    def __init__(self, sign: str) -> None:
        self.insert = f"INSERT INTO numbers VALUES ({sign})"
        self.fails: int | None = None

    def write(self, method: Method, db: Any, event: Event) -> None:
        db.execute(self.insert, (event.payload["n"],))
        if event.payload["n"] == self.fails:
            raise ValueError(self.fails)

    def patience(self, event: Event, error: BaseException, made: int) -> float | None:
        return 0.5 if made < 2 else None

    def skipped(self, event: Event, error: BaseException, made: int) -> None: ...


def work_on(store: MemoryStore, target: Target, writing: Writing | None = None) -> Work:
    writing = writing or Writing(target.sign)
    return Work(store, Methods(Numbers), writing, database_of(target), "shape")


def database_of(target: Target) -> Database:
    return open_database(target.address, "numbers", TABLES)


def number(n: int) -> Event:
    return event("number", {"n": n}, id=f"number-{n}")


def ended(work: Work) -> Work:
    while work.step() is not None:
        pass
    return work


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@settings(max_examples=30)
@given(steps=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 40), st.integers(0, 9))))
def test_two_that_write_the_same_tables_write_each_event_once(
    in_file: Callable[[Path], Target], steps: list[tuple[int, int, int]]
) -> None:
    """An instance that was thought to be gone, and the one in its place."""
    with tempfile.TemporaryDirectory() as folder:
        target, store, count = in_file(Path(folder)), MemoryStore(), 0
        works = [work_on(store, target), work_on(store, target)]
        for who, more, rebuild in steps:
            append(store, *(number(n) for n in range(count, count + more)))
            count += more
            if rebuild == 0 and who == 0:  # one of them only: the other has to find out
                works[0].rebuild()
            works[who].step()
            numbers = [n for (n,) in target.rows("SELECT n FROM numbers")]
            assert numbers == list(range(len(numbers)))
        for work in works:
            ended(work)
            work._database.close()
        assert target.numbers() == list(range(count))


def test_what_is_recorded_while_it_reads_is_not_missed(target: Target) -> None:
    class Busy(MemoryStore):
        late: tuple[Event, ...] = ()

        def page(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Recorded]:
            found = super().page(after, limit, selection)
            late, self.late = self.late, ()
            append(self, *late)
            return found

    store = Busy()
    work = ended(work_on(store, target))
    append(store, number(1))
    store.late = (number(2),)
    ended(work)
    assert not work.reached(2)
    ended(work)
    assert work.reached(2)
    assert target.numbers() == [1, 2]
    work._database.close()


def test_what_comes_before_a_failure_is_kept_and_it_is_tried_after_a_while(
    store: MemoryStore, target: Target
) -> None:
    writing = Writing(target.sign)
    work = ended(work_on(store, target, writing))
    append(store, *(number(n) for n in range(4)))
    writing.fails = 2
    assert work.step() == 0.5
    assert target.numbers() == [0, 1]
    assert work.step() is None
    assert target.numbers() == [0, 1, 3]
    assert work.serving is not None
    assert work.serving.standing.skipped == 1
    work._database.close()


@pytest.mark.parametrize("target", ["postgres"], indirect=True)  # a file has no sessions
def test_a_session_that_is_lost_is_not_the_events_fault(store: MemoryStore, target: Target) -> None:

    class Lost(Writing):
        lost = False

        def write(self, method: Method, db: Any, event: Event) -> None:
            super().write(method, db, event)
            if not self.lost:
                self.lost = True
                db.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    import psycopg

    work = work_on(store, target, Lost(target.sign))
    append(store, number(1), number(2))
    with pytest.raises(psycopg.OperationalError):
        work.step()
    assert target.numbers() == []
    ended(work)
    assert target.numbers() == [1, 2]
    assert work.serving is not None
    assert work.serving.standing.skipped == 0
    work._database.close()


@pytest.mark.parametrize(
    "target", ["postgres"], indirect=True
)  # a file's readers have it as it was
def test_who_reads_the_old_tables_does_not_hold_up_the_switch(
    store: MemoryStore, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's `DROP` waits for readers; the switch is done before it."""
    import psycopg

    from choreia.actors.projecting import postgres

    monkeypatch.setitem(postgres._SETTINGS, "lock_timeout", "50")
    work = work_on(store, target)
    append(store, number(1))
    ended(work)
    with psycopg.connect(target.address) as reader:
        assert reader.execute("SELECT n FROM numbers.numbers").fetchall() == [(1,)]
        append(store, number(2))
        work.rebuild()
        ended(work)
        assert target.numbers() == [1, 2]
    work.rebuild()
    ended(work)
    assert target.rows("SELECT 1 FROM pg_namespace WHERE nspname ~ '^numbers_'") == []
    work._database.close()
