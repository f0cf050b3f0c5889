"""`choreia demo`: the demos, each one line here and loaded only when it is named."""

from __future__ import annotations

import click

from choreia.cli.lazy import LazyCommand

DEMOS = (
    LazyCommand(
        "incident",
        "choreia.demos.incident.command",
        "Alarms, a person's approval, a fixer that hangs, a stand-by.",
    ),
    LazyCommand(
        "library",
        "choreia.demos.library.command",
        "Documents become a memory, and conversations remember.",
    ),
    LazyCommand(
        "orders",
        "choreia.demos.orders.command",
        "An order saga: failed payments, empty shelves, compensations.",
    ),
    LazyCommand(
        "review",
        "choreia.demos.review.command",
        "A guild that reviews Python source: it bids, debates, reports.",
    ),
)


@click.group()
def demo() -> None:
    """Run a demo choreography."""


for _command in DEMOS:
    demo.add_command(_command)


@demo.command("list")
def list_demos() -> None:
    """List the demos."""
    width = max(len(str(command.name)) for command in DEMOS)
    for command in DEMOS:
        click.echo(f"{command.name:<{width}}  {command.text}")
