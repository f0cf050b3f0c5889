"""A store has as many names as it has sources, and remembers only some of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreia import SqliteStore
from choreia.runtime.stores.conformance.making import event, unit
from choreia.runtime.stores.sql import known, readers


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "NAMES", 4)
    monkeypatch.setattr(readers, "NAMES", 4)


def test_what_it_has_forgotten_it_looks_up_again(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "events.db")
    written: list[tuple[str, str]] = []
    for round_ in range(6):
        events = [
            event(f"kind.t{n % 5}", source=f"source-{(7 * round_ + n) % 23}") for n in range(9)
        ]
        written += [(one.type, one.source) for one in events]
        store.commit([unit(one) for one in events], 1.0)
        assert len(store._known.names) <= 4 + 23
    assert [(one.event.type, one.event.source) for one in store.read()] == written
    for source in {source for _, source in written}:
        found = [(one.event.type, one.event.source) for one in store.read(source=source)]
        assert found == [pair for pair in written if pair[1] == source]
    chosen = [one.event.type for one in store.read(pattern="kind.t3")]
    assert chosen == [type for type, _ in written if type == "kind.t3"]
    assert store.verify().whole
    store.close()
    again = SqliteStore(tmp_path / "events.db")
    again.commit([unit(event("kind.new", source="source-3"))], 2.0)
    assert [(one.event.type, one.event.source) for one in again.read(len(written))] == [
        ("kind.new", "source-3")
    ]
    names = again._readers.rows("SELECT count(*), count(DISTINCT name) FROM names")
    assert names[0][0] == names[0][1], "none twice"
    again.close()
