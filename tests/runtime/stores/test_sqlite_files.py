"""What is particular to files: who may read them, who has them, and what becomes of damage."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from choreia import (
    InvalidStore,
    SqliteStore,
    StoreDamaged,
    StoreInsecure,
    StoreLocked,
    StoreUnavailable,
)
from choreia.runtime.stores.base import Selection
from choreia.runtime.stores.conformance.making import append, event
from choreia.runtime.stores.sqlite.schema import VERSION
from choreia.runtime.stores.unit import KeepRecord, Unit

OTHER = """
import sys
from choreia import SqliteStore
store = SqliteStore(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
"""

WRITER = """
import os, sys
from choreia import SqliteStore
from choreia.runtime.stores.conformance.making import append, event
store = SqliteStore(sys.argv[1])
store.open_run(1.0)
for n in range(int(sys.argv[2])):
    append(store, event(payload={"n": n, "filler": "x" * 200}))
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


def killed_after(path: Path, count: int) -> None:
    """A process has appended so many events, and was killed."""
    run = subprocess.run([sys.executable, "-c", WRITER, str(path), str(count)], check=False)
    assert run.returncode == -9


def numbers(path: Path) -> list[int]:
    store = SqliteStore(path, readonly=True)
    try:
        return [one.event.payload["n"] for one in store.read()]
    finally:
        store.close()


def faults(path: Path) -> list[str]:
    store = SqliteStore(path, readonly=True)
    try:
        return [fault.what for fault in store.verify().faults]
    finally:
        store.close()


# -- paths and permissions -----------------------------------------------------------------------


def test_files_are_for_their_owner_only(path: Path) -> None:
    store = SqliteStore(path)
    store.open_run(1.0)
    append(store, event())
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == [
        f"events.db{end}" for end in ("", "-anchor", "-lock", "-shm", "-wal")
    ]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    store.close()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_can_read_or_write_is_refused(path: Path, mode: int) -> None:
    SqliteStore(path).close()
    path.chmod(mode)
    with pytest.raises(StoreInsecure, match=r"chmod 600 .*events\.db"):
        SqliteStore(path)
    path.chmod(0o600)
    SqliteStore(path).close()


def test_a_folder_that_others_can_write_in_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(StoreInsecure, match="everybody can write in"):
        SqliteStore(folder / "events.db")
    for fine in (0o775, 0o755, 0o1777):  # of a group, of nobody; or sticky, as /tmp is
        folder.chmod(fine)
        SqliteStore(folder / "events.db").close()


def test_a_link_in_the_place_of_a_file_beside_it_is_refused(path: Path, tmp_path: Path) -> None:
    SqliteStore(path).close()
    target = tmp_path / "target"
    target.touch(0o600)
    (tmp_path / "events.db-wal").symlink_to(target)
    with pytest.raises(StoreInsecure, match="no ordinary file"):
        SqliteStore(path)


@pytest.mark.parametrize("given", ["", "  ", ":memory:", "a\0b", 7, None])
def test_what_is_no_path_is_refused(given: Any) -> None:
    with pytest.raises(InvalidStore, match="store="):
        SqliteStore(given)


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(InvalidStore, match="is a folder"):
        SqliteStore(tmp_path)
    with pytest.raises(InvalidStore, match="does not exist: make that folder first"):
        SqliteStore(tmp_path / "no" / "events.db")
    with pytest.raises(InvalidStore, match="does not exist"):
        SqliteStore(tmp_path / "none.db", readonly=True)
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_are_left_alone(path: Path) -> None:
    path.write_text("no database, and long enough to be told from an empty one" * 20)
    path.chmod(0o600)
    with pytest.raises(StoreDamaged):
        SqliteStore(path)
    path.unlink()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE mine (x)")
    db.close()
    path.chmod(0o600)
    with pytest.raises(InvalidStore, match="database of another program"):
        SqliteStore(path)
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM mine").fetchone() == (0,)
    db.close()


def test_a_file_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    store = SqliteStore(path)
    append(store, event("a"), event("b.c", source="me"), event("a"))
    chain = store.info().chain
    store.close()
    with sqlite3.connect(path) as db:
        for table in ("types", "completed", "snapshots", "records", "interests", "beginnings"):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 1")
    with pytest.raises(InvalidStore, match=r"older Choreia.*store compact"):
        SqliteStore(path, readonly=True)
    store = SqliteStore(path)
    assert [one.position for one in store.read(pattern="a")] == [1, 3]
    assert append(store, event("b.c"), event("d")) == [4, 5]
    assert [one.position for one in store.read(pattern="*.c")] == [2, 4]
    assert store.last_of_types() == {"a": 3, "b.c": 4, "d": 5}
    assert store.verify().whole
    assert store.page(0, 3)[2].position == 3
    assert chain != store.info().chain
    store.close()


def test_a_newer_version_is_refused(path: Path) -> None:
    SqliteStore(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    with pytest.raises(InvalidStore, match="newer Choreia"):
        SqliteStore(path)


# -- one writer ----------------------------------------------------------------------------------


def test_a_second_process_is_kept_out_and_told_why(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StoreLocked, match=r"Workers of a web server.*store_wait=") as caught:
            SqliteStore(path)
        assert caught.value.pid == other.pid
        assert numbers(path) == [], "who only reads is not kept out"
        other.stdin.write(b"\n")
        other.stdin.flush()
        SqliteStore(path, wait=30).close()


def test_a_second_store_in_the_same_process_too(path: Path) -> None:
    store = SqliteStore(path)
    with pytest.raises(StoreLocked, match="this process"):
        SqliteStore(path)
    store.close()
    SqliteStore(path).close()


def test_a_forked_child_neither_writes_nor_keeps_the_lock(path: Path) -> None:
    store = SqliteStore(path)
    read, write = os.pipe()
    pid = os.fork()
    if not pid:  # pragma: no cover
        try:
            for call in (lambda: append(store, event()), lambda: list(store.read())):
                try:
                    call()
                    os.write(write, b"done,")
                except StoreUnavailable:
                    os.write(write, b"refused,")
            store.close()
            os.close(write)
            signal.pause()
        finally:
            os._exit(1)
    os.close(write)
    store.close()
    try:
        SqliteStore(path).close()  # though the child lives on, and perhaps has not begun to
        with os.fdopen(read, "rb") as answer:
            assert answer.read() == b"refused,refused,"
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_who_only_reads_writes_nothing(path: Path) -> None:
    SqliteStore(path).close()
    store = SqliteStore(path, readonly=True)
    with pytest.raises(StoreUnavailable, match="readonly"):
        append(store, event())
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        list(store.read())


# -- damage --------------------------------------------------------------------------------------


@pytest.fixture
def crashed(path: Path) -> Path:
    """A store whose writer was killed: most of it is in the write-ahead log."""
    store = SqliteStore(path)
    append(store, *(event(payload={"n": -n}) for n in range(10, 0, -1)))
    store.close()
    killed_after(path, 60)
    return path


def test_a_killed_writer_leaves_it_whole(crashed: Path) -> None:
    assert numbers(crashed) == [*range(-10, 0), *range(60)]
    assert faults(crashed) == []
    store = SqliteStore(crashed)
    assert not store.open_run(1.0).clean
    assert store.verify().whole
    store.close()


def delete(wal: Path) -> None:
    wal.unlink()


def truncate(wal: Path) -> None:
    os.truncate(wal, wal.stat().st_size // 2)


def flip(wal: Path) -> None:
    content = bytearray(wal.read_bytes())
    content[len(content) // 2] ^= 0x10
    wal.write_bytes(content)


@pytest.mark.parametrize("harm", [delete, truncate, flip])
def test_a_log_that_was_deleted_cut_or_changed_is_noticed(crashed: Path, harm: Any) -> None:
    harm(crashed.with_name("events.db-wal"))
    with pytest.raises(StoreDamaged, match=r"acknowledged.*store verify --accept") as caught:
        SqliteStore(crashed)
    left = numbers(crashed)
    assert left == [*range(-10, 0), *range(60)][: len(left)], "what is there can be read"
    assert 10 <= len(left) < 70
    assert caught.value.position == len(left)
    assert any("was acknowledged, but the log ends at" in what for what in faults(crashed))
    store = SqliteStore(crashed, recover=True)
    assert append(store, event(payload={"n": 0})) == [len(left) + 1], "and it goes on from there"
    assert store.verify().whole
    store.close()
    SqliteStore(crashed).close()


def test_sqlite_itself_does_not_notice_a_deleted_log(crashed: Path) -> None:
    """Which is why there is an anchor."""
    delete(crashed.with_name("events.db-wal"))
    db = sqlite3.connect(crashed)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


def test_a_copy_without_its_anchor_is_taken_as_it_is(crashed: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    for end in ("", "-wal"):
        shutil.copy(f"{crashed}{end}", tmp_path / "copy" / f"events.db{end}")
    assert len(numbers(tmp_path / "copy" / "events.db")) == 70


def test_a_changed_payload_is_found_by_its_position(path: Path) -> None:
    store = SqliteStore(path)
    append(store, *(event(payload={"n": n}) for n in range(50)))
    store.close()
    db = sqlite3.connect(path)
    db.execute("""UPDATE events SET payload = CAST('{"n":99}' AS BLOB) WHERE position = 17""")
    db.execute("DELETE FROM events WHERE position = 30")
    db.execute("UPDATE events SET timestamp = 1.0 WHERE position = 40")
    db.commit()
    db.close()
    store = SqliteStore(path, readonly=True)
    verdict = store.verify()
    store.close()
    assert [fault.position for fault in verdict.faults] == [17, 31, 31, 40]


def test_every_flipped_byte_of_a_page_is_an_error_or_found(path: Path) -> None:
    store = SqliteStore(path)
    append(store, *(event(payload={"n": n, "filler": "y" * 300}) for n in range(400)))
    store.compact()
    store.close()
    whole = path.read_bytes()
    harmless = 0
    for place in range(4_096, len(whole), len(whole) // 60):
        content = bytearray(whole)
        content[place] ^= 0xFF
        path.write_bytes(content)
        found = faults(path)
        if not found:
            harmless += 1  # in free space, or in an index: then all events are what they were
            assert numbers(path) == list(range(400))
    assert harmless < 30
    path.write_bytes(whole)
    assert faults(path) == []


def test_a_cut_database_is_a_named_error_and_its_beginning_can_be_read(path: Path) -> None:
    store = SqliteStore(path)
    append(store, *(event(payload={"n": n, "filler": "z" * 300}) for n in range(300)))
    store.close()
    os.truncate(path, path.stat().st_size * 2 // 3)
    assert faults(path)
    with pytest.raises(StoreDamaged, match="choreia store verify"):
        SqliteStore(path)
    store = SqliteStore(path, readonly=True)
    read: list[int] = []
    with pytest.raises(StoreDamaged):
        read.extend(one.event.payload["n"] for one in store.read(limit=1_000))
    first = [one.event.payload["n"] for one in store.read(limit=5)]
    assert first == [0, 1, 2, 3, 4]
    store.close()


# -- a medium that fails for a while ---------------------------------------------------------------


class Failing:
    """A connection that fails when told to."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._db = sqlite3.connect(*arguments, **options)

    failing: str | None = None

    def execute(self, sql: str, *parameters: Any) -> Any:
        if Failing.failing is not None and Failing.failing in sql:
            raise sqlite3.OperationalError("database or disk is full")
        return self._db.execute(sql, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


@pytest.mark.parametrize("where", ["INSERT INTO events", "COMMIT", "BEGIN", "INSERT INTO names"])
def test_a_commit_that_fails_has_not_happened_and_later_ones_do(path: Path, where: str) -> None:
    store = SqliteStore(path, connect=Failing)  # type: ignore[arg-type]
    append(store, event("first.type"))
    chain = store.info().chain
    Failing.failing = where
    try:
        with pytest.raises(StoreUnavailable, match=r"disk is full.*it works again"):
            append(store, event("new.type"))
    finally:
        Failing.failing = None
    assert (store.head, store.info().chain) == (1, chain)
    assert append(store, event("new.type"), event("first.type")) == [2, 3]
    assert [one.event.type for one in store.read()] == ["first.type", "new.type", "first.type"]
    assert store.verify().whole
    store.close()


FULL = """
import resource, sys
from choreia import SqliteStore, StoreUnavailable
from choreia.runtime.stores.conformance.making import append, event
store = SqliteStore(sys.argv[1])
count = 0
try:
    while True:
        append(store, event(payload={"filler": "x" * 10_000}))
        count += 1
except StoreUnavailable as error:
    print("full" if "full" in str(error) else error)
import os
os.unlink(sys.argv[2])
append(store, event())
print(count > 0, store.head == count + 1, store.verify().whole)
store.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", str(disk)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        filler = disk / "filler"
        filler.write_bytes(b"\0" * 1_000_000)
        out = subprocess.run(
            [sys.executable, "-c", FULL, str(disk / "events.db"), str(filler)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
    assert out == "full\nTrue True True\n"


NO_FILES = """
import resource, sys
from choreia import SqliteStore, StoreUnavailable
from choreia.runtime.stores.conformance.making import append, event
store = SqliteStore(sys.argv[1])
append(store, event())
most = resource.getrlimit(resource.RLIMIT_NOFILE)
import os
resource.setrlimit(resource.RLIMIT_NOFILE, (0, most[1]))
for call in (lambda: list(store.read()), lambda: SqliteStore(sys.argv[1] + "2")):
    try:
        call()
    except StoreUnavailable as error:
        print("unavailable")
append(store, event())
resource.setrlimit(resource.RLIMIT_NOFILE, most)
print(len(list(store.read())))
store.close()
"""


def test_no_file_descriptors_left(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", NO_FILES, str(path)], check=True, capture_output=True, text=True
    )
    assert run.stdout == "unavailable\nunavailable\n2\n", "who has it open still writes"


READ_ONLY = """
import os, sys
from choreia import SqliteStore, ChoreiaError
os.setgid(65534), os.setuid(65534)
try:
    SqliteStore(sys.argv[1])
except ChoreiaError as error:
    print(type(error).__name__)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_folder_that_one_cannot_write_in() -> None:
    folder = Path("/tmp/choreia-read-only")
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    try:
        run = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(folder / "events.db")],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        pytest.skip(f"another user cannot run this Python: {error.stderr[-200:]}")
    finally:
        folder.rmdir()
    assert run.stdout == "StoreUnavailable\n"


# -- erasing --------------------------------------------------------------------------------------


def test_nothing_of_what_was_erased_is_left_in_the_files(path: Path) -> None:
    store = SqliteStore(path)
    secret = event(payload={"name": "Rumpelstiltskin"}, id="case")
    append(store, event(payload={"n": 1}), secret, event(payload={"n": 2}))
    store.erase(correlation_id="case", reason="asked", now=1.0)
    for file in path.parent.iterdir():
        assert b"Rumpelstiltskin" not in file.read_bytes(), file
    store.close()
    assert b"Rumpelstiltskin" not in path.read_bytes()


def test_compacting_gives_room_back(path: Path) -> None:
    store = SqliteStore(path)
    append(store, *(event(payload={"filler": "x" * 1_000}, id=f"e{n}") for n in range(200)))
    for n in range(200):
        store.erase(correlation_id=f"e{n}", reason="asked", now=1.0)
    assert store.compact() > 100_000
    assert store.verify().whole
    store.close()


# -- questions with a small answer take little, however long the log is ----------------------------


def test_what_is_rare_is_found_by_its_index(path: Path) -> None:
    """Counted in SQLite's own steps, thousands of them: 0 for what an index answers."""
    steps = [0]

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = sqlite3.connect(*arguments, **options)

        def step() -> None:
            steps[0] += 1

        db.set_progress_handler(step, 1_000)
        return db

    store = SqliteStore(path, connect=connect)
    often = [event(f"often.t{n % 30}", source="loud") for n in range(20_000)]
    rare = [event(f"rare.t{n}", source="loud") for n in range(40)]
    last = event("rare.t1", source="quiet")
    for n in range(0, 20_000, 500):
        store.commit([Unit(often[n : n + 500], [b"{}"] * 500)], 1.0)
    append(store, *rare, last)

    def takes(limit: int, **selected: Any) -> tuple[int, int]:
        steps[0] = 0
        return len(store.page(0, limit, Selection(**selected))), steps[0]

    whole = takes(20_000)[1]
    assert whole > 200
    for selected, found in (
        ({"patterns": ("rare.t1",)}, 2),
        ({"patterns": ("rare.#",)}, 41),
        ({"patterns": ("rare.t1",), "source": "loud"}, 1),
        ({"patterns": ("rare.#",), "source": "loud"}, 40),
        ({"patterns": ("often.#",), "source": "quiet"}, 0),
        ({"source": "quiet"}, 1),
        ({"correlation_id": last.id}, 1),
    ):
        count, took = takes(100, **selected)
        assert (count, took < 20) == (found, True), selected
    kept = [KeepRecord(f"saga:{n % 7}", f"case-{n}", "step", b"{}") for n in range(20_000)]
    store.commit([Unit(changes=kept)], 1.0)
    last_one, steps[0] = store.head, 0
    assert [one.first for one in store.cases(limit=40)] == [last_one - n for n in range(40)]
    assert [one.first for one in store.cases(before=9_000, limit=2)] == [8_999, 8_998]
    assert steps[0] < 5
    assert len(list(store.records("case-77"))) == len(list(store.records("case-77", "saga:0"))) == 1
    assert steps[0] < 5
    count, took = takes(512, patterns=tuple(f"often.t{n}" for n in range(16)))
    assert (count, took < 60) == (512, True), (
        "many that are frequent are not read to the limit each"
    )
    store.close()
