"""Watching the day from outside: how far the orders are, and how full the mailboxes."""

from __future__ import annotations

from collections import Counter

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from choreia import ActorSystem, Event
from choreia.demos.cast import agents_table

STEPS = (
    ("order.created", "order.cancelled"),
    ("inventory.reserved", "inventory.released"),
    ("payment.charged", "payment.refunded"),
    ("order.shipped", "cancellation.refused"),
)
"""What is done, and what undoes it; at the point of no return, what is no longer undone."""
ENDS = ("order.completed", "order.cancelled")

BAR = 40
"""Characters."""
FRAMES = 100
"""While the orders come in; afterwards there is one for each tenth of a second."""
BACKLOG = 10_000


class Watch:
    """Counts what is published, and shows it beside what `system.inspect` sees."""

    def __init__(self, system: ActorSystem, total: int) -> None:
        self.system = system
        self.total = total
        self.seen: Counter[str] = Counter()
        types = sorted({*ENDS, *(type for step in STEPS for type in step)})
        system.subscribe(
            "#",
            self._count,
            {"type": {"$in": types}},
            name="watch",
            mailbox=BACKLOG,
            # Who only looks on, and is behind, misses something: it holds up nobody.
            overflow="drop_newest",
            passive=True,
        )

    def _count(self, event: Event) -> None:
        self.seen[event.type] += 1

    @property
    def ended(self) -> int:
        """Orders that have come to an end, as far as is known here."""
        return sum(self.seen[type] for type in ENDS)

    def __rich__(self) -> RenderableType:
        return Group(self._bar(), Text(), self._steps(), Text(), agents_table(self.system))

    def _bar(self) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self.total, completed=self.ended, width=BAR)
        grid.add_row("orders", bar, f"{self.ended:,} of {self.total:,}")
        return grid

    def _steps(self) -> Table:
        table = Table("done", "", "undone", "", box=None, padding=(0, 2, 0, 0))
        for done, undone in STEPS:
            table.add_row(done, f"{self.seen[done]:,}", undone, f"{self.seen[undone]:,}")
        return table


class Screen:
    """Draws a `Watch` from the main thread; draws nothing where there is no terminal."""

    def __init__(self, console: Console, watch: Watch) -> None:
        self.live = Live(watch, console=console, auto_refresh=False, transient=True)
        self.shown = console.is_terminal and not console.quiet
        self.every = max(1, watch.total // FRAMES)

    def __enter__(self) -> Screen:
        if self.shown:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def placed(self, number: int) -> None:
        """The `number`-th order has been placed."""
        if number % self.every == 0:
            self.draw()

    def draw(self) -> None:
        if self.shown:
            self.live.refresh()
