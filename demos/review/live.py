"""What a person sees while the agents work: how far they are, and how full their mailboxes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import TracebackType

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from choreia import ActorSystem
from choreia.actors.info import AgentView
from choreia.demos.review.report import Report

BAR = 16


class LiveView:
    """A progress bar, files per second, and every agent's mailbox. A context manager.

    It looks from outside, in the thread that waits: the agents do not know that they are seen.
    """

    def __init__(self, system: ActorSystem, report: Report, total: int, console: Console) -> None:
        self._system = system
        self._report = report
        self._began = time.monotonic()
        rate = TextColumn("{task.fields[rate]}")
        self._bar = Progress(TextColumn("files"), BarColumn(40), MofNCompleteColumn(), rate)
        self._task = self._bar.add_task("files", total=total, rate="")
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def update(self) -> None:
        done = self._report.done
        rate = done / max(time.monotonic() - self._began, 1e-9)
        self._bar.update(self._task, completed=done, rate=f"{rate:,.0f} files/s")
        self._live.update(Group(self._bar, pressure(self._system)), refresh=True)


def pressure(system: ActorSystem) -> Table:
    """How full everybody's mailbox is now."""
    table = _table("agent", "state", "mailbox", numbers=("queued", "most", "over", "waiting"))
    for agent in _agents(system):
        numbers = (agent.mailbox_size, agent.high_water, agent.overflowed, agent.parked)
        table.add_row(agent.name, agent.state, _fill(agent), *_figures(numbers))
    return table


def totals(system: ActorSystem) -> Table:
    """How full everybody's mailbox has been, and what went through it."""
    table = _table("agent", numbers=("mailbox", "most", "over", "handled", "dead", "emitted"))
    for agent in _agents(system):
        fill = (agent.mailbox_capacity, agent.high_water, agent.overflowed)
        table.add_row(agent.name, *_figures((*fill, agent.handled, agent.failed, agent.emitted)))
    return table


def _agents(system: ActorSystem) -> list[AgentView]:
    return [agent for agent in system.inspect().agents if agent.kind == "agent"]


def _figures(numbers: Iterable[int]) -> list[str]:
    return [f"{number:,}" if number else "" for number in numbers]


def _table(*texts: str, numbers: Iterable[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in texts:
        table.add_column(column, no_wrap=True)
    for column in numbers:
        table.add_column(column, justify="right")
    return table


def _fill(agent: AgentView) -> Text:
    share = min(agent.mailbox_size / agent.mailbox_capacity, 1.0)
    filled = round(share * BAR)
    style = "red" if share >= 1 else "yellow" if share >= 0.5 else "green"
    return Text.assemble(("█" * filled, style), ("░" * (BAR - filled), "dim"))
