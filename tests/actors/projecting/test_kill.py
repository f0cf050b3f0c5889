"""Whenever the process is killed, each event is in the tables once, and in order."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from choreia.runtime.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from tests.actors.projecting.conftest import Target

VICTIM = Path(__file__).with_name("victim.py")
LONGEST = 0.2
"""Seconds after which the latest victims are killed: a round takes about as long."""


def kill_again_and_again(folder: Path, target: Target, kills: int, bug: str = "") -> list[str]:
    """`kills` kills, and then a round that comes to its end: what does not hold."""
    chance, killed, rounds = random.Random(kills), 0, 0
    store, pipe, faults = folder / "events.db", folder / "pipe", list[str]()
    os.mkfifo(pipe)
    mother = subprocess.Popen(
        [sys.executable, str(VICTIM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert mother.stdin is not None
    assert mother.stdout is not None
    with mother, mother.stdin, mother.stdout:
        while killed <= kills:
            order = {"store": str(store), "into": target.address, "sign": target.sign, "bug": bug}
            order |= {"round": str(rounds), "pipe": str(pipe)}
            mother.stdin.write(json.dumps(order) + "\n")
            mother.stdin.flush()
            pid = int(mother.stdout.readline())
            pipe.open().close()  # until it is up
            if killed < kills:
                time.sleep(chance.random() ** 2 * LONGEST)  # a random instant is what is wanted
                with suppress(ProcessLookupError):  # it has come to its end
                    os.kill(pid, signal.SIGKILL)
            status = int(mother.stdout.readline())
            assert status in (0, -9)
            last = killed == kills
            killed += status == -9 or last
            rounds += status == 0
            faults += faults_of(store, target, whole=last)
    return faults


def faults_of(path: Path, target: Target, *, whole: bool) -> list[str]:
    store = SqliteStore(path, readonly=True)
    try:
        log = [recorded.event.payload["n"] for recorded in store.read(pattern="number")]
    finally:
        store.close()
    table = [n for (n,) in target.rows("SELECT n FROM numbers")]
    if table != (log if whole else log[: len(table)]):
        return [f"the log has {len(log)}, the table {len(table)}: {table[-5:]}"]
    return []


@pytest.mark.timeout(600)
def test_whenever_it_is_killed_each_event_is_written_once(
    tmp_path: Path, target: Target, pytestconfig: pytest.Config
) -> None:
    kills = int(str(pytestconfig.getoption("--kills")))
    assert kill_again_and_again(tmp_path, target, max(10, kills // 3)) == []


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_test_sees_a_position_that_is_written_apart(
    tmp_path: Path, in_file: Callable[[Path], Target]
) -> None:
    assert kill_again_and_again(tmp_path, in_file(tmp_path), 25, bug="apart")
