"""The tree of commands, and what the shell runs."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from choreia.cli.demo import demo
from choreia.cli.failures import run
from choreia.cli.lazy import LazyCommand


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="choreia")
def app() -> None:
    """Choreia: agents react to events, and nobody directs them."""


app.add_command(demo)
app.add_command(
    LazyCommand("bench", "choreia.bench.command", "Measure this machine, side by side with pykka.")
)

app.add_command(LazyCommand("top", "choreia.cli.top", "Watch a running system."))
app.add_command(
    LazyCommand("events", "choreia.cli.events", "Look at the events of a store, export, import.")
)
app.add_command(
    LazyCommand("deadletters", "choreia.cli.deadletters", "What agents could not handle.")
)
app.add_command(
    LazyCommand("store", "choreia.cli.store", "Check a store, tidy it up, erase from it.")
)
app.add_command(
    LazyCommand("state", "choreia.cli.state", "What an agent knew, now or at any moment.")
)
app.add_command(
    LazyCommand("replay", "choreia.cli.replay", "Step through history, and what it changed.")
)
app.add_command(
    LazyCommand("fork", "choreia.cli.fork", "What would have come of it, with one thing changed.")
)
app.add_command(
    LazyCommand("cases", "choreia.cli.cases", "How the cases of a store stand, and why.")
)
app.add_command(LazyCommand("case", "choreia.cli.case", "How one case stands, and why."))
app.add_command(
    LazyCommand("trace", "choreia.cli.trace", "What came of what in a case, and how long it took.")
)
app.add_command(
    LazyCommand("explain", "choreia.cli.explain", "Why an event reached whom it reached.")
)
app.add_command(LazyCommand("map", "choreia.cli.map", "Who says what to whom, as it is declared."))
app.add_command(
    LazyCommand("check", "choreia.cli.check", "What is wrong with a choreography as declared.")
)


def main() -> NoReturn:
    sys.exit(run(app, sys.argv[1:]))
