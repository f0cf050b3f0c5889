"""What a turn, and whoever ends one, must know of a ledger: as a contract that a layer above
implements (`choreia.runtime.durable`)."""

from __future__ import annotations

from typing import Protocol


class Ledger(Protocol):
    """What one agent has done since the last commit. For the thread that owns the cell."""

    @property
    def durable(self) -> bool:
        """Whether the agent has a cursor, and goes on where it stopped."""
        ...

    @property
    def remembers(self) -> bool:
        """Whether something is kept about an event that may come back."""
        ...

    def handled(self, item: object) -> None:
        """The agent is done with `item`, well or as a dead letter: never give it again."""
        ...

    def forget(self) -> None:
        """Nobody will use it again: refer to nothing that refers back."""
        ...

    def mark(self) -> int:
        """Where the log ends now, for `farewell`; before the mailbox is closed."""
        ...

    def farewell(self, left: list[object], mark: int) -> None:
        """The agent ends, with `left` in its mailbox: commit what it has done, and let its timers
        rest."""
        ...
