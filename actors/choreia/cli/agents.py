"""`choreia agents`: the agents of a running system, once, as a table."""

from __future__ import annotations

from collections.abc import Iterator

import click

from choreia.cli.attached import attached, count, system_option, text
from choreia.cli.output import columns, output_option, put_out
from choreia.runtime.insight.wording import duration
from choreia.runtime.inspection.reading import Fields, amount_of, part_of, rows_of

HEAD = ("AGENT", "STATE", "MAILBOX", "HANDLED", "FAILED", "OUT", "DROPPED", "IN HAND")
RIGHT = HEAD[2:7]


@click.command("agents")
@system_option
@click.option("--all", "everybody", is_flag=True, help="Also those that are the runtime's own.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=1_000,
    show_default=True,
    help="So many at most.",
)
@output_option
def command(system: str | None, everybody: bool, limit: int, output: str) -> None:
    """The agents of a running system as they are now, those under pressure first.

    \b
      choreia agents
      choreia agents --system orders -o jsonl
    """
    with attached(system) as client:
        said = client.call("snapshot", parts=["agents"], limit=limit)
    found = [one for one in rows_of(said, "agents") if everybody or one.get("kind") != "system"]
    found.sort(key=_urgency)
    totals = part_of(said, "system")
    document = {"time": said.get("time"), "system": totals, "agents": found}
    put_out("agents", output, document, _lines(found), each="agents")
    if not found:
        click.echo("no agents", err=True)
    missing = amount_of(totals, "agents") - amount_of(totals, "shown")
    if missing > 0:
        click.echo(f"and {missing:,.0f} more, under less pressure: see --limit", err=True)


def _urgency(one: Fields) -> tuple[bool, float, float, str]:
    """What is first when it is sorted: suspected agents, then full mailboxes, then busy ones."""
    return not one.get("suspected"), -pressure(one), -amount_of(one, "received"), text(one, "name")


def pressure(one: Fields) -> float:
    """How full its mailbox is: 1 is full."""
    capacity = amount_of(one, "capacity")
    return amount_of(one, "size") / capacity if capacity > 0 else 0.0


def _lines(found: list[Fields]) -> Iterator[str]:
    yield from columns(HEAD, map(_row, found), right=RIGHT)


def _row(one: Fields) -> Iterator[str]:
    yield text(one, "name", 40)
    yield f"! {text(one, 'suspected', 12)}" if one.get("suspected") else text(one, "state", 12)
    yield f"{count(one, 'size')}/{count(one, 'capacity')}"
    for key in ("handled", "failed", "emitted", "dropped"):
        yield count(one, key)
    handler = text(one, "handler", 30)
    yield f"{handler} for {duration(amount_of(one, 'handler_seconds'))}" if handler else ""
