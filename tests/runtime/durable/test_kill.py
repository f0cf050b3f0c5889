"""A process that is killed at any instant loses nothing that it acknowledged, and does nothing
twice. The same test must fail when a promise is broken on purpose (`victim.sabotage`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from choreia.runtime.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from tests.runtime.durable.conftest import Kill, Poison

ENOUGH = 20
"""Kills after which one looks whether a planted bug has shown."""


@pytest.mark.timeout(3_600)
def test_whatever_was_acknowledged_is_there_and_every_effect_once(
    kill: Kill, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills = cast("int", pytestconfig.getoption("--kills"))
    stores = max(1, kills // 1_000)  # a store that grows for ever would take ever longer to check
    for number in range(stores):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert kill(folder, kills // stores, number, "") == []


@pytest.mark.parametrize("bug", ["separate-cursor", "cursor-first", "early-ack"])
def test_it_would_be_seen_if_it_were_not_so(kill: Kill, tmp_path: Path, bug: str) -> None:
    found: list[str] = []
    for seed in range(20):  # by chance a run may have no kill at the right instant
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = kill(folder, ENOUGH, seed, bug)
        if found:
            break
    assert found


def test_an_event_that_takes_the_process_with_it_is_a_dead_letter_in_the_end(
    poisoned: Poison, tmp_path: Path
) -> None:
    assert poisoned(tmp_path, 10, "") == []
    store = SqliteStore(tmp_path / "events.db", readonly=True)
    try:
        [letter] = store.letters()
        tasted = [recorded.event.payload["n"] for recorded in store.read(pattern="tasted")]
    finally:
        store.close()
    assert (letter.agent, letter.reason, letter.event.payload["n"]) == ("poison", "crashed", 13)
    assert tasted == [n for n in range(len(tasted) + 1) if n != 13], "and it is the only one"


def test_without_a_record_of_attempts_it_would_die_for_ever(
    poisoned: Poison, tmp_path: Path
) -> None:
    assert poisoned(tmp_path, 10, "no-attempts") == ["it died 10 times over one event"]
