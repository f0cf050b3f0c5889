"""What a person sees in the end: the result as tables.

Everything that came from files (paths, names, messages) is stripped of what a terminal would
obey, and never read as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from choreia.demos.review.events import FindingSettled
from choreia.demos.review.report import Report
from choreia.runtime.events.display import plain

ROWS = 15
"""Of the long tables; the JSON has everything."""


def show(report: Report, console: Console) -> None:
    """Print the result."""
    for table in (_findings(report), _rules(report), _tangled(report), _unread(report)):
        if table.row_count:
            console.print(table)
    summary = ", ".join(f"{name}: {number:,}" for name, number in report.summary().items())
    console.print(summary, highlight=False, markup=False)


def _findings(report: Report) -> Table:
    groups = _groups(report.heaviest)
    table = _table(_title("Heaviest findings", groups), ["weight"], ["where", "what"])
    for item, *others in groups[:ROWS]:
        finding = item.finding
        what = finding.message + (f" (and {len(others)} more such)" if others else "")
        table.add_row(f"{item.weight:.2f}", shown(f"{finding.path}:{finding.line}"), shown(what))
    return table


def _groups(findings: Sequence[FindingSettled]) -> list[list[FindingSettled]]:
    """A file with one fault in a hundred places is one row, not a hundred."""
    groups: dict[tuple[str, str, float], list[FindingSettled]] = {}
    for item in findings:
        key = item.finding.path, item.finding.rule, item.weight
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def _rules(report: Report) -> Table:
    table = _table("Findings by rule", ["raised", "upheld", "dismissed"], ["rule"])
    for rule, counts in report.rules().items():
        raised, upheld = counts["raised"], counts["upheld"]
        table.add_row(*_numbers(raised, upheld, raised - upheld), rule)
    return table


def _tangled(report: Report) -> Table:
    functions = report.most_complex(ROWS)
    table = _table(
        "Most complex functions", ["complexity", "lines", "nesting"], ["where", "function"]
    )
    for path, item in functions:
        where = shown(f"{path}:{item.line}")
        table.add_row(
            *_numbers(item.complexity, item.length, item.nesting), where, shown(item.name)
        )
    return table


def _unread(report: Report) -> Table:
    table = _table(_title("Could not be read", report.unread), [], ["file", "reason"])
    for path, reason in report.unread[:ROWS]:
        table.add_row(shown(path), shown(reason))
    return table


def shown(text: str) -> Text:
    """Text from a file, fit for a terminal."""
    return Text(plain(text), overflow="fold")


def _numbers(*numbers: int) -> Iterator[str]:
    return (f"{number:,}" for number in numbers)


def _title(what: str, rows: Sequence[object]) -> str:
    return what if len(rows) <= ROWS else f"{what} ({ROWS} of {len(rows):,})"


def _table(title: str, numbers: Sequence[str], texts: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in numbers:
        table.add_column(column, justify="right")
    for column in texts:
        table.add_column(column)
    return table
