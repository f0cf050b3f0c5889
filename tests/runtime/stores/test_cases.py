"""Who writes remembers only some cases, and none of an earlier run, and the list is right."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from choreia import MemoryStore, SqliteStore
from choreia.runtime.stores.conformance.making import event, unit
from choreia.runtime.stores.jsonl import export, import_into
from choreia.runtime.stores.sql import known, writing


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "CASES", 3)
    monkeypatch.setattr(writing, "CASES", 3)


def test_a_case_that_was_forgotten_does_not_begin_anew(tmp_path: Path) -> None:
    random, model = Random(1), MemoryStore()
    for _ in range(4):
        with closing(SqliteStore(tmp_path / "events.db")) as store:
            for _ in range(30):
                cases = [f"case-{random.randrange(40)}" for _ in range(random.randrange(6))]
                batch = [unit(event(metadata={"correlationId": case})) for case in cases]
                now = random.random()
                store.commit(batch, now)
                model.commit(batch, now)
                assert len(store._known.cases) <= 3
            assert store.cases() == model.cases()
            for before in range(0, model.head, 7):
                page = store.cases(before=before, limit=3)
                assert page == model.cases(before=before, limit=3)
    (tmp_path / "copy").mkdir()
    with closing(SqliteStore(tmp_path / "copy" / "events.db")) as store:
        import_into(store, export(model))
        assert store.cases() == model.cases()
