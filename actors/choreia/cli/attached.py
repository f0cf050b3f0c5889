"""What commands share that look at a running system."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import click
from click.shell_completion import CompletionItem

from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.display import plain
from choreia.runtime.inspection.client import Client
from choreia.runtime.inspection.finding import find, systems
from choreia.runtime.inspection.reading import Fields, count_of, rows_of

HURRY = 1.0
"""Seconds that a system has to answer while somebody waits for a completion."""


def _some_system(
    context: click.Context, param: click.Parameter, begun: str
) -> list[CompletionItem]:
    try:
        known = [(str(one.hello.get("node")), str(one.hello.get("pid"))) for one in systems()]
    except (ChoreiaError, OSError):
        return []
    return [
        CompletionItem(word, help=f"process {pid}" if word == node else f"node {node}")
        for node, pid in known
        for word in (node, pid)
        if word.startswith(begun)
    ]


system_option = click.option(
    "--system",
    metavar="NODE|PID|PATH",
    help="Which system, if several are running. [env var: CHOREIA_SYSTEM]",
    shell_complete=_some_system,
)


@contextmanager
def attached(system: str | None) -> Generator[Client, None, None]:
    """A connection to the system that is meant. Raises `NoSuchSystem`, `SeveralSystems`."""
    with Client(find(system)) as client:
        yield client


def some_agent(context: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """The agents of the running system whose names begin so; quietly none, if there is none."""
    try:
        with Client(find(context.params.get("system")), HURRY) as client:
            found = rows_of(client.call("snapshot", parts=["agents"], limit=1_000), "agents")
    except (ChoreiaError, OSError):
        return []
    names = sorted(plain(str(one["name"])) for one in found if one.get("kind") != "system")
    return [CompletionItem(name) for name in names if name.startswith(begun)]


agent_argument = click.argument("agent", metavar="NAME", shell_complete=some_agent)


def text(data: Fields, key: str, limit: int = 80) -> str:
    """What a system says there, fit for a terminal; empty for what is not there."""
    found = data.get(key)
    return "" if found is None else plain(str(found), limit)


def count(data: Fields, key: str) -> str:
    """A number for people."""
    return f"{count_of(data, key):,}"
