"""The PostgreSQL store keeps the contract, also when sessions, servers and rivals come and go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from choreia.runtime.errors import (
    InvalidStore,
    StoreDamaged,
    StoreError,
    StoreLocked,
    StoreUnavailable,
)
from choreia.runtime.stores.base import EventStore, Selection
from choreia.runtime.stores.conformance import StoreConformance
from choreia.runtime.stores.conformance.making import ODD, append, committed, event, unit
from choreia.runtime.stores.postgres import PostgresStore
from choreia.runtime.stores.unit import (
    KeepAttempts,
    KeepLetter,
    KeepResult,
    Letter,
    Move,
    Result,
    Seat,
    SetTimer,
    Unit,
)

if TYPE_CHECKING:
    from tests.runtime.stores.conftest import PostgresServer

Open = Callable[..., PostgresStore]


class TestPostgres(StoreConformance):
    @pytest.fixture(autouse=True)
    def use(self, postgres: PostgresServer) -> None:
        self.server = postgres

    def make(self, folder: Path) -> EventStore:
        return PostgresStore(self.server.dsn, schema=self.server.schema_of(folder))


@pytest.fixture
def schema(postgres: PostgresServer, tmp_path: Path) -> str:
    return postgres.schema_of(tmp_path)


@pytest.fixture
def open_store(postgres: PostgresServer, schema: str) -> Iterator[Open]:
    """Opens the test's store, and closes it in the end."""
    with ExitStack() as opened:

        def open_store(**options: Any) -> PostgresStore:
            store = PostgresStore(postgres.dsn, **{"schema": schema, **options})
            return opened.enter_context(closing(store))

        yield open_store


Run = Callable[..., list[Any]]


@pytest.fixture
def run(postgres: PostgresServer, schema: str) -> Iterator[Run]:
    """Runs SQL in a session of somebody else's."""
    import psycopg

    with psycopg.connect(postgres.dsn, autocommit=True) as db:
        db.execute("SELECT set_config('search_path', %s, false)", (schema,))

        def run(sql: str, *parameters: object) -> list[Any]:
            cursor = db.execute(sql.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

        yield run


HOLDERS = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"


def end_sessions(run: Run) -> None:
    """The server ends the sessions of whoever writes."""
    assert run(HOLDERS)
    while run("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"):
        time.sleep(0.002)


def texts(store: EventStore) -> list[object]:
    return [one.event.payload["n"] for one in store.read()]


def publish(store: EventStore, n: int) -> None:
    [outcome] = store.commit([unit(event(payload={"n": n}))], 1.0)
    assert len(committed(outcome).recorded) == 1


# -- one writer -----------------------------------------------------------------------------------


def test_a_second_writer_is_refused_and_told_what_to_do(open_store: Open) -> None:
    open_store()
    with pytest.raises(StoreLocked, match=r"this process.*web server.*store_wait") as refused:
        open_store()
    assert refused.value.pid == os.getpid()
    store = open_store(schema="another_store")
    store.open_run(1.0)
    with pytest.raises(StoreLocked, match="stop it first"):
        store.open_run(1.0)


def test_a_second_writer_may_wait(open_store: Open) -> None:
    first = open_store()
    append(first, event(id="first"))
    waiting = threading.Timer(0.6, first.close)
    waiting.start()
    second = open_store(wait=30)
    waiting.join()
    assert append(second, event(id="second")) == [2]


HOLDER = """
import os, sys, time
from choreia.runtime.stores.postgres import PostgresStore
store = PostgresStore(sys.argv[1], schema=sys.argv[2])
if sys.argv[3] == "fork" and not os.fork():
    print(os.getpid(), flush=True)
    time.sleep(60)
elif sys.argv[3] != "fork":
    print(os.getpid(), flush=True)
time.sleep(60)
"""


def hold(postgres: PostgresServer, schema: str, how: str) -> tuple[subprocess.Popen[str], int]:
    """Another process that has the store, or whose child was forked while it had."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, postgres.dsn, schema, how],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    return holder, int(holder.stdout.readline())


def kill(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert holder.stdout is not None
    holder.stdout.close()


def test_another_process_is_named_and_its_lock_ends_with_it(
    postgres: PostgresServer, schema: str, open_store: Open
) -> None:
    holder, pid = hold(postgres, schema, "alone")
    with pytest.raises(StoreLocked, match=f"process {pid} has") as refused:
        open_store()
    assert refused.value.pid == pid
    kill(holder)
    assert open_store().head == 0


def test_a_child_does_not_keep_the_lock_of_a_parent_that_was_killed(
    postgres: PostgresServer, schema: str, open_store: Open
) -> None:
    holder, child = hold(postgres, schema, "fork")
    kill(holder)
    try:
        assert open_store().head == 0
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_forked_child_cannot_use_the_store_and_does_the_parent_no_harm(
    open_store: Open,
) -> None:
    store = open_store()
    append(store, event())
    child = os.fork()
    if not child:
        code = 1
        try:
            store.commit([unit(event())], 1.0)
        except StoreUnavailable as error:
            code = 0 if "forked" in str(error) and len(list(store.read())) == 1 else 2
            store.close()
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert append(store, event()) == [2]
    assert len(list(store.read())) == 2


def test_readers_beside_a_writer(open_store: Open) -> None:
    with pytest.raises(InvalidStore, match="no event store in schema"):
        open_store(readonly=True)
    writer = open_store()
    reader = open_store(readonly=True)
    append(writer, event(source="a"))
    assert reader.head == 1
    assert [one.position for one in reader.read(pattern="#", source="a")] == [1]
    for write in (
        lambda: reader.commit([unit(event())], 1.0),
        lambda: reader.erase(subject="x", reason="asked", now=1.0),
        lambda: reader.open_run(1.0),
        reader.compact,
    ):
        with pytest.raises(StoreUnavailable, match="readonly"):
            write()
    assert reader.verify().whole


def test_a_page_does_not_miss_a_type_that_is_new_while_it_is_read(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from choreia.runtime.stores.postgres.readers import ServerReaders

    writer, reader = open_store(), open_store(readonly=True)
    append(writer, event("order.placed"))
    assert len(list(reader.read(pattern="order.*"))) == 1
    ask = ServerReaders._ask

    def ask_late(self: ServerReaders, *arguments: Any) -> Any:
        monkeypatch.undo()  # once, and between what is known and what is read:
        append(writer, event("order.new"), event("order.placed"))
        return ask(self, *arguments)

    monkeypatch.setattr(ServerReaders, "_ask", ask_late)
    page = reader.page(1, 10, Selection(("order.*",)))
    assert [one.position for one in page] == [2, 3]


# -- sessions and servers that end ----------------------------------------------------------------


def test_a_session_that_ends_between_two_commits_is_not_noticed(open_store: Open, run: Run) -> None:
    store = open_store()
    [outcome] = store.commit([Unit(seat=Seat("me", "beginning"))], 1.0)
    for n in range(3):
        publish(store, n)
        end_sessions(run)
        store.commit([Unit(move=Move("me", 1, n, n + 1))], 1.0)
        end_sessions(run)
    assert texts(store) == [0, 1, 2]
    assert [one.position for one in store.cursors()] == [3]
    assert committed(outcome).seated is not None
    assert store.verify().whole


def test_sessions_that_end_during_commits_lose_and_double_nothing(
    open_store: Open, run: Run
) -> None:
    store = open_store()
    done = threading.Event()
    ended: list[Any] = []

    def end_them() -> None:
        while not done.is_set():
            ended.extend(run(HOLDERS))
            time.sleep(0.02)

    killer = threading.Thread(target=end_them)
    killer.start()
    told: list[int] = []
    deadline = time.monotonic() + 3
    n = 0
    while time.monotonic() < deadline:
        n += 1
        with suppress(StoreUnavailable):
            publish(store, n)
            told.append(n)
    done.set()
    killer.join()
    publish(store, 0)
    assert texts(store) == [*told, 0]
    assert min(len(ended), len(told)) > 5
    assert store.verify().whole


def test_a_server_that_ends_at_once_and_comes_back_loses_and_doubles_nothing(
    postgres: PostgresServer, open_store: Open
) -> None:
    store = open_store()
    told: list[int] = []
    refused: list[int] = []
    done = threading.Event()

    def work() -> None:
        n = 0
        while not done.is_set():
            n += 1
            try:
                publish(store, n)
                told.append(n)
            except StoreUnavailable:
                refused.append(n)
                time.sleep(0.01)

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(0.3)
    postgres.stop("immediate")
    postgres.start()
    before = len(told)
    deadline = time.monotonic() + 20
    while len(told) < before + 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    done.set()
    worker.join()
    assert len(told) >= before + 20, "it works again"
    assert texts(store) == told
    assert store.verify().whole


def test_a_server_that_is_away_is_told_at_once(postgres: PostgresServer, open_store: Open) -> None:
    store = open_store()
    publish(store, 1)
    postgres.stop("fast")
    try:
        for attempt in (lambda: publish(store, 2), lambda: texts(store), open_store):
            with pytest.raises(StoreUnavailable, match="works again"):
                attempt()
    finally:
        postgres.start()
    publish(store, 3)
    assert texts(store) == [1, 3]


class Losing:
    """Loses the next transaction's session: before its COMMIT, but when nobody knows that yet, or
    behind it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
        self._patch = monkeypatch
        self._run = run

    def lose(self, *, behind: bool, then: Callable[[], object] = int) -> None:
        """`then`: what else happens before anybody looks."""
        from psycopg import OperationalError

        from choreia.runtime.stores.postgres.writer import Writer

        attempt = Writer._attempt

        def lost(self_: Writer, db: Any, work: Any, done: list[Any]) -> None:
            def work_and_end(db: Any) -> Any:
                result = work(db)
                if not behind:
                    end_sessions(self._run)
                return result

            self._patch.setattr(Writer, "_attempt", attempt)
            try:
                attempt(self_, db, work_and_end, done)
                assert behind
                end_sessions(self._run)
            finally:
                then()
            raise OperationalError("the connection is lost")

        self._patch.setattr(Writer, "_attempt", lost)

    def go_away(self) -> None:
        """The server cannot be reached, and nobody waits for it long."""
        from choreia.runtime.stores.postgres import writer
        from choreia.runtime.stores.postgres.server import Server

        def unreachable(self_: Server, *, writing: bool) -> Any:
            raise StoreUnavailable("away")

        self._connect = Server.connect
        self._patch.setattr(writer, "PATIENCE", 2)
        self._patch.setattr(writer, "PAUSE", 0.01)
        self._patch.setattr(Server, "connect", unreachable)

    def come_back(self) -> None:
        from choreia.runtime.stores.postgres.server import Server

        self._patch.setattr(Server, "connect", self._connect)


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch, run: Run) -> Losing:
    return Losing(monkeypatch, run)


@pytest.mark.parametrize("behind", [False, True])
def test_a_commit_whose_answer_is_lost_is_told_the_truth(
    open_store: Open, losing: Losing, behind: bool
) -> None:
    store = open_store()
    store.commit([Unit(seat=Seat("me", "beginning"))], 1.0)
    publish(store, 1)
    losing.lose(behind=behind)
    publish(store, 2)
    losing.lose(behind=behind)  # without an event: the log's head tells nothing
    [outcome] = store.commit([Unit(move=Move("me", 1, 0, 2))], 1.0)
    committed(outcome)
    [outcome] = store.commit([Unit(move=Move("me", 1, 2, 3))], 1.0)
    committed(outcome)
    publish(store, 3)
    assert texts(store) == [1, 2, 3]
    assert store.verify().whole


@pytest.mark.parametrize("behind", [False, True])
def test_what_nobody_could_tell_is_told_at_the_next_commit(
    open_store: Open, losing: Losing, behind: bool
) -> None:
    store = open_store()
    patient = [unit(event(payload={"n": n})) for n in (1, 2)]
    losing.lose(behind=behind, then=losing.go_away)
    with pytest.raises(StoreUnavailable, match="nobody knows"):
        store.commit([unit(event(payload={"n": 0})), *patient], 1.0)
    with pytest.raises(StoreUnavailable):
        store.commit(patient, 1.0)
    losing.come_back()
    another = unit(event(payload={"n": 3}))
    outcomes = store.commit([patient[0], another, patient[1]], 1.0)
    positions = [[one.position for one in committed(one).recorded] for one in outcomes]
    if behind:
        assert positions == [[2], [4], [3]]
        assert texts(store) == [0, 1, 2, 3]
    else:
        assert positions == [[1], [2], [3]]
        assert texts(store) == [1, 3, 2]
    assert store.verify().whole


@pytest.mark.parametrize("stays", [False, True])
def test_whoever_finds_that_another_wrote_meanwhile_writes_no_more(
    open_store: Open, run: Run, stays: bool
) -> None:
    store = open_store()
    publish(store, 1)
    end_sessions(run)
    rival = open_store()
    publish(rival, 2)
    if not stays:
        rival.close()
    for _ in range(2):
        with pytest.raises(StoreLocked):
            publish(store, 3)
    assert texts(store) == [1, 2]
    if stays:
        publish(rival, 4)


def test_a_commit_that_happened_before_another_came_is_told_so(
    open_store: Open, losing: Losing
) -> None:
    store = open_store()

    def rival() -> None:
        publish(open_store(), 2)

    losing.lose(behind=True, then=rival)
    publish(store, 1)
    with pytest.raises(StoreLocked):
        publish(store, 3)
    assert texts(store) == [1, 2]


def test_a_commit_that_did_not_happen_before_another_came_is_refused(
    open_store: Open, losing: Losing
) -> None:
    store = open_store()

    def rival() -> None:
        publish(open_store(), 2)

    losing.lose(behind=False, then=rival)
    with pytest.raises(StoreLocked):
        publish(store, 1)
    assert texts(store) == [2]


def test_a_lock_that_was_lost_without_the_session_is_noticed(open_store: Open, run: Run) -> None:
    store = open_store()
    publish(store, 1)
    run("UPDATE choreia SET generation = generation + 1")
    for _ in range(2):
        with pytest.raises(StoreLocked):
            publish(store, 2)
    assert texts(store) == [1]


def test_a_server_that_comes_back_from_an_older_state_is_noticed(
    open_store: Open, run: Run
) -> None:
    store = open_store()
    publish(store, 1)
    publish(store, 2)
    end_sessions(run)
    run("UPDATE choreia SET serial = serial - 1")
    for _ in range(2):
        with pytest.raises(StoreDamaged, match="the last 1 commits"):
            publish(store, 3)


# -- media that fail ------------------------------------------------------------------------------


def test_after_a_full_disk_it_works_again_and_knows_where_it_is(open_store: Open, run: Run) -> None:
    store = open_store()
    store.commit([Unit(seat=Seat("me", "beginning"))], 1.0)
    publish(store, 1)
    run(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'could not extend file: No space left' USING ERRCODE = '53100'; END $$"
    )
    run("CREATE TRIGGER full_disk BEFORE INSERT ON events EXECUTE FUNCTION full_disk()")
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"No space left.*works again"):
            store.commit([unit(event("new.type", source="new"), move=Move("me", 1, 0, 1))], 1.0)
    assert store.head == 1
    run("DROP TRIGGER full_disk ON events")
    [outcome] = store.commit(
        [unit(event("new.type", {"n": 2}, source="new"), move=Move("me", 1, 0, 1))], 1.0
    )
    assert [one.position for one in committed(outcome).recorded] == [2]
    assert texts(store) == [1, 2]
    assert store.verify().whole


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("DELETE FROM events WHERE position = 3", "3 was acknowledged"),
        ("DELETE FROM events WHERE position = 2", "2 to 2 are missing"),
        ("UPDATE events SET payload = '{\"n\":9}' WHERE position = 2", "not what was recorded"),
        ("UPDATE events SET payload = 'x' WHERE position = 2", "cannot be read"),
        ("DELETE FROM names", "cannot be read"),
        ("DROP TABLE events", "does not exist"),
    ],
)
def test_what_was_changed_by_hand_is_found(
    open_store: Open, run: Run, sql: str, fault: str
) -> None:
    store = open_store()
    for n in (1, 2, 3):
        publish(store, n)
    assert store.verify().whole
    store.close()
    run(sql)
    reader = open_store(readonly=True)
    verdict = reader.verify()
    assert not verdict.whole
    assert fault in verdict.faults[0].what
    if "position = 3" in sql or "DROP" in sql:
        with pytest.raises(StoreDamaged):
            open_store()


# -- opening --------------------------------------------------------------------------------------


def test_a_newer_store_and_tables_of_others_are_refused(
    open_store: Open, run: Run, schema: str
) -> None:
    store = open_store()
    run("UPDATE choreia SET version = version + 1")
    with pytest.raises(InvalidStore, match=r"newer Choreia.*upgrade"):
        open_store(readonly=True)
    store.close()
    with pytest.raises(InvalidStore, match=r"newer Choreia.*upgrade"):
        open_store()
    run(f"CREATE SCHEMA others_{schema} CREATE TABLE events (mine int)")
    with pytest.raises(InvalidStore, match="another program"):
        open_store(schema=f"others_{schema}")
    run(f"CREATE SCHEMA empty_{schema}")
    assert append(open_store(schema=f"empty_{schema}"), event()) == [1]


@pytest.mark.parametrize(
    "options",
    [
        {"schema": 'a"b'},
        {"schema": "pg_mine"},
        {"schema": "1a"},
        {"schema": ""},
        {"schema": "a" * 64},
        {"durability": "none"},
        {"wait": -1},
        {"wait": float("nan")},
    ],
)
def test_options_that_make_no_sense(open_store: Open, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidStore, match=next(iter(options))):
        open_store(**options)


@pytest.mark.parametrize(
    ("dsn", "error"),
    [
        ("", InvalidStore),
        ("postgres//user:secret@host/db", InvalidStore),
        ("host=localhost hots=secret", InvalidStore),
        ("postgresql://user:sec%zzret@host/db", InvalidStore),
        ("postgresql://user:secret@localhost:1/db", StoreUnavailable),
    ],
)
def test_a_bad_dsn_is_refused_without_its_password(
    postgres: PostgresServer, dsn: str, error: type[StoreError]
) -> None:
    with pytest.raises(error) as refused:
        PostgresStore(dsn)
    assert "secret" not in f"{refused.value!r} {refused.value.__context__!r}"


def test_without_psycopg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InvalidStore, match=r"pip install 'choreia\[postgres\]'"):
        PostgresStore("postgresql://localhost/db")


def test_durability_is_what_was_asked_for(open_store: Open) -> None:
    for durability, setting in (("full", "on"), ("relaxed", "off")):
        store = open_store(durability=durability, schema=f"durability_{durability}")
        assert store.info().durability == store.durability == durability
        assert store._writer is not None
        session = store._writer.ready()
        found = session.execute("SELECT current_setting('synchronous_commit')").fetchone()
        assert found == (setting,)


def test_what_may_cut_sessions_short_is_switched_off(open_store: Open, run: Run) -> None:
    run("ALTER ROLE CURRENT_USER SET statement_timeout = '1s'")
    run("ALTER ROLE CURRENT_USER SET idle_session_timeout = '100ms'")
    run("ALTER ROLE CURRENT_USER SET default_transaction_read_only = on")
    run("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    try:
        store = open_store()
        time.sleep(0.3)
        publish(store, 1)
        assert store._writer is not None
        session = store._writer.ready()
        for name, wanted in (("synchronous_commit", "on"), ("statement_timeout", "0")):
            assert session.execute("SELECT current_setting(?)", (name,)).fetchone() == (wanted,)
    finally:
        run("SET default_transaction_read_only = off")
        run("ALTER ROLE CURRENT_USER RESET ALL")


# -- text and queries -----------------------------------------------------------------------------


def test_odd_text_survives_wherever_it_stands(open_store: Open) -> None:
    odd = f"{ODD} \x1a0000 \x1a"
    trace = f"{odd} \ud800 \udcff"
    store = open_store()
    about = event(payload={odd: odd}, source=odd, id=odd, metadata={"correlationId": odd, "t": odd})
    timer = SetTimer(odd, odd, 5.0, about, odd)
    letter = Letter(odd, about, odd, trace, trace, 1, 2.0)
    changes = [
        timer, KeepLetter(letter), KeepAttempts(odd, odd, 1, 2), KeepResult(odd, odd, odd, b"1"),
    ]  # fmt: skip
    [outcome] = store.commit([unit(about, seat=Seat(odd), changes=changes)], 1.0)
    committed(outcome)
    store.close()
    store = open_store()
    assert [one.event for one in store.read(source=odd, correlation_id=odd)] == [about]
    assert store.find(odd) is not None
    assert store.timers(odd) == [timer]
    [kept] = store.letters(odd)
    assert (kept.event, kept.error, kept.traceback) == (about, trace, trace)
    assert store.attempts(odd) == [KeepAttempts(odd, odd, 1, 2)]
    assert store.results(odd) == [Result(odd, odd, b"1")]
    assert [one.agent for one in store.cursors()] == [odd]
    assert store.erase(correlation_id=odd, reason=odd, now=3.0) == 1
    assert [(one.what, one.reason) for one in store.erasures()] == [(f"case {odd}", odd)]
    assert store.verify().whole


def test_names_sort_by_code_point_as_everywhere(open_store: Open) -> None:
    store = open_store()
    names = ["b", "B", "a", "é", "\U0001f600", "\uffee", "_"]
    store.commit([Unit(seat=Seat(name)) for name in names], 1.0)
    assert [one.agent for one in store.cursors()] == sorted(names)


@pytest.mark.parametrize(
    ("selection", "index"),
    [
        (Selection(), "events_pkey"),
        (Selection(("common.#",)), "events_type"),
        (Selection(source="common"), "events_source"),
        (Selection(correlation_id="common"), "events_correlation"),
        (Selection(("common.t",), source="common", live=False), "events_source"),
    ],
)
def test_pages_are_read_by_their_index_also_where_the_planner_would_guess_wrong(
    open_store: Open, run: Run, selection: Selection, index: str
) -> None:
    from choreia.runtime.stores.postgres import readers

    store = open_store()
    metadata = {"correlationId": "common"}
    common = [event("common.t", source="common", metadata=metadata) for _ in range(2_000)]
    rare = [event("rare.t", source="rare") for _ in range(2_000)]
    store.commit([unit(*common), unit(*rare)], 1.0)
    run("ANALYZE events")
    source = 2 if selection.source else None
    types = [1] if selection.patterns != ("#",) else None
    sql, values = readers._parts(1, 10, selection, source, types)[0]
    text = " ".join(line for (line,) in store._readers.rows(f"EXPLAIN {sql}", tuple(values)))
    assert f"using {index} " in text or f"on {index} " in text, text
    assert "Seq Scan" not in text
    assert "Sort" not in text


def test_an_import_with_an_id_that_comes_twice_is_refused(open_store: Open) -> None:
    store, source = open_store(), open_store(schema="twice")
    append(source, event(id="a"), event(id="b"))
    [(first, digest), (second, _)] = source.history()
    again = second.__class__(2, first.event, 1.0, 0)
    with pytest.raises(InvalidStore):
        store.restore(iter([(first, digest), (again, None)]), lambda: (2, "?"))
    assert store.head == 0
    assert append(store, event()) == [1]
