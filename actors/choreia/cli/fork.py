"""`choreia fork`: what would have come of it, with one thing changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import orjson

from choreia.actors.difference import difference
from choreia.actors.forking import Divergence, Fork, fork
from choreia.cli.looking import (
    build_function,
    build_option,
    difference_lines,
    differences_as_json,
    moment,
)
from choreia.cli.opening import shown, store_argument
from choreia.cli.output import output_option, put_out
from choreia.runtime.events.display import brief, redact
from choreia.runtime.events.event import Event


@click.command("fork")
@store_argument
@click.option("--at", required=True, metavar="POSITION|ID", help="The event that is changed.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Such as payload.amount=5; the value is JSON, or else text.",
)
@build_option
@click.option("--node", help="Whose agents they are, if several nodes wrote to the store.")
@click.option("--seed", default=0, show_default=True, help="Of what is left to chance.")
@output_option
def command(
    where: str,
    at: str,
    settings: tuple[str, ...],
    build_name: str | None,
    node: str | None,
    seed: int,
    output: str,
) -> None:
    """Run what happened in STORE once more, with one event changed, and show what differs.

    \b
      choreia fork orders.db --at 17 --set payload.order.quantity=90 \\
        --build choreia.demos.orders:build

    It runs in a copy in memory, and STORE stays as it is. But the agents' handlers do run: those
    that call something outside call it again, unless the function gives them a stand-in.
    """
    if build_name is None:
        raise click.UsageError("say who is to play again: --build MODULE:FUNCTION")
    place = moment(at, "--at")
    if not isinstance(place, (int, str)):
        raise click.BadParameter("give a position or the id of an event", param_hint="--at")
    change = dict(map(_setting, settings))
    result = fork(where, place, change, build_function(build_name), node=node, seed=seed)
    put_out("fork", output, _as_json(result), _lines(result))


def _setting(text: str) -> tuple[str, object]:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise click.BadParameter(
            f"{shown(text)}: write PATH=VALUE, such as payload.amount=5", param_hint="--set"
        )
    try:
        return path, orjson.loads(value)
    except orjson.JSONDecodeError:
        return path, value


def _lines(result: Fork) -> Iterator[str]:
    yield f"at {result.at}, {result.before.type} of {_who(result.before)}"
    for line in difference_lines(_change(result)):
        yield f"    {line}"
    yield ""
    for one in result.divergences:
        if one.event.id != result.before.id:
            yield from _divergence_lines(one)
    for source, differences in result.states:
        yield f"in the end {shown(source.removeprefix('did:choreia:'))} knows"
        for line in difference_lines(differences):
            yield f"    {line}"
    yield _sum(result)
    yield from _notes(result)


def _divergence_lines(one: Divergence) -> Iterator[str]:
    said = f"  {brief(one.event.payload, 80)}" if one.kind != "changed" else ""
    place = one.position if one.kind != "new" else ""
    yield f"{one.kind:<8}{place:>8}  {one.event.type:<28}  {_who(one.event):<24}{said}".rstrip()
    for line in difference_lines(one.differences):
        yield f"    {line}"


def _sum(result: Fork) -> str:
    others = [one.kind for one in result.divergences if one.event.id != result.before.id]
    counts = ", ".join(f"{others.count(kind):,} {kind}" for kind in ("changed", "gone", "new"))
    return f"{result.same:,} events as they were, {counts}"


def _notes(result: Fork) -> Iterator[str]:
    if result.beyond:
        yield (
            f"note: {result.beyond:,} more events answer what nobody had handled yet when the log "
            "ended; they are not told"
        )
    for name, cls in result.anew:
        yield (
            f"note: {name} ({cls}) keeps what it knows in plain attributes: it knew nothing when "
            "it began here"
        )


def _change(result: Fork) -> Any:
    return difference({"payload": result.before.payload}, {"payload": result.after.payload})


def _who(event: Event) -> str:
    return shown(event.source.removeprefix("did:choreia:"), 40)


def _as_json(result: Fork) -> dict[str, object]:
    return {
        "at": result.at,
        "event": _event_as_json(result.before),
        "change": differences_as_json(_change(result)),
        "same": result.same,
        "differs": result.differs,
        "divergences": [
            {
                "kind": one.kind,
                "position": one.position,
                "event": _event_as_json(one.event),
                "differences": differences_as_json(one.differences),
            }
            for one in result.divergences
            if one.event.id != result.before.id
        ],
        "states": {source: differences_as_json(found) for source, found in result.states},
        "anew": dict(result.anew),
        "beyond": result.beyond,
    }


def _event_as_json(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "payload": redact(event.payload),
    }
