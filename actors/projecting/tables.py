"""The contract of a database with the tables of one projection.

There are two places for tables: those that serve, and those that are being rebuilt beside them,
under the same names, so that the user's SQL need not know which it writes.

**Promises.**

- *One transaction.* What is written in a `transaction` of a place, and its standing with it,
  happens as a whole or not at all, whatever ends the process.
- *A savepoint inside it* takes back what was written since, and nothing before.
- *Compare and set.* Between reading a standing in a transaction and the transaction's end, nobody
  else changes it. So two that write the same tables do not write an event twice.
- *A switch is one transaction*: readers see all the old tables or all the new ones.

Rejected: another file put in the old one's place by `os.replace` (readers that have it open go on
reading the old one, and never learn of it), and suffixes to the tables' names (the user's SQL would
have to be rewritten).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

import attrs


@attrs.frozen
class Standing:
    """How far a set of tables has come, and what made it."""

    shape: str
    """Of what it was made: the class's `version`, and its `tables`. Another shape is a rebuild."""
    build: int = 1
    """Counts rebuilds; tables that are being rebuilt have one more than those that serve."""
    position: int = 0
    """The last event of the log that is in the tables, or was skipped."""
    event_id: str = ""
    """The id of that event: in another log, another stands there."""
    skipped: int = 0
    """Events whose methods raised too often; nothing of them is in the tables."""


class Place(Protocol):
    """One set of tables. For one thread at a time. Raises the driver's errors."""

    def standing(self) -> Standing | None:
        """None when there are no tables."""
        ...

    def begin(self, standing: Standing) -> None:
        """Make the tables, empty, in one transaction."""
        ...

    def transaction(self) -> AbstractContextManager[Any]:
        """The connection, in a transaction that is committed at the end, or taken back when that
        raises."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Inside a transaction: take back what was written in here, if it raises."""
        ...

    def is_whole(self) -> bool:
        """Whether the transaction still stands, after something in it has raised."""
        ...

    def keep(self, standing: Standing) -> None:
        """In a transaction: the tables have come so far."""
        ...


class Database(Protocol):
    """The tables that serve, and those that are being rebuilt."""

    @property
    def serving(self) -> Place: ...

    @property
    def shadow(self) -> Place: ...

    def answering(self) -> AbstractContextManager[Any]:
        """A connection to read the serving tables by; writing raises."""
        ...

    def switch(self, standing: Standing) -> None:
        """What was rebuilt, and stands so, serves, in one transaction; the old tables are gone.

        Raises `Moved` when somebody else did so already.
        """
        ...

    def discard(self) -> None:
        """Let go of what is being rebuilt, if anything is."""
        ...

    def close(self) -> None:
        """Closing twice does nothing. What is used afterwards is opened again."""
        ...


class Moved(Exception):
    """Somebody else has written these tables meanwhile: look again. Never leaves this package."""
