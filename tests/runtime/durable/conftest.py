"""Kills victims at random instants, and looks at what they left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import attrs
import pytest

from choreia import Event
from choreia.runtime.stores.sqlite import SqliteStore

VICTIM = Path(__file__).with_name("victim.py")
LONGEST = 0.12
"""Seconds after which the latest victims are killed: a round takes about as long."""


class Victims:
    """Forks victims; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pipe = folder / "pipe"
        os.mkfifo(self._pipe)
        self.errors = folder / "errors"
        self._mother = subprocess.Popen(
            [sys.executable, str(VICTIM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Victims:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.close()
        self._mother.wait(30)
        self._mother.stdout.close()

    def live(
        self, store: Path, number: int, kill_after: float | None, bug: str, poison: bool
    ) -> tuple[int, list[str]]:
        """One victim's life: its exit status (-9: killed), and what it told."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        order = {
            "store": str(store),
            "round": str(number),
            "bug": bug,
            "poison": "yes" * poison,
            "pipe": str(self._pipe),
            "errors": str(self.errors),
        }
        self._mother.stdin.write(json.dumps(order) + "\n")
        self._mother.stdin.flush()
        pid = int(self._mother.stdout.readline())
        with self._pipe.open() as pipe:
            told = [pipe.readline()]
            if kill_after is not None:
                time.sleep(kill_after)  # a random instant is what is wanted
                with suppress(ProcessLookupError):  # it has come to its end
                    os.kill(pid, signal.SIGKILL)
            told += pipe.readlines()
        return int(self._mother.stdout.readline()), [line.strip() for line in told]


@attrs.define
class Run:
    """What became of one store that was worked on and killed again and again."""

    path: Path
    victims: Victims
    bug: str = ""
    poison: bool = False
    acknowledged: set[int] = attrs.field(factory=set[int])
    lost: list[int] = attrs.field(factory=list[int])
    kills: int = 0
    rounds: int = 0

    def live(self, kill_after: float | None) -> int:
        """Let a victim work, and kill it so many seconds after it is up; None: let it end."""
        status, told = self.victims.live(self.path, self.rounds, kill_after, self.bug, self.poison)
        acknowledged = {int(line[4:]) for line in told if line.startswith("ack ")}
        # Now, and not at the end: the next victim publishes the same again.
        self.lost += self._missing(acknowledged - self.acknowledged)
        self.acknowledged |= acknowledged
        self.kills += status == -9
        # A round that was killed is repeated, with the same ids: publishing is idempotent.
        self.rounds += status == 0
        assert status in (0, -9), self.victims.errors.read_text()[-3_000:]
        return status

    def _missing(self, numbers: set[int]) -> list[int]:
        if not numbers:
            return []
        store = SqliteStore(self.path, readonly=True)
        try:
            return [n for n in sorted(numbers) if store.find(f"item-{n}") is None]
        finally:
            store.close()

    def faults(self) -> list[str]:
        """What does not hold; the last round ended in order."""
        store = SqliteStore(self.path, readonly=True)
        try:
            lost = [f"acknowledged and lost: {self.lost[:5]}"] if self.lost else []
            return lost + list(faults_of(store))
        finally:
            store.close()


def kill_again_and_again(folder: Path, kills: int, seed: int, bug: str) -> list[str]:
    """`kills` kills, and then a round that comes to its end: what does not hold."""
    chance = random.Random(seed)
    with Victims(folder) as victims:
        run = Run(folder / "events.db", victims, bug)
        while run.kills < kills:
            run.live(chance.random() ** 2 * LONGEST)
        run.live(None)
        return run.faults()


def poison(folder: Path, lives: int, bug: str) -> list[str]:
    """Let an agent take its process with it, `lives` times at most: what does not hold."""
    with Victims(folder) as victims:
        run = Run(folder / "events.db", victims, bug, poison=True)
        while run.kills < lives and not run.rounds:
            run.live(None)
        return run.faults() if run.rounds else [f"it died {run.kills} times over one event"]


def faults_of(store: SqliteStore) -> Iterator[str]:
    """Every promise that the log breaks."""
    log = [recorded.event for recorded in store.read()]
    verdict = store.verify()
    if not verdict.whole:
        yield f"the chain is broken: {verdict.faults[:3]}"
    items = _numbers(log, "item")
    yield from _not_once(log, set(items))
    for number in range(3):
        causes = [n for n in items if n % 3 == number]
        if [n for n in _numbers(log, "effect") if n % 3 == number] != causes:
            yield f"source {number}: effects are in another order than their causes"
    dead = [letter for letter in store.letters() if letter.agent != "poison"]
    if dead:
        yield f"innocent events are dead letters: {[(d.agent, d.reason) for d in dead[:3]]}"
    yield from _families(log, items, store)
    if store.timers():
        yield f"timers are left: {store.timers()[:3]}"


def _families(log: list[Event], items: list[int], store: SqliteStore) -> Iterator[str]:
    told = [event.payload for event in log if event.type == "told"]
    for who in range(4):
        mine = [payload for payload in told if payload["who"] == f"w{who}"]
        for source in range(3):
            numbers = [n for n in items if n % 4 == who and n % 3 == source]
            if [one["n"] for one in mine if one["n"] % 3 == source] != numbers:
                yield f"w{who}: told in another order than it was heard"
        if [one["count"] for one in mine] != list(range(1, len(mine) + 1)):
            yield f"w{who}: its states are not those of the log"
    if store.completed():
        yield f"all is done, and the mark has not moved: {store.completed()[:3]}"


def _not_once(log: list[Event], items: set[int]) -> Iterator[str]:
    """Whose effects there are not exactly once."""
    fifths = {n for n in items if n % 5 == 0}
    for type, expected in (
        ("item", items),
        ("effect", items),
        ("sum.changed", items),
        ("late", fifths),
        ("late.seen", fifths),
        ("told", items),
        ("packed", items),
        ("late.told", {n for n in items if n % 6 == 0}),
        ("progress", {n for n in items if n % 11 == 0 and n}),
    ):
        yield from _differences(type, Counter(_numbers(log, type)), Counter(expected))
    for what in ("item", "effect"):
        seen = [e.payload["n"] for e in log if e.type == "seen" and e.payload["what"] == what]
        yield from _differences(f"{what} seen", Counter(seen), Counter(items))


def _differences(what: str, found: Counter[int], expected: Counter[int]) -> Iterator[str]:
    less, more = expected - found, found - expected
    if less or more:
        yield f"{what}: missing {list(less.items())[:5]}, too many {list(more.items())[:5]}"


def _numbers(log: list[Event], type: str) -> list[int]:
    return [event.payload["n"] for event in log if event.type == type]


Kill = Callable[[Path, int, int, str], list[str]]
Poison = Callable[[Path, int, str], list[str]]


@pytest.fixture
def kill() -> Kill:
    return kill_again_and_again


@pytest.fixture
def poisoned() -> Poison:
    return poison
