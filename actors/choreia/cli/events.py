"""`choreia events`: what stands in a store's log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

import click

from choreia.cli.opening import opened, output_option, shown, stamp, store_argument, when
from choreia.cli.output import in_json
from choreia.runtime.events.display import brief, redact
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.jsonl import export as export_lines
from choreia.runtime.stores.jsonl import import_into
from choreia.runtime.stores.selecting import selection_of

POLL = 0.2
"""Seconds between two looks at a store that is written to."""


@click.group("events")
def command() -> None:
    """Look at the events of a store, take them out, put them in."""


@command.command()
@store_argument
@click.option("--case", metavar="ID", help="Of one case: its correlation id.")
@click.option("--type", "patterns", multiple=True, metavar="PATTERN", help="Such as 'order.*'.")
@click.option("--source", metavar="AGENT", help="Said by that agent: its name or id.")
@click.option("--after", default=0, show_default=True, help="Behind this position.")
@click.option("--since", metavar="TIME", help="Recorded then, or later.")
@click.option("--until", metavar="TIME", help="Recorded before then.")
@click.option("--limit", type=click.IntRange(1), help="So many at most.")
@output_option
def show(
    where: str,
    case: str | None,
    patterns: tuple[str, ...],
    source: str | None,
    after: int,
    since: str | None,
    until: str | None,
    limit: int | None,
    output: str,
) -> None:
    """Show the events of STORE, in order."""
    first, last = when(since, "--since"), when(until, "--until")
    with opened(where) as store:
        if first is not None:
            after = max(after, _before(store, first))
        up_to = store.head if last is None else _before(store, last)
        found = store.read(
            after,
            pattern=patterns or "#",
            source=_agent(source),
            correlation_id=case,
            up_to=up_to,
        )
        _write(islice(found, limit), output)


@command.command()
@store_argument
@click.option("--type", "patterns", multiple=True, metavar="PATTERN", help="Such as 'order.*'.")
@click.option("-n", "count", default=10, show_default=True, help="So many of those there are.")
@click.option("--follow/--no-follow", default=True, show_default=True, help="Wait for more.")
@output_option
def tail(where: str, patterns: tuple[str, ...], count: int, follow: bool, output: str) -> None:
    """Show the last events of STORE, and those that come, until Ctrl-C."""
    selection = selection_of(patterns or "#", None, None)
    with opened(where) as store:
        last = _last(store, count, patterns)
        _write(iter(last), output)
        at = store.head if not last else max(last[-1].position, store.head)
        while follow:
            new = store.page(at, 500, selection)
            if new:
                _write(iter(new), output if output != "json" else "jsonl")
                at = new[-1].position
                sys.stdout.flush()
            else:
                time.sleep(POLL)


@command.command("export")
@store_argument
@click.argument("file", type=click.File("wb"), default="-")
def export(where: str, file: BinaryIO) -> None:
    """Write all of STORE to FILE (or standard output) as lines of JSON.

    Nothing is left out or masked: the file is as confidential as the store.
    """
    with opened(where) as store:
        for line in export_lines(store):
            file.write(line)


@command.command("import")
@store_argument
@click.argument("file", type=click.File("rb"), default="-")
def import_(where: str, file: BinaryIO) -> None:
    """Fill STORE, which is new or empty, with what was exported to FILE."""
    with opened(where, write=True) as store:
        count = import_into(store, file)
    click.echo(f"{count:,} events")


def _agent(name: str | None) -> str | None:
    """By name it is one of the node `local`; else an id is to be given whole."""
    return name if name is None or ":" in name else f"did:choreia:local:{name}"


def _before(store: EventStore, time: float) -> int:
    """The last position recorded before `time`."""
    import math

    return store.position_at(math.nextafter(time, -math.inf))


def _last(store: EventStore, count: int, patterns: tuple[str, ...]) -> list[Recorded]:
    """The last `count` that match, looked for from the end."""
    found: list[Recorded] = []
    step, end = max(64, count), store.head
    while end > 0 and len(found) < count:
        start = max(0, end - step)
        found = [*store.read(start, pattern=patterns or "#", up_to=end), *found]
        end, step = start, step * 4
    return found[-count:] if count else []


def _write(found: Iterator[Recorded], output: str) -> None:
    if output == "json":
        click.echo(in_json("events", {"events": [*map(as_json, found)]}, indent=2))
        return
    for one in found:
        if output == "jsonl":
            click.echo(in_json("events", as_json(one)))
        else:
            click.echo(as_text(one))


def as_text(one: Recorded) -> str:
    """An event in a line, for people; what is secret is masked."""
    event = one.event
    said = "(erased)" if one.erased else brief(event.payload, 100)
    who = shown(event.source.removeprefix("did:choreia:"), 40)
    return f"{one.position:>8}  {stamp(one.at)}  {event.type:<28}  {who:<24}  {said}"


def as_json(one: Recorded) -> dict[str, Any]:
    """An event for a program that reads; what is secret is masked."""
    event, meta = one.event, one.event.metadata
    return {
        "position": one.position,
        "recorded": one.at,
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "timestamp": event.timestamp,
        "payload": redact(event.payload),
        "metadata": {
            "correlationId": meta.correlation_id,
            "causationId": meta.causation_id,
            "version": meta.version,
            "hops": meta.hops,
            "causes": meta.causes,
            **meta.extensions,
        },
        "live": one.live,
        "erased": one.erased,
    }
