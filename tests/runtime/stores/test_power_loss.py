"""A power cut, simulated at the file-system layer.

SQLite's virtual file system is wrapped to write down every write, truncation, deletion and sync.
From that record the disk is put together as it may look after a cut at any instant: what was synced
is there; of what was written since, nothing, everything, or any half of its sectors. Then the store
is opened on it, and every event that was acknowledged must be there. (The idea is Zheng et al.
2014, "Torturing Databases for Fun and Profit", section 3.)
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any, Literal

import apsw
import attrs
import pytest

from choreia import SqliteStore, StoreDamaged
from choreia.runtime.stores.conformance.making import append, event
from choreia.runtime.stores.sql.connection import Connection

SECTOR = 512
IMAGES = 150
Policy = Literal["nothing", "half", "everything"]


@attrs.frozen
class Step:
    """Something that reached the file system; `acknowledged`: events so far, when it returned."""

    kind: Literal["write", "truncate", "sync", "delete", "acknowledged"]
    file: str = ""
    offset: int = 0
    data: bytes = b""
    count: int = 0


steps: list[Step] = []


class RecordingFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: Any) -> None:
        super().__init__("", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.name = Path(path or "temporary").name

    def xWrite(self, data: Any, offset: int) -> None:
        steps.append(Step("write", self.name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        steps.append(Step("truncate", self.name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        steps.append(Step("sync", self.name))


class RecordingVFS(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("recording", base="")

    def xOpen(self, name: Any, flags: Any) -> Any:
        return RecordingFile(name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        steps.append(Step("delete", Path(filename).name))


class Rows:
    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def fetchone(self) -> Any:
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[Any]:
        return self._rows

    def __iter__(self) -> Any:
        return iter(self._rows)


class Recorded:
    """apsw's connection, as `sqlite3`'s."""

    IntegrityError = apsw.ConstraintError

    def __init__(self, path: str, **_: Any) -> None:
        self._db = apsw.Connection(path, vfs="recording")

    def execute(self, sql: str, parameters: Any = ()) -> Rows:
        return Rows(list(self._db.execute(sql, tuple(parameters))))

    def executescript(self, sql: str) -> None:
        self._db.execute(sql)

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def close(self) -> None:
        self._db.close()


def recorded_run(folder: Path, durability: Any, commits: int) -> int:
    """A store works, and everything is written down. How many steps it took to set up."""
    steps.clear()
    vfs = RecordingVFS()
    chance = Random(1)
    store = SqliteStore(folder / "events.db", durability=durability, connect=Recorded)  # type: ignore[arg-type]
    db: Connection = store._writer()
    db.execute("PRAGMA wal_autocheckpoint = 20")  # so that cuts fall into checkpoints, too
    count, prepared = 0, len(steps)
    for _ in range(commits):
        events = [event(payload={"filler": "x" * chance.randrange(400)}) for _ in range(3)]
        count += len(append(store, *events))
        steps.append(Step("acknowledged", count=count))
    length = len(steps)
    store.close()
    del steps[length:]
    vfs.unregister()
    return prepared


def disk_after(cut: int, policy: Policy, chance: Random) -> tuple[dict[str, bytearray], int]:
    """The files as a cut before step `cut` may leave them, and how much was acknowledged."""
    files: dict[str, bytearray] = {}
    unsynced: dict[str, list[Step]] = {}
    acknowledged = 0
    for step in steps[:cut]:
        if step.kind == "acknowledged":
            acknowledged = step.count
        elif step.kind == "sync":
            for earlier in unsynced.pop(step.file, []):
                reach(files, earlier)
        elif step.kind == "delete":
            files.pop(step.file, None)
            unsynced.pop(step.file, None)
        else:
            files.setdefault(step.file, bytearray())
            unsynced.setdefault(step.file, []).append(step)
    for step in (step for waiting in unsynced.values() for step in waiting):
        for sector in sectors(step):
            if policy == "everything" or (policy == "half" and chance.random() < 0.5):
                reach(files, sector)
    return files, acknowledged


def sectors(step: Step) -> list[Step]:
    if step.kind == "truncate":
        return [step]
    return [
        attrs.evolve(step, offset=step.offset + at, data=step.data[at : at + SECTOR])
        for at in range(0, len(step.data), SECTOR)
    ]


def reach(files: dict[str, bytearray], step: Step) -> None:
    """What was written has come to the disk."""
    content = files.setdefault(step.file, bytearray())
    if step.kind == "truncate":
        del content[step.offset :]
        return
    end = step.offset + len(step.data)
    content.extend(bytes(max(0, end - len(content))))
    content[step.offset : end] = step.data


def lost(folder: Path, images: int, prepared: int) -> tuple[int, int]:
    """In how many of the images acknowledged events are missing, and how many are not whole."""
    chance = Random(7)
    missing = broken = 0
    policies: list[Policy] = ["nothing", "half", "half", "everything"]
    for number in range(images):
        cut = chance.randrange(prepared, len(steps) + 1)
        files, acknowledged = disk_after(cut, chance.choice(policies), chance)
        image = folder / f"image-{number}"
        image.mkdir()
        for name, content in files.items():
            (image / name).write_bytes(content)
            (image / name).chmod(0o600)
        try:
            store = SqliteStore(image / "events.db")
        except StoreDamaged:
            broken += 1
            continue
        missing += store.head < acknowledged
        broken += not store.verify().whole
        store.close()
    return missing, broken


def test_a_power_cut_at_any_instant_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    prepared = recorded_run(tmp_path, "full", 80)
    assert lost(tmp_path, IMAGES, prepared) == (0, 0)


def test_relaxed_may_lose_some_and_is_whole_all_the_same(tmp_path: Path) -> None:
    """It says so; and this shows that the test above would see it."""
    prepared = recorded_run(tmp_path, "relaxed", 80)
    missing, broken = lost(tmp_path, IMAGES, prepared)
    assert missing > 10
    assert broken == 0


@pytest.mark.soak
def test_many_power_cuts(tmp_path: Path) -> None:
    prepared = recorded_run(tmp_path, "full", 600)
    assert lost(tmp_path, 3_000, prepared) == (0, 0)
