"""`choreia control`: change something in a running system that allows it."""

from __future__ import annotations

import click

from choreia.cli.attached import agent_argument, attached, system_option, text
from choreia.cli.output import output_option, put_out


@click.group("control")
def command() -> None:
    """Change something in a running system, if it is served with `--control`.

    Each change leaves an event, system.controlled, that says who made it.
    """


def _change(verb: str, system: str | None, output: str, **args: object) -> None:
    with attached(system) as client:
        done = client.call(verb, **args)
    put_out("control", output, {"verb": verb, **args, **done}, [text(done, "done", 300)])


def _of_agent(verb: str, help: str) -> None:
    @command.command(verb, help=help)
    @agent_argument
    @system_option
    @output_option
    def change(agent: str, system: str | None, output: str) -> None:
        _change(verb, system, output, agent=agent)


_of_agent("pause", "Have an agent handle no more events; they wait in its mailbox.")
_of_agent("resume", "Have a paused agent go on.")
_of_agent("restart", "Have a new instance of an agent take its place.")
_of_agent("stop", "Stop an agent when it has handled what waits.")


@command.command()
@agent_argument
@click.argument("event", metavar="ID")
@system_option
@output_option
def redeliver(agent: str, event: str, system: str | None, output: str) -> None:
    """Give a dead letter to its agent again: the event of that ID."""
    _change("redeliver", system, output, agent=agent, event=event)
