"""`choreia publish`: say something to a running system, or into a store for whoever starts next."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from choreia.cli.attached import attached, system_option, text
from choreia.cli.output import output_option, put_out
from choreia.runtime.errors import ChoreiaError, InvalidStore
from choreia.runtime.events.event import Event, Metadata
from choreia.runtime.events.strictjson import parse

SOURCE = "choreia-publish"
"""Of events that no running system has made."""


@click.command("publish")
@click.argument("type", metavar="TYPE")
@click.argument("payload", metavar="[JSON]", default="{}")
@system_option
@click.option(
    "--store",
    metavar="STORE",
    allow_from_autoenv=False,
    help="Into this store, which must not be in use: its agents handle it when they are started.",
)
@output_option
def command(type: str, payload: str, system: str | None, store: str | None, output: str) -> None:
    """Publish an event of TYPE, with JSON as its payload (- reads it from standard input).

    To a running system, if it is served with `--control`; or into a store.

    \b
      choreia publish order.placed '{"id": "A-1", "item": "tea"}'
      choreia publish order.placed --store orders.db - < order.json
    """
    if store is not None and system is not None and _typed("system"):
        raise click.UsageError("give --system or --store: it goes to one of them")
    said = _payload(sys.stdin.read() if payload == "-" else payload)
    id = _to_system(system, type, said) if store is None else _into(store, type, said)
    put_out("publish", output, {"id": id, "type": type}, [id])


def _typed(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is click.core.ParameterSource.COMMANDLINE


def _payload(given: str) -> dict[str, object]:
    try:
        return parse(given)
    except ChoreiaError as error:
        raise click.BadParameter(f"give a JSON object: {error}", param_hint="JSON") from error


def _to_system(system: str | None, type: str, payload: dict[str, object]) -> str:
    with attached(system) as client:
        return text(client.call("publish", type=type, payload=payload), "id")


def _into(where: str, type: str, payload: dict[str, object]) -> str:
    import orjson

    from choreia.cli.opening import opened
    from choreia.runtime.stores.unit import Unit

    event = Event(type, SOURCE, payload)
    event = event.evolve(metadata=Metadata(correlation_id=event.id))  # a case of its own
    if "://" not in where and not Path(where).exists():
        raise InvalidStore(
            f"there is no store at {where}: `choreia run … --store {where}` makes one"
        )
    with opened(where, write=True) as found:
        [outcome] = found.commit([Unit([event], [orjson.dumps(payload)], strict=True)], time.time())
    if isinstance(outcome, ChoreiaError):
        raise outcome
    return event.id
