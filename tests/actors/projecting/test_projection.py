"""A projection writes each event once, skips what cannot be written, answers, and goes on."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from choreia import (
    ActorSystem,
    Agent,
    InvalidAgent,
    InvalidEvent,
    MemoryStore,
    Projection,
    ProjectionStatus,
    StoreUnavailable,
    event_type,
    on,
    project,
    projection,
)
from choreia.actors.projecting import track

if TYPE_CHECKING:
    from tests.actors.conftest import Mode, Until
    from tests.actors.projecting.conftest import Numbers, Target


def publish(system: ActorSystem, *numbers: int) -> None:
    system.publish_many([("number.said", {"n": n}) for n in numbers])


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


# -- exactly once, from the beginning ------------------------------------------------------------


def test_it_begins_with_the_log_and_goes_on_where_its_tables_are(
    mode: Mode, store: MemoryStore, target: Target
) -> None:
    with ActorSystem(mode=mode, store=store) as system:
        publish(system, 1, 2)
    for run in range(3):
        with ActorSystem(mode=mode, store=store) as system:
            numbers = target.spawn(system)
            publish(system, 10 + run)
            system.wait_idle()
            assert numbers.ask("?") == target.numbers() == [1, 2, *range(10, 11 + run)]


def test_a_long_log_is_written_in_batches_and_others_are_answered_between_them(
    store: MemoryStore, target: Target
) -> None:
    count = 3 * track.BATCH + 7
    seen: list[int] = []
    with ActorSystem(mode="simulated", store=store) as system:
        publish(system, *range(count))
        numbers = target.spawn(system)
        while len(seen) < 3 or seen[-1] < count:
            seen.append(len(numbers.ask("?")))
    assert len(set(seen)) >= 3, seen
    assert {n % track.BATCH for n in seen[:-1] if n < count} == {0}


def test_whoever_asks_after_an_event_sees_it(
    mode: Mode, store: MemoryStore, target: Target
) -> None:
    with ActorSystem(mode=mode, store=store) as system:
        numbers = target.spawn(system)
        for n in range(20):
            said = system.publish("number.said", {"n": n})
            assert numbers.ask("?", after=said, timeout=20) == list(range(n + 1))
        other = system.publish("something.else")
        assert len(numbers.ask("?", after=system.store.head, timeout=20)) == 20
        for unknown in (system.store.head + 99, attrs.evolve(other, id="x"), -1):
            with pytest.raises(InvalidEvent, match="the log has no such event"):
                numbers.ask("?", after=unknown)


async def _ask(store: MemoryStore, target: Target) -> object:
    async with ActorSystem(store=store) as system:
        ref = system.spawn(target.make().into(target.address))
        event = await system.publish_async("number.said", {"n": 7})
        return await projection(ref).ask_async("?", after=event, timeout=20)


def test_coroutines_ask_too(store: MemoryStore, target: Target) -> None:
    import asyncio

    assert asyncio.run(_ask(store, target)) == [7]


def test_a_question_that_waits_ends_with_its_projection(
    store: MemoryStore, tmp_path: Path, until: Until
) -> None:
    """Though it is killed."""
    import pykka

    class Never(Projection):
        tables = "CREATE TABLE t (n INTEGER)"

        @project("x")
        def write(self, db: Any, event: Any) -> None:
            raise sqlite3.OperationalError("no")

        retry = None

    with ActorSystem(mode="simulated", store=store) as system:
        never = projection(system.spawn(Never.into(tmp_path / "t.db")))
        system.wait_idle()
        system.pause("never")
        system.wait_idle()
        event = system.publish("x")
        reply = never.ask("?", after=event, block=False)
        system.kill("never")
        with pytest.raises(pykka.ActorDeadError):
            reply.get(timeout=5)


# -- what cannot be written -----------------------------------------------------------------------


def test_an_event_that_fails_leaves_nothing_and_others_go_on(
    mode: Mode, store: MemoryStore, target: Target
) -> None:
    cls = target.make(failures=0)
    with ActorSystem(mode=mode, store=store) as system:
        numbers = target.spawn(system, cls)
        publish(system, 1, -2, 3, -4, 5)
        system.wait_idle()
        assert target.numbers() == [1, 3, 5]
        assert cls.failures == 4, "each was tried twice"
        status = numbers.status()
        assert (status.skipped, status.lag, status.rebuilding) == (2, 0, None)
        letters = system.dead_letters()
        assert [one.event.payload["n"] for one in letters if one.event] == [-2, -4]
        assert {(one.agent, one.attempts, one.reason) for one in letters} == {
            ("numbers", 2, "failed")
        }
    with ActorSystem(mode=mode, store=store) as system:
        numbers = target.spawn(system, cls)
        system.wait_idle()
        assert (cls.failures, numbers.status().skipped) == (4, 2), "and is not tried again"


def test_a_failure_that_passes_loses_nothing(
    mode: Mode, store: MemoryStore, target: Target
) -> None:
    tried: list[int] = []

    def write(self: Numbers, db: Any, event: Any) -> None:
        n = event.payload["n"]
        db.execute(self.insert, (n, ""))
        tried.append(n)
        if tried.count(n) == 1:
            raise ValueError("not now")

    with ActorSystem(mode=mode, store=store) as system:
        numbers = target.spawn(system, target.make(write=project("number.*")(write)))
        publish(system, 1, 2, 3)
        system.wait_idle()
        assert target.numbers() == [1, 2, 3]
        assert sorted(tried) == [1, 1, 2, 2, 3, 3]
        assert numbers.status().skipped == 0


def test_a_dead_letter_of_a_projection_is_not_redelivered_but_says_what_to_do(
    store: MemoryStore, target: Target
) -> None:
    with ActorSystem(mode="simulated", store=store) as system:
        target.spawn(system)
        publish(system, -1)
        system.wait_idle()
        [letter] = system.dead_letters()
        system.redeliver(letter)
        system.wait_idle()
        [letter] = system.dead_letters()
        assert "rebuild" in str(letter.error)
        assert target.numbers() == []


def test_a_database_that_is_away_is_waited_for_and_nothing_is_skipped(
    store: MemoryStore, tmp_path: Path, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    class Busy(Projection):
        tables = "CREATE TABLE t (n INTEGER)"

        @project("x")
        def write(self, db: Any, event: Any) -> None:
            db.execute("INSERT INTO t VALUES (1)")

        def answer(self, db: Any, question: Any) -> Any:
            return db.execute("SELECT count(*) FROM t").fetchone()[0]

    with ActorSystem(mode="simulated", store=store) as system:
        busy = projection(system.spawn(Busy.into(tmp_path / "t.db")))
        system.wait_idle()
        place = busy._work._database.serving
        place.db.execute("PRAGMA busy_timeout = 0")  # type: ignore[attr-defined]
        with closing(sqlite3.connect(tmp_path / "t.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            system.publish("x")
            system.advance(20)
            assert busy.ask("?") == 0
            assert (busy.status().lag, busy.status().skipped) == (1, 0)
        system.wait_idle()
        assert busy.ask("?") == 1
        assert [r.message for r in caplog.records if "tries again" in r.message] == [
            "cannot go on, and tries again: OperationalError: database is locked"
        ]


# -- rebuilding -----------------------------------------------------------------------------------


def test_the_old_tables_serve_until_the_new_ones_have_caught_up(
    store: MemoryStore, target: Target
) -> None:
    count = 8 * track.BATCH
    with ActorSystem(mode="simulated", store=store) as system:
        numbers = target.spawn(system)
        publish(system, *range(count))
        system.wait_idle()
        numbers.rebuild()
        assert numbers.ask("?") == target.numbers() == list(range(count))
        progress = numbers.status().rebuilding
        assert progress is not None
        assert 0 <= progress < 1
        event = system.publish("number.said", {"n": count})
        assert numbers.ask("?", after=event)[-1] == count, "kept up to date meanwhile"
        assert numbers.status().rebuilding is not None
        system.wait_idle()
        assert numbers.status() == ProjectionStatus(
            "numbers", event_position(system, event.id), system.store.head, 0, 0, None
        )
        assert target.numbers() == list(range(count + 1))


def event_position(system: ActorSystem, id: str) -> int:
    found = system.store.find(id)
    assert found is not None
    return found.position


@pytest.mark.parametrize("change", ["version", "tables"])
def test_another_shape_is_a_rebuild(store: MemoryStore, target: Target, change: str) -> None:
    with ActorSystem(mode="simulated", store=store) as system:
        target.spawn(system)
        publish(system, *range(3 * track.BATCH))

    other: dict[str, object] = {"version": 2}
    if change == "tables":
        other = {
            "tables": (
                "CREATE TABLE numbers (n INTEGER PRIMARY KEY, note TEXT, twice INTEGER)",
                "CREATE INDEX twos ON numbers (twice)",
                "CREATE VIEW larger AS SELECT n FROM numbers WHERE n > 5",
            ),
            "insert": f"INSERT INTO numbers (n, note, twice) VALUES ({target.sign}, "
            f"{target.sign}, 2)",
        }
    with ActorSystem(mode="simulated", store=store) as system:
        numbers = target.spawn(system, target.make(**other))
        assert len(numbers.ask("?")) == 3 * track.BATCH, "the old ones"
        assert numbers.status().rebuilding is not None
        system.wait_idle()
        assert numbers.status().rebuilding is None
        assert len(target.numbers()) == 3 * track.BATCH
        if change == "tables":
            assert target.rows("SELECT DISTINCT twice FROM numbers") == [(2,)]
            assert len(target.rows("SELECT n FROM larger")) == 3 * track.BATCH - 6
    with ActorSystem(mode="simulated", store=store) as system:  # once more: nothing to do
        assert target.spawn(system, target.make(**other)).status().rebuilding is None
        with pytest.raises(InvalidAgent, match="projection"):
            projection(system.ref("registry"))


def test_a_rebuild_that_is_broken_off_goes_on(store: MemoryStore, target: Target) -> None:
    writes: list[int] = []

    def write(self: Any, db: Any, event: Any) -> None:
        writes.append(event.payload["n"])
        db.execute(self.insert, (event.payload["n"], ""))

    cls = target.make(write=project("number.*")(write))
    count = 4 * track.BATCH
    with ActorSystem(mode="simulated", store=store) as system:
        numbers = target.spawn(system, cls)
        publish(system, *range(count))
        system.wait_idle()
        numbers.rebuild()
        while (numbers.status().rebuilding or 0) < 0.4:
            numbers.ask("?")
        system.kill("numbers")
    assert count < len(writes) < 2 * count
    assert target.numbers() == list(range(count))
    with ActorSystem(mode="simulated", store=store) as system:
        numbers = target.spawn(system, cls)
        assert (numbers.status().rebuilding or 0) > 0
        system.wait_idle()
        assert numbers.status().rebuilding is None
    assert len(writes) == 2 * count, "not from the beginning"
    assert target.numbers() == list(range(count))


def test_what_is_left_of_a_switch_is_not_switched_again(store: MemoryStore, tmp_path: Path) -> None:
    """The process ended between the switch and the old file's end."""
    from choreia.actors.projecting.sqlite import SqliteDatabase

    cls = simple()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteDatabase, "discard", lambda self: None)
        with ActorSystem(mode="simulated", store=store) as system:
            ref = projection(system.spawn(cls.into(tmp_path / "t.db")))
            publish(system, 1)
            ref.rebuild()
    assert (tmp_path / "t.db-rebuild-simple").exists()
    with ActorSystem(mode="simulated", store=store) as system:
        ref = projection(system.spawn(cls.into(tmp_path / "t.db")))
        assert ref.status().rebuilding is None
    assert not (tmp_path / "t.db-rebuild-simple").exists()


def test_another_log_is_a_rebuild(target: Target) -> None:
    for numbers in ([1, 2, 3], [4, 5, 6, 7, 8, 9], [10], []):
        with ActorSystem(mode="simulated", store=MemoryStore(), seed=len(numbers)) as system:
            publish(system, *numbers)
            ref = target.spawn(system)
            system.wait_idle()
            assert ref.ask("?") == target.numbers() == numbers


def test_who_reads_the_file_sees_the_old_tables_or_the_new_ones(
    store: MemoryStore, tmp_path: Path
) -> None:
    path = tmp_path / "t.db"
    with ActorSystem(mode="simulated", store=store) as system:
        ref = projection(system.spawn(simple().into(path)))
        publish(system, 1, 2)
        system.wait_idle()
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM t").fetchone() == (2,)
            publish(system, 3)
            ref.rebuild()
            system.wait_idle()
            assert ref.status().rebuilding is None, "nobody waited for the reader"
            assert reader.execute("SELECT count(*) FROM t").fetchone() == (2,)
            reader.execute("COMMIT")
            assert reader.execute("SELECT count(*) FROM t").fetchone() == (3,)


def test_other_tables_of_the_file_are_left_alone(store: MemoryStore, tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE mine (x)")
        db.execute("INSERT INTO mine VALUES (1)")
        db.commit()
    with ActorSystem(mode="simulated", store=store) as system:
        first = projection(system.spawn(simple().into(path)))
        second = simple(tables="CREATE TABLE u (n INTEGER)", insert="INSERT INTO u VALUES (?)")
        projection(system.spawn(second.into(path), name="second"))
        publish(system, 1, 2)
        system.wait_idle()
        first.rebuild()
    with closing(sqlite3.connect(path)) as db:
        for table, count in (("mine", 1), ("t", 2), ("u", 2), ("choreia_projections", 2)):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)


def test_what_is_copied_is_what_was_rebuilt(store: MemoryStore, tmp_path: Path) -> None:
    """Also what is computed; and triggers, which fired when it was written, do not fire again."""
    cls = simple(
        tables=(
            "CREATE TABLE t (n INTEGER, twice INTEGER AS (2 * n) STORED)",
            "CREATE TABLE noted (n INTEGER)",
            "CREATE TRIGGER notes AFTER INSERT ON t BEGIN INSERT INTO noted VALUES (new.n); END",
            'CREATE INDEX "an index" ON t (twice)',
        ),
        insert="INSERT INTO t (n) VALUES (?)",
    )
    path = tmp_path / "t.db"

    def dump() -> list[str]:
        with closing(sqlite3.connect(path)) as db:
            return [line for line in db.iterdump() if "choreia_projections" not in line]

    with ActorSystem(mode="simulated", store=store) as system:
        ref = projection(system.spawn(cls.into(path)))
        publish(system, 1, 2)
        system.wait_idle()
        before = dump()
        ref.rebuild()
        system.wait_idle()
        assert sorted(dump()) == sorted(before)
        publish(system, 3)
        system.wait_idle()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT n FROM noted ORDER BY n").fetchall() == [(1,), (2,), (3,)]


def simple(**attributes: object) -> type[Projection]:
    class Simple(Projection):
        tables = "CREATE TABLE t (n INTEGER)"
        insert = "INSERT INTO t VALUES (?)"

        @project("number.*")
        def write(self, db: Any, event: Any) -> None:
            db.execute(self.insert, (event.payload["n"],))

    return type("Simple", (Simple,), attributes)


# -- any order of things --------------------------------------------------------------------------


class Anything(RuleBasedStateMachine):
    """However it is published, rebuilt, restarted and changed: the table is what the log says."""

    def __init__(self, in_file: Callable[[Path], Target]) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.target = in_file(Path(self.folder.name))
        self.store = MemoryStore()
        self.version = 1
        self.expected: list[int] = []
        self.bad = self.seed = self.next = 0
        self.begin()

    def begin(self) -> None:
        self.seed += 1
        self.system = ActorSystem(mode="simulated", store=self.store, seed=self.seed)
        self.ref = self.target.spawn(self.system, self.target.make(version=self.version))

    @rule(good=st.lists(st.booleans(), max_size=8))
    def publish(self, good: list[bool]) -> None:
        for one in good:
            self.next += 1
            self.system.publish("number.said", {"n": self.next if one else -self.next})
            self.expected += [self.next] * one
            self.bad += not one

    @rule()
    def rebuild(self) -> None:
        self.ref.rebuild()

    @rule()
    def renew(self) -> None:
        self.system.restart("numbers")

    @rule(steps=st.integers(0, 3))
    def look(self, steps: int) -> None:
        for _ in range(steps):
            seen = self.ref.ask("?")
            assert seen == self.expected[: len(seen)], "a part of the log, from its beginning"

    @rule()
    def settle(self) -> None:
        self.system.wait_idle()
        status = self.ref.status()
        assert self.target.numbers() == self.expected
        assert (status.lag, status.skipped, status.rebuilding) == (0, self.bad, None)

    @rule(drain=st.booleans(), change=st.booleans())
    def again(self, drain: bool, change: bool) -> None:
        self.system.stop(drain=drain)
        self.version += change
        self.begin()

    @invariant()
    def never_twice(self) -> None:
        numbers = self.target.numbers()
        assert numbers == self.expected[: len(numbers)]

    def teardown(self) -> None:
        self.settle()
        self.system.stop()
        self.folder.cleanup()


def test_in_any_order_the_table_is_what_the_log_says(in_file: Callable[[Path], Target]) -> None:
    run_state_machine_as_test(
        cast("type[Anything]", lambda: Anything(in_file)),
        settings=settings(max_examples=25, stateful_step_count=15),
    )


@given(st.lists(st.sampled_from(["a.x", "a.y", "b.x"])), st.sampled_from(["a.*", "a.x", "#.x"]))
@settings(max_examples=25)
def test_the_lag_counts_what_is_to_come(types: list[str], pattern: str) -> None:
    class Counts(Projection):
        tables = "CREATE TABLE t (n INTEGER)"

        @project(pattern, filter={"payload.n": {"$gte": 0}})
        def write(self, db: Any, event: Any) -> None:
            db.execute("INSERT INTO t VALUES (1)")

        def answer(self, db: Any, question: Any) -> Any:
            return db.execute("SELECT count(*) FROM t").fetchone()[0]

    with (
        tempfile.TemporaryDirectory() as folder,
        ActorSystem(mode="simulated", store=MemoryStore()) as system,
    ):
        counts = projection(system.spawn(Counts.into(Path(folder) / "t.db")))
        system.wait_idle()
        system.pause("counts")
        system.wait_idle()
        for type in types:
            system.publish_many([(type, {"n": 1}), (type, {"n": -1})])
        coming = counts.status().lag
        system.resume("counts")
        system.wait_idle()
        assert counts.ask("?") == coming
        assert counts.status().lag == 0


# -- in the system --------------------------------------------------------------------------------


def test_it_holds_up_nobody_else(store: MemoryStore, tmp_path: Path) -> None:
    """There is one worker, and what a projection does in its database is not on its thread."""
    threads: dict[str, set[int]] = {"slow": set(), "quick": set()}

    class Slow(Projection):
        tables = "CREATE TABLE t (n INTEGER)"

        @project("x")
        def write(self, db: Any, event: Any) -> None:
            threads["slow"].add(threading.get_ident())

    class Quick(Agent):
        @on("x")
        def heard(self, event: Any) -> None:
            threads["quick"].add(threading.get_ident())

    with ActorSystem(store=store) as system:
        system.spawn(Slow.into(tmp_path / "t.db"))
        system.spawn(Quick)
        for _ in range(20):
            system.publish("x")
        system.wait_idle()
    assert threads["slow"]
    assert not threads["slow"] & threads["quick"]


def test_typed_payloads_and_news_of_the_runtime(store: MemoryStore, tmp_path: Path) -> None:
    @event_type("projected.thing")
    @attrs.frozen
    class Thing:
        n: int

    seen: list[object] = []

    class Things(Projection):
        tables = "CREATE TABLE t (n INTEGER)"
        retry = None

        @project(Thing)
        def thing(self, db: Any, thing: Thing) -> None:
            seen.append(thing)

        @project("#")
        def everything(self, db: Any, event: Any) -> None:
            seen.append(event.type)

    with ActorSystem(mode="simulated", store=store) as system:
        system.spawn(Things.into(tmp_path / "t.db"))
        things = projection(system.ref("things"))
        system.publish(Thing(3))
        system.wait_idle()
        system.publish("projected.thing", {"n": "no number"})
        system.wait_idle()
        assert seen[:2] == [Thing(3), "projected.thing"], "in their order"
        assert seen[2:] == ["event.dead_lettered"], "and nothing of agent.*"
        assert things.status().skipped == 1


def test_what_was_erased_is_not_in_what_is_rebuilt(store: MemoryStore, target: Target) -> None:
    with ActorSystem(mode="simulated", store=store) as system:
        numbers = target.spawn(system)
        publish(system, 1)
        case = system.publish("number.said", {"n": 2})
        system.wait_idle()
        store.erase(correlation_id=case.id, reason="asked for", now=1.0)
        assert numbers.ask("?") == [1, 2]
        numbers.rebuild()
        system.wait_idle()
        assert numbers.ask("?") == [1]
        assert numbers.status().skipped == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere/t.db", "in a folder that exists"),
        (":memory:", "nobody could read that"),
        (" ", "give the path"),
        (7, "give the path"),
        ("postgresql://%zz", "cannot be read"),
    ],
)
def test_a_database_that_is_none(given: Any, said: str, store: MemoryStore) -> None:
    with (
        ActorSystem(mode="simulated", store=store) as system,
        pytest.raises(InvalidAgent, match=said),
    ):
        system.spawn(simple().into(given))


def test_what_is_wrong_is_said_at_spawn(store: MemoryStore, tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with (
        ActorSystem(mode="simulated") as system,
        pytest.raises(InvalidAgent, match="this system has none"),
    ):
        system.spawn(simple().into(path))
    with ActorSystem(mode="simulated", store=store) as system:
        with pytest.raises(InvalidAgent, match=r"Simple\.into"):
            system.spawn(simple())
        with pytest.raises(InvalidAgent, match="needs tables"):
            system.spawn(simple(tables=()).into(path))
        with pytest.raises(StoreUnavailable, match=r"'simple'.*syntax error"):
            system.spawn(simple(tables="CREATE NOTHING").into(path))
        with pytest.raises(InvalidAgent, match="virtual"):
            system.spawn(simple(tables="create virtual table x using fts5(y)").into(path))
        ref = system.spawn(simple().into(path))
        with pytest.raises(InvalidAgent, match="write answer"):
            ref.ask("?")
        with pytest.raises(InvalidAgent, match="ref of a Projection"):
            projection(7)  # type: ignore[arg-type]


def test_the_store_has_its_file_for_itself(tmp_path: Path) -> None:
    with (
        ActorSystem(mode="simulated", store=tmp_path / "events.db") as system,
        pytest.raises(InvalidAgent, match="event store's own file"),
    ):
        system.spawn(simple().into(tmp_path / "events.db"))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_log_may_be_in_any_store(
    kind: str, mode: Mode, tmp_path: Path, in_file: Any, request: pytest.FixtureRequest
) -> None:
    where: Any = tmp_path / "events.db"
    target = in_file(tmp_path)
    if kind == "postgres":
        server = request.getfixturevalue("postgres")
        from choreia.runtime.stores.postgres import PostgresStore

        where = PostgresStore(server.dsn, schema=server.schema_of(tmp_path))
    for run in range(2):
        with ActorSystem(mode=mode, store=where) as system:
            numbers = target.spawn(system)
            publish(system, run, 10 + run, -1)
            numbers.rebuild()
            system.wait_idle()
            assert numbers.status().skipped == 1 + run
    assert target.numbers() == [0, 1, 10, 11]
    if kind == "postgres":
        where.close()


def test_a_method_that_ends_the_thread_is_a_failure_as_any(
    store: MemoryStore, tmp_path: Path
) -> None:
    class Exits(Projection):
        tables = "CREATE TABLE t (n INTEGER)"

        @project("x")
        def write(self, db: Any, event: Any) -> None:
            raise SystemExit(1)

    with ActorSystem(store=store) as system:
        exits = projection(system.spawn(Exits.into(tmp_path / "t.db"), retry=None))
        system.publish("x")
        system.publish("x")
        system.wait_idle(20)
        assert (exits.status().skipped, exits.status().lag) == (2, 0)


def test_neither_methods_nor_answers_end_the_transaction(
    store: MemoryStore, tmp_path: Path
) -> None:
    class Ends(Projection):
        tables = "CREATE TABLE t (n INTEGER)"
        retry = None

        @project("commit")
        def commit(self, db: Any, event: Any) -> None:
            db.execute("INSERT INTO t VALUES (1)")
            db.commit()

        @project("with")
        def block(self, db: Any, event: Any) -> None:
            with db:
                db.execute("INSERT INTO t VALUES (1)")

        @project("emit")
        def say(self, db: Any, event: Any) -> None:
            self.emit("said")

        def answer(self, db: Any, question: Any) -> Any:
            if question == "write":
                db.execute("INSERT INTO t VALUES (1)")
            return db.execute("SELECT count(*) FROM t").fetchone()[0]

    with ActorSystem(mode="simulated", store=store) as system:
        ends = projection(system.spawn(Ends.into(tmp_path / "t.db")))
        for type in ("commit", "with", "emit"):
            system.publish(type)
        system.wait_idle()
        assert ends.status().skipped == 3
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            ends.ask("write")
        assert ends.ask("?") == 0
