"""The SQLite store keeps the contract."""

from __future__ import annotations

from pathlib import Path

from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.conformance import StoreConformance
from choreia.runtime.stores.sqlite import SqliteStore


class TestSqlite(StoreConformance):
    def make(self, folder: Path) -> EventStore:
        return SqliteStore(folder / "events.db")
