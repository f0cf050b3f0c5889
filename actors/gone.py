"""What the agents did that are gone, or sleep: so that sums over all agents never go back."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from choreia.actors.record import Record
    from choreia.runtime.delivery.cell import Cell


class Gone:
    """Sums. Change them with the roster's lock held."""

    __slots__ = ("dropped", "failed", "handled", "restarts")

    def __init__(self) -> None:
        self.handled = 0
        self.failed = 0
        self.dropped = 0
        self.restarts = 0

    def add(self, cell: Cell) -> None:
        """It is taken off the roster."""
        self.handled += cell.handled
        self.failed += cell.failed
        self.dropped += cell.mailbox.dropped
        self.restarts += cast("Record", cell.owner).incarnation - 1
