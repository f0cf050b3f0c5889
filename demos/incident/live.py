"""What a person sees while it goes on: the agents, the scores, and how the story goes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from choreia import ActorSystem, AgentView
from choreia.demos.incident.books import Books
from choreia.demos.incident.report import scores, story

FEWEST = 4
"""Lines of the story that are shown at least, and as many more as there is room for."""


class Teller:
    """Prints the story as it goes on, line by line. A context manager, as `Screen` is one."""

    def __init__(self, console: Console, books: Books) -> None:
        self.console = console
        self.books = books
        self.told = 0

    def __enter__(self) -> Teller:
        return self

    def __exit__(self, *_: object) -> None: ...

    @contextmanager
    def aside(self) -> Generator[None, None, None]:
        """While somebody else has the terminal."""
        self.look()  # whoever is asked something should know what has happened
        yield

    def end(self) -> None:
        self.look()

    def look(self) -> None:
        lines = self.books.chronicle.lines[self.told :]
        if lines:
            self.told += len(lines)
            self.console.print(story(lines))


class Screen:
    """Draws everything anew, in place. A context manager, for a terminal."""

    def __init__(self, console: Console, system: ActorSystem, books: Books) -> None:
        self.console = console
        self.system = system
        self.books = books
        self.live = Live(self, console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Screen:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    @contextmanager
    def aside(self) -> Generator[None, None, None]:
        """While somebody else has the terminal."""
        self.live.stop()
        yield
        self.live.start()

    def end(self) -> None:
        """What was drawn is gone from the screen: here is the whole story."""
        self.console.print(story(self.books.chronicle.lines))

    def look(self) -> None:
        self.live.refresh()

    def __rich__(self) -> RenderableType:
        above = Table.grid(padding=(0, 4, 0, 0))
        above.add_row(self._agents(), scores(self.books.chronicle.trust))
        rows = len(self.console.render_lines(above, pad=False))
        room = max(FEWEST, self.console.height - rows - 3)
        return Group(above, Text(), story(self.books.chronicle.lines[-room:], fold=False))

    def _agents(self) -> Table:
        table = Table("agent", "state", "suspected", box=None, padding=(0, 2, 0, 0))
        table.add_column("handled", justify="right")
        for agent in self.system.inspect().agents:
            if agent.kind == "agent":
                table.add_row(*_row(agent))
        return table


def _row(agent: AgentView) -> tuple[Text, Text, Text, Text]:
    name = agent.name if agent.incarnation == 1 else f"{agent.name} ({agent.incarnation})"
    suspected = Text(agent.suspected or "", style="bold red")
    return Text(name), Text(agent.state), suspected, Text(f"{agent.handled:,}")
