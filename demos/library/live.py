"""Watching from outside: how far the documents are, and how full the mailboxes."""

from __future__ import annotations

from collections import Counter

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from choreia import ActorSystem, Event, IdleTimeout
from choreia.demos.cast import agents_table

STEPS = (
    ("document.received", "documents received"),
    ("document.processed", "parts cut into passages"),
    ("embedding.generated", "passages embedded"),
    ("memory.updated", "things remembered"),
    ("question.asked", "questions asked"),
    ("question.answered", "questions answered"),
)
BACKLOG = 10_000
LOOK = 0.1
"""Seconds between two looks."""


class Watch:
    """Counts what is published, and shows it beside what `system.inspect` sees."""

    def __init__(self, system: ActorSystem) -> None:
        self.system = system
        self.seen: Counter[str] = Counter()
        self.writing = ""
        """The piece of an answer that came last."""
        types = [*(type for type, _ in STEPS), "answer.progressed"]
        # Who only looks on, and is behind, misses something: it holds up nobody.
        system.subscribe(
            "#",
            self._note,
            {"type": {"$in": types}},
            mailbox=BACKLOG,
            overflow="drop_newest",
            passive=True,
        )

    def _note(self, event: Event) -> None:
        self.seen[event.type] += 1
        if event.type == "answer.progressed":
            self.writing = str(event.payload["piece"])

    def __rich__(self) -> RenderableType:
        return Group(
            self._steps(), Text(), agents_table(self.system), Text(self.writing, style="dim")
        )

    def _steps(self) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right")
        for type, text in STEPS:
            table.add_row(f"{self.seen[type]:,}", text)
        return table


class Screen:
    """Draws a `Watch` from the main thread while it waits; nothing where there is no terminal."""

    def __init__(self, console: Console, system: ActorSystem) -> None:
        self.system = system
        shown = console.is_terminal and not console.quiet
        self.live = Live(console=console, auto_refresh=False, transient=True) if shown else None
        self.watch = Watch(system) if shown else None

    def __enter__(self) -> Screen:
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live is not None:
            self.live.stop()

    def rest(self) -> None:
        """Wait until nothing is in flight, and draw meanwhile."""
        while not self._at_rest():
            if self.live is not None and self.watch is not None:
                self.live.update(self.watch, refresh=True)

    def _at_rest(self) -> bool:
        try:
            self.system.wait_idle(timeout=LOOK)
        except IdleTimeout:
            return False
        return True
