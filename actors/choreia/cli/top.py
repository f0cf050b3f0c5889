"""`choreia top`: a running system, as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from choreia.cli.attached import system_option
from choreia.cli.opening import output_option
from choreia.runtime.errors import NoSuchSystem
from choreia.runtime.events.display import plain

if TYPE_CHECKING:
    from choreia.console.terminal.link import Connect
    from choreia.runtime.inspection.client import Client

VIEWS: Final = ("agents", "flows", "events", "cases", "presence", "health")
"""In the order of their keys, 1 to 6."""

Size = tuple[int, int]
"""Columns and lines."""
LARGEST: Final = 1_000


def _size(_: click.Context, __: click.Parameter, said: str) -> Size:
    columns, _x, lines = said.partition("x")
    if not (columns.isdecimal() and lines.isdecimal()):
        raise click.BadParameter(f"{plain(said, 40)}: write COLUMNSxLINES, such as 100x30")
    size = (int(columns[:9]), int(lines[:9]))
    if not all(1 <= one <= LARGEST for one in size):
        raise click.BadParameter(f"{plain(said, 40)}: 1 to {LARGEST:,} columns and lines")
    return size


@click.command("top")
@system_option
@click.option(
    "--every",
    type=click.FloatRange(min=0.1, max=3600),
    default=0.5,
    show_default=True,
    metavar="SECONDS",
    help="How often to look.",
)
@click.option("--wait", is_flag=True, help="Wait for a system, and for one that comes again.")
@click.option("--view", type=click.Choice(VIEWS), default="agents", show_default=True)
@click.option("--trace", metavar="CASE|EVENT", help="Begin with the trace of a case.")
@click.option(
    "--export",
    "target",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the view to FILE, an .svg, .html or .json, and end. Needs no terminal.",
)
@click.option(
    "--size",
    default="100x30",
    show_default=True,
    metavar="COLUMNSxLINES",
    callback=_size,
    help="Of what is exported.",
)
@output_option
@click.pass_context
def command(
    context: click.Context,
    system: str | None,
    every: float,
    wait: bool,
    view: str,
    trace: str | None,
    target: Path | None,
    size: Size,
    output: str,
) -> int:
    """Watch a running system: its agents, their mailboxes, events, cases, and what is wrong.

    The system serves it: ActorSystem(inspect=True). Press ? for the keys, q to leave. With -o, and
    where no terminal is, the agents are listed once.

    \b
      choreia top
      choreia top --system orders --view cases
      choreia top --export orders.svg
      choreia top --trace order-7 --export order-7.svg
      choreia top -o json | jq '.agents[] | select(.size > 0) | .name'
    """
    # Here, and not above: help and wrong usage need no rich.
    from choreia.console.terminal import connecting

    connect = connecting.connector(system)
    chosen = context.get_parameter_source("output") is click.core.ParameterSource.COMMANDLINE
    if target is not None:
        if chosen:
            raise click.UsageError("--export tells the format by its file's name: leave out -o")
        _export(target, size, connect, view, trace, every, wait)
        return 0
    from choreia.console.terminal.tty import can_draw

    if chosen or not can_draw():
        _list(connect, view, output, wait)
        return 0
    return _watch(connect, view, trace, every, wait)


def _watch(connect: Connect, view: str, trace: str | None, every: float, wait: bool) -> int:
    from choreia.console.model.console import Console
    from choreia.console.terminal.screen import is_ascii
    from choreia.console.terminal.watch import watch

    ascii = is_ascii()
    try:
        client = connect(None)
    except NoSuchSystem:
        if not wait:
            raise
        client = None
    return watch(
        lambda hello: Console(hello, ascii=ascii, trace=trace),
        connect,
        client=client,
        view=_key(view, trace),
        every=every,
        wait=wait,
    )


def _list(connect: Connect, view: str, output: str, wait: bool) -> None:
    from choreia.console.terminal import table
    from choreia.console.terminal.screen import is_ascii

    if view != VIEWS[0]:
        click.echo(f"--view {view} is for a terminal, or --export: here are the agents", err=True)
    with _connected(connect, wait) as client:
        found = table.taken(client)
    if output == "json":
        click.echo(table.as_json(found))
        return
    lines = (
        table.as_json_lines(found) if output == "jsonl" else table.as_text(found, ascii=is_ascii())
    )
    click.echo("\n".join(lines))


def _export(
    target: Path,
    size: Size,
    connect: Connect,
    view: str,
    trace: str | None,
    every: float,
    wait: bool,
) -> None:
    from choreia.console.model.console import Console
    from choreia.console.terminal.export import KINDS, exported, kind_of
    from choreia.console.terminal.shot import look

    kind = kind_of(target)
    if kind is None:
        known = ", ".join(f".{one}" for one in KINDS)
        raise click.BadParameter(
            f"{target.name!r}: what to write is told by how the name ends: {known}",
            param_hint="--export",
        )
    client = _connected(connect, wait)
    model, node = look(
        lambda hello: Console(hello, trace=trace),
        connect,
        client,
        view=_key(view, trace),
        every=every,
    )
    title = f"choreia top: {node}, {view if trace is None else f'trace of {plain(trace, 60)}'}"
    text = exported(kind, model.lines(*size), model.document(), size, title)
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(plain(str(target)), error.strerror) from error
    click.echo(f"wrote {target}", err=True)


def _connected(connect: Connect, wait: bool) -> Client:
    from choreia.console.terminal.connecting import wait_for

    return wait_for(connect) if wait else connect(None)


def _key(view: str, trace: str | None) -> str:
    """What to press to begin with; nothing, where a trace is seen."""
    return str(VIEWS.index(view) + 1) if trace is None else ""
