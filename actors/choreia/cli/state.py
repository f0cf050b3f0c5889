"""`choreia state`: what an agent knew, now or at any moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import orjson

from choreia.actors.reconstructing import did_of, history, name_in, reconstruct
from choreia.actors.sourced import EventSourcedAgent
from choreia.cli.looking import (
    agent_class,
    build_function,
    build_option,
    class_option,
    moment,
    sourced_in,
    state_as_json,
)
from choreia.cli.opening import opened, shown, stamp, store_argument
from choreia.cli.output import output_option, put_out
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.selecting import position_of


@click.command("state")
@store_argument
@click.argument("agent", metavar="AGENT")
@class_option
@build_option
@click.option("--at", "at", metavar="TIME|POSITION|ID", help="Then, and not at the end.")
@output_option
def command(
    where: str,
    agent: str,
    class_name: str | None,
    build_name: str | None,
    at: str | None,
    output: str,
) -> None:
    """Show the state of AGENT (its name or id) as it follows from what it said in STORE.

    Its class is named, or found among the agents that a function spawns:

    \b
      choreia state orders.db shop --class choreia.demos.orders.shop:Shop
      choreia state orders.db shop --build choreia.demos.orders:build --at 120
    """
    with opened(where) as store:
        did = did_of(store, agent)
        cls = _class_of(did, class_name, build_name)
        last = position_of(store, moment(at, "--at"))
        facts = _facts(store, cls, did, last)
    put_out("state", output, facts, _lines(facts))


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    last = facts["position"]
    yield f"agent     {shown(facts['agent'])}"
    yield f"position  {last:,}" + (f", {stamp(facts['time'])}" if last else "")
    yield f"made of   {facts['events']:,} events"
    for line in orjson.dumps(facts["state"], option=orjson.OPT_INDENT_2).decode().splitlines():
        yield shown(line)


def _class_of(
    did: str, class_name: str | None, build_name: str | None
) -> type[EventSourcedAgent[Any]]:
    if class_name is not None:
        return agent_class(class_name)
    if build_name is None:
        raise click.UsageError("give the agent's class: --class MODULE:CLASS, or --build")
    found = sourced_in(build_function(build_name))
    name = (name_in(did) or did).partition(":")[0]
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise click.BadParameter(
            f"it spawns no event-sourced agent named {shown(name)}; of such, there are: {known}",
            param_hint="--build",
        )
    return found[name]


def _facts(
    store: EventStore, cls: type[EventSourcedAgent[Any]], did: str, last: int
) -> dict[str, Any]:
    state = reconstruct(cls, did, store=store, up_to=last)
    recorded = store.page(last - 1, 1) if last else []
    return {
        "agent": did,
        "position": last,
        "time": recorded[0].at if recorded else None,
        "events": sum(1 for _ in history(cls, did, store=store, up_to=last)),
        "state": state_as_json(state),
    }
