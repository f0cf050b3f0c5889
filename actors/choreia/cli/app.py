"""The tree of commands: one line for each, and its module is loaded only when it is named."""

from __future__ import annotations

import click

from choreia.cli.demo import demo
from choreia.cli.lazy import LazyCommand

COMMANDS = (
    ("run", "choreia.cli.run", "Run a choreography until it is told to end."),
    ("ps", "choreia.cli.ps", "Which systems are running."),
    ("top", "choreia.cli.top", "Watch a running system."),
    ("agents", "choreia.cli.agents", "The agents of a running system, under pressure first."),
    ("agent", "choreia.cli.agent", "One agent of a running system, looked at closely."),
    ("publish", "choreia.cli.publish", "Publish an event: to a running system, or into a store."),
    ("control", "choreia.cli.control", "Pause, resume, restart, stop agents; redeliver."),
    ("events", "choreia.cli.events", "Look at the events of a store, export, import."),
    ("deadletters", "choreia.cli.deadletters", "What agents could not handle."),
    ("store", "choreia.cli.store", "Check a store, tidy it up, erase from it."),
    ("state", "choreia.cli.state", "What an agent knew, now or at any moment."),
    ("replay", "choreia.cli.replay", "Step through history, and what it changed."),
    ("fork", "choreia.cli.fork", "What would have come of it, with one thing changed."),
    ("cases", "choreia.cli.cases", "How the cases of a store stand, and why."),
    ("case", "choreia.cli.case", "How one case stands, and why."),
    ("trace", "choreia.cli.trace", "What came of what in a case, and how long it took."),
    ("explain", "choreia.cli.explain", "Why an event reached whom it reached."),
    ("map", "choreia.cli.map", "Who says what to whom, as it is declared."),
    ("check", "choreia.cli.check", "What is wrong with a choreography as declared."),
    ("new", "choreia.cli.new", "Begin a project: two agents, and a test of them."),
    ("config", "choreia.cli.config", "Which options are set, and where."),
    ("doctor", "choreia.cli.doctor", "Whether this machine has what Choreia needs."),
    ("version", "choreia.cli.version", "The versions of Choreia, Python and the platform."),
    ("bench", "choreia.bench.command", "Measure this machine, side by side with pykka."),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="choreia")
def app() -> None:
    """Choreia: agents react to events, and nobody directs them."""


app.add_command(demo)
for _command in COMMANDS:
    app.add_command(LazyCommand(*_command))
