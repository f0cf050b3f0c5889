"""What is printed: what to watch for, the story line by line, and in the end whether it adds up."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from choreia.demos.incident.audit import Check
from choreia.demos.incident.books import Books
from choreia.demos.incident.chronicle import Line
from choreia.demos.incident.trust import LEAST, Trust
from choreia.runtime.events.display import plain

INTRODUCTION = """\
Five watchers, two responders, one service, and nobody in charge. Watch for
- jumpy, which cries wolf, loses points and is quarantined, while a quorum of
  watchers stays;
- the proposal, which waits for a person. An answer counts if it comes in time,
  from a did:human:, and names the digest of exactly this action;
- the fixer: {fault};
- the end: every incident ends once, and nothing is executed twice, or without
  a person's approval.
"""
FAULTS = {
    "none": "it is well, and does what was approved",
    "hang": "it hangs, is suspected, and the stand-by takes over. When its old\n"
    "  handler comes back, that is fenced",
    "crash": "its thread ends while a person thinks, and the stand-by takes over",
    "slow": "it is slow, but gives signs of life, and nobody suspects it",
}
STYLES = {
    "alarm.raised": "yellow",
    "violation.detected": "magenta",
    "score.updated": "magenta",
    "action.proposed": "cyan",
    "action.approved": "cyan",
    "action.vetoed": "cyan",
    "action.cleared": "cyan",
    "approval.refused": "red",
    "action.expired": "red",
    "agent.suspected_failure": "bold red",
    "action.taken": "bold",
    "agent.restarted": "red",
    "remark": "red",
    "action.executed": "bold green",
    "incident.resolved": "bold green",
    "incident.escalated": "bold red",
}
WHO = 16
"""Characters of who said it."""


def introduce(console: Console, fault: str) -> None:
    """What this is, and what to look at."""
    console.print(Text(INTRODUCTION.format(fault=FAULTS[fault])), soft_wrap=True)


def story(lines: Sequence[Line], *, fold: bool = True) -> Table:
    """A part of the story. Long lines are folded under their beginning, or else cut."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", width=6)
    table.add_column(width=WHO)
    table.add_column(overflow="fold" if fold else "ellipsis", no_wrap=not fold)
    for line in lines:
        who, style = Text(plain(line.who, WHO)), STYLES.get(line.type, "")
        table.add_row(Text(f"{line.time:.1f}"), who, Text(line.text, style=style))
    return table


def scores(trust: Trust) -> Table:
    """Who is trusted, and how much."""
    table = Table("watcher", box=None, padding=(0, 2, 0, 0))
    table.add_column("points", justify="right")
    table.add_column()
    for name, points in trust.scores.items():
        out = "quarantined" if name in trust.quarantined else ""
        style = "red" if points < LEAST else "green"
        table.add_row(Text(name), Text(str(points), style), Text(out, "red"))
    return table


def report(console: Console, books: Books, checks: tuple[Check, ...]) -> None:
    """The scores and the verdict."""
    console.print(Text(), scores(books.trust))
    for check in checks:
        console.print(_line(check))
    console.print(verdict(checks))


def verdict(checks: tuple[Check, ...]) -> Text:
    wrong = [check.name for check in checks if not check.holds]
    if not wrong:
        return Text("It all adds up.", style="bold green")
    return Text(f"It does not add up: {', '.join(wrong)}.", style="bold red")


def _line(check: Check) -> Text:
    mark = ("ok     ", "green") if check.holds else ("WRONG  ", "bold red")
    return Text.assemble(mark, f"{check.name}: {check.says}")
