"""The contract's tests. Whoever writes a store derives a test class from `StoreConformance`.

    class TestMine(StoreConformance):
        def make(self, folder: Path) -> EventStore:
            return MyStore(folder / "mine")

It needs nothing but functions that assert, so any test runner will do; with pytest, ``tmp_path`` is
the folder.
"""

from __future__ import annotations

from choreia.runtime.stores.conformance.beside import BesideConformance
from choreia.runtime.stores.conformance.cases import CasesConformance
from choreia.runtime.stores.conformance.log import LogConformance
from choreia.runtime.stores.conformance.whole import WholeConformance


class StoreConformance(LogConformance, BesideConformance, CasesConformance, WholeConformance):
    """Every promise of `EventStore`; see the module."""
