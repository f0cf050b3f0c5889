"""The store in memory keeps the contract."""

from __future__ import annotations

from pathlib import Path

from choreia import MemoryStore
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.conformance import StoreConformance


class TestMemory(StoreConformance):
    durable = False

    def make(self, folder: Path) -> EventStore:
        return MemoryStore()
