"""What the one who writes a store knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from choreia.runtime.stores.chain import ORIGIN
from choreia.runtime.stores.sql.connection import Connection

if TYPE_CHECKING:
    from choreia.runtime.stores.sql.writing import Batch

NAMES = 50_000
"""Names whose numbers are remembered. There may be millions: each keyed agent is a source."""
CASES = 20_000
"""Cases that are remembered; see `cases`."""


@attrs.define
class Known:
    """What the writer knows of the file, so that it need not ask."""

    head: int = 0
    link: bytes = ORIGIN
    at: float = 0.0
    names: dict[str, int] = attrs.field(factory=dict[str, int])
    """The numbers of some."""
    last_name: int = 0
    """The greatest number."""
    types: set[str] = attrs.field(factory=set[str])
    """Names that are types of events."""
    erased: set[str] = attrs.field(factory=set[str])
    """Sources of which something was erased since the store was opened: their agents may know it
    still, so no snapshots of them are kept."""
    seats: dict[str, tuple[int, int]] = attrs.field(factory=dict[str, tuple[int, int]])
    """Epoch and position of the agents that took their places in this run."""

    cases: set[str] = attrs.field(factory=set[str])
    """Some that have begun."""

    @classmethod
    def read(cls, db: Connection) -> Known:
        known = cls()
        (known.last_name,) = db.execute("SELECT coalesce(max(number), 0) FROM names").fetchone()
        types = db.execute("SELECT name FROM types JOIN names ON names.number = types.name_number")
        known.types = {name for (name,) in types}
        last = db.execute(
            "SELECT position, link, at FROM events ORDER BY position DESC LIMIT 1"
        ).fetchone()
        if last is not None:
            known.head, known.link, known.at = last
        return known

    def learn(self, batch: Batch) -> None:
        """It is on disk."""
        if batch.head > self.head:  # else nothing was recorded at that time
            self.at = batch.at
        self.head, self.link = batch.head, batch.link
        self.last_name = batch.last_name
        self.types |= batch.types
        if len(self.names) + len(batch.names) > NAMES:
            self.names.clear()
        self.names.update(batch.names)
        self.seats.update(batch.seats)
        if len(self.cases) + len(batch.cases) > CASES:
            self.cases.clear()
        self.cases |= batch.cases


class IdTaken(Exception):
    """One of the ids stands in the log: the batch has to be written with care."""
