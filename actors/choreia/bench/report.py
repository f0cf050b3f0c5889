"""The table: rates and ratios as medians with their spread, and whether they are in reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.box import HORIZONTALS
from rich.console import Console
from rich.table import Table
from rich.text import Text

from choreia.bench.machine import Machine
from choreia.bench.summary import Finding, Spread, Summary

_TIMES = "\N{MULTIPLICATION SIGN}"

#: How further findings are called and written; the number is converted by the factor.
_FINDINGS = {
    "p50_us": ("latency, median", "µs", 1.0),
    "p99_us": ("latency, 99th percentile", "µs", 1.0),
    "bytes_per_agent": ("memory per idle agent", "KiB", 1 / 1024),
    "answer_seconds": ("all answer one event", "s", 1.0),
    "stop_seconds": ("stop", "s", 1.0),
    "quiet_core_share": ("of a core, nobody listens", "%", 100.0),
    "heard_core_share": ("of a core, somebody listens", "%", 100.0),
}


def show(console: Console, machine: Machine, summaries: Iterable[Summary], *, short: bool) -> None:
    """Print every summary, then why a measurement is missing where one is."""
    made = list(summaries)
    table = Table(
        title="Choreia against its peers", caption=caption(machine, short=short), box=HORIZONTALS
    )
    table.add_column("workload", overflow="fold", min_width=18)  # the longest name
    for heading in ("choreia, per s", "peer, per s", "ratio", "reach"):
        table.add_column(heading, justify="right", no_wrap=True)
    for summary in made:
        table.add_section()
        _add(table, summary, short=short)
    console.print(table)
    for summary in made:
        for error in summary.errors:
            console.print(Text(f"{summary.workload.name}: {error}", style="red"))


def caption(machine: Machine, *, short: bool) -> str:
    """The conditions, and how to read the table."""
    commit = f" ({machine.commit})" if machine.commit else ""
    lines = [
        f"choreia {machine.choreia}{commit}, pykka {machine.pykka}, {machine.python}",
        f"{machine.machine}, {machine.cores} cores, load before: {machine.load:g}",
        "median, lowest to highest; sides in turn, each in a fresh process, unpinned",
    ]
    if short:
        lines.append("short: this shows that everything runs, its numbers mean nothing")
    return "\n".join(lines)


def _add(table: Table, summary: Summary, *, short: bool) -> None:
    workload = summary.workload
    title = Text.assemble((workload.name, "bold"), f" {workload.unit}\n", (workload.title, "dim"))
    peer = Text()
    if workload.peer is not None:
        peer = Text.assemble((f"{workload.peer.library}\n", "dim"), rate(summary.peer))
    table.add_row(
        title,
        rate(summary.choreia),
        peer,
        ratio(summary.ratio),
        _reach(f"≥ {workload.reach:g}{_TIMES}" if workload.reach else "", summary.met, short=short),
    )
    for finding in summary.findings:
        _add_finding(table, finding, short=short)


def _add_finding(table: Table, finding: Finding, *, short: bool) -> None:
    title, unit, factor = _FINDINGS[finding.name]
    ceiling = f"≤ {finding.ceiling * factor:g} {unit}" if finding.ceiling is not None else ""
    table.add_row(
        Text(f"- {title}"),
        _number(finding.choreia, unit, factor),
        _number(finding.peer, unit, factor),
        "",
        _reach(ceiling, finding.met, short=short),
    )


def _reach(target: str, met: bool | None, *, short: bool) -> Text:
    if met is None or short:
        return Text(target)
    return Text(f"{target}\n{'met' if met else 'not met'}", style="green" if met else "red")


def rate(spread: Spread | None) -> Text:
    """Units per second, in thousands from ten thousand on."""
    return Text("-") if spread is None else _spread(spread, _amount)


def ratio(spread: Spread | None) -> Text:
    """How many times faster."""
    return Text("") if spread is None else _spread(spread, lambda number: f"{number:.1f}", _TIMES)


def _spread(spread: Spread, write: Callable[[float], str], suffix: str = "") -> Text:
    """The median; below it the spread, if there is more than one number."""
    middle = Text(write(spread.median) + suffix)
    if spread.low < spread.high:
        middle.append(f"\n{write(spread.low)} to {write(spread.high)}", "dim")
    return middle


def _amount(number: float) -> str:
    return f"{number / 1000:,.0f}k" if number >= 10_000 else f"{number:,.0f}"


def _number(spread: Spread | None, unit: str, factor: float) -> str:
    return "" if spread is None else f"{spread.median * factor:,.2f} {unit}"
