"""Whenever the process is killed, each case goes forward to its end, or back to its beginning, and
everything is done, and undone, once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from choreia.runtime.stores.sqlite import SqliteStore

VICTIM = Path(__file__).with_name("victim.py")
LONGEST = 0.3
"""Seconds after which the latest victims are killed: a round takes about as long."""
PAIRS = {
    "shelf.reserved": "shelf.released",
    "till.charged": "till.refunded",
    "label.printed": "label.torn",
}
"""What is done, and what undoes it; the first is the first to be done."""
FAILURES = {"till.refused", "carrier.refused", "order.broken"}
ONCE = {*PAIRS, *PAIRS.values(), "carrier.packed", "carrier.sent", "order.ended"}


def kill_again_and_again(folder: Path, kills: int, seed: int, bug: str = "") -> list[str]:
    """`kills` kills, and then a round that comes to its end: what does not hold."""
    chance, killed, rounds = random.Random(seed), 0, 0
    store, pipe = folder / "events.db", folder / "pipe"
    os.mkfifo(pipe)
    mother = subprocess.Popen(
        [sys.executable, str(VICTIM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert mother.stdin is not None
    assert mother.stdout is not None
    with mother, mother.stdin, mother.stdout:
        while killed <= kills:
            order = {"store": str(store), "round": str(rounds), "bug": bug, "pipe": str(pipe)}
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
            killed += status == -9 or killed == kills
            rounds += status == 0
    return faults_of(store)


def faults_of(path: Path) -> list[str]:
    store = SqliteStore(path, readonly=True)
    try:
        faults = [f"a dead letter: {one.agent} {one.reason}" for one in store.letters()]
        cases: dict[str, list[str]] = {}
        for recorded in store.read():
            event = recorded.event
            cases.setdefault(event.metadata.correlation_id or "", []).append(event.type)
        for case, types in cases.items():
            if case.startswith("case-"):
                faults += [f"{case}: {fault} in {types}" for fault in _faults(types)]
        for kept in store.records():
            record = json.loads(kept.value)
            over = record["state"] != "doing" or kept.name.startswith("join:")
            if record["owed"] or not over:
                faults.append(f"{kept.correlation_id}: {kept.agent} {kept.name} {record}")
    finally:
        store.close()
    return faults


def _faults(types: list[str]) -> Iterator[str]:
    """What does not hold of what was said in a case."""
    count = Counter(types)
    yield from (f"{type} {count[type]} times" for type in ONCE if count[type] > 1)
    forward = count["carrier.sent"] == 1
    if forward != (count["order.ended"] == 1):
        yield "it was sent, and has no end"
    for done, undone in PAIRS.items():
        if count[undone] != (0 if forward else count[done]):
            yield f"{done} {count[done]} times, {undone} {count[undone]} times"
            return
    if not forward and not FAILURES & set(types):
        yield "it has not failed, and was not sent"
    released = types.index("shelf.released") if "shelf.released" in types else len(types)
    failed = next((place for place, type in enumerate(types) if type in FAILURES), len(types))
    for done, undone in PAIRS.items():
        # What is done when the case has failed already may come too late to be waited for.
        if not forward and done in types[:failed] and types.index(undone) > released:
            yield f"the first step was undone before {done}"


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", [1, 2])
def test_whenever_it_is_killed_every_case_comes_to_a_good_end(
    tmp_path: Path, pytestconfig: pytest.Config, seed: int
) -> None:
    kills = int(str(pytestconfig.getoption("--kills")))
    assert kill_again_and_again(tmp_path, max(10, kills // 2), seed)[:5] == []


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_test_sees_records_that_no_store_keeps(tmp_path: Path) -> None:
    assert kill_again_and_again(tmp_path, 25, 1, bug="forgets")
