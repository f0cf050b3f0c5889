"""`choreia replay`: history, event by event, and what each made of the agents' states."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import attrs
import click

from choreia.actors.difference import Difference, difference
from choreia.actors.folding import Applier
from choreia.actors.reconstructing import applier_of, did_of, name_in
from choreia.cli.events import as_json, as_text
from choreia.cli.looking import (
    agent_class,
    build_function,
    build_option,
    class_option,
    difference_lines,
    differences_as_json,
    moment,
    sourced_in,
)
from choreia.cli.opening import opened, output_option, store_argument
from choreia.cli.output import in_json
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.selecting import position_of


@click.command("replay")
@store_argument
@click.option("--agent", metavar="AGENT", help="Follow the state of that agent: its name or id.")
@class_option
@build_option
@click.option("--until", metavar="TIME|POSITION|ID", help="Up to then.")
@click.option("--pattern", "patterns", multiple=True, metavar="PATTERN", help="Such as 'order.*'.")
@click.option("--limit", type=click.IntRange(1), help="So many events at most.")
@click.option("--step", is_flag=True, help="Wait for Enter before each event but the first.")
@output_option
def command(
    where: str,
    agent: str | None,
    class_name: str | None,
    build_name: str | None,
    until: str | None,
    patterns: tuple[str, ...],
    limit: int | None,
    step: bool,
    output: str,
) -> None:
    """Step through the history of STORE: each event, and what it made of the agents' states.

    Nothing runs and nothing is written: the states follow from what the agents said.

    \b
      choreia replay orders.db --agent shop --class choreia.demos.orders.shop:Shop
      choreia replay orders.db --build choreia.demos.orders:build --limit 40
    """
    checked = [TopicPattern(pattern) for pattern in patterns]
    with opened(where) as store:
        states = _states(store, agent, class_name, build_name)
        last = position_of(store, moment(until, "--until"))
        found = islice(_played(store, states, checked, last), limit)
        _write(found, output, step=step and output == "text" and sys.stdin.isatty())


# -- states that are followed ----------------------------------------------------------------------


@attrs.define
class _States:
    """The states of the agents that are followed, as far as history has come."""

    only: str | None
    """The one agent's DID; None: all that have a class."""
    appliers: dict[str, Applier]
    """By name; of one agent alone under nothing."""
    now: dict[str, object] = attrs.field(factory=dict[str, object])

    def take(self, recorded: Recorded) -> tuple[object, object] | None:
        """The state before and after an event; None when it is nobody's who is followed."""
        source = recorded.event.source
        applier = self._applier(source)
        if applier is None:
            return None
        before = self.now.get(source)
        if before is None:
            before = applier.initial()
        self.now[source] = after = applier.next(before, recorded.event)
        return before, after

    def _applier(self, source: str) -> Applier | None:
        if self.only is not None:
            return self.appliers[""] if source == self.only else None
        name = name_in(source)
        return None if name is None else self.appliers.get(name.partition(":")[0])


def _states(
    store: EventStore, agent: str | None, class_name: str | None, build_name: str | None
) -> _States:
    classes = {} if build_name is None else sourced_in(build_function(build_name))
    if agent is None:
        if class_name is not None:
            raise click.UsageError("--class needs --agent: whose state is it?")
        return _States(None, {name: applier_of(cls) for name, cls in classes.items()})
    did = did_of(store, agent)
    name = (name_in(did) or did).partition(":")[0]
    cls = classes.get(name) if class_name is None else agent_class(class_name)
    if cls is None:
        raise click.UsageError(f"--agent {agent}: give its class, --class MODULE:CLASS or --build")
    return _States(did, {"": applier_of(cls)})


# -- playing ---------------------------------------------------------------------------------------

Played = tuple[Recorded, tuple[Difference, ...]]


def _played(
    store: EventStore, states: _States, patterns: list[TopicPattern], last: int
) -> Iterator[Played]:
    for recorded in store.read(up_to=last):
        both = states.take(recorded)
        type = recorded.event.type
        if patterns and not any(pattern.matches(type) for pattern in patterns):
            continue
        yield recorded, () if both is None else difference(*both)


def _write(played: Iterator[Played], output: str, *, step: bool) -> None:
    if output == "json":
        documents = [_as_json(*one) for one in played]
        click.echo(in_json("replay", {"events": documents}, indent=2))
        return
    for number, (recorded, changes) in enumerate(played):
        if step and number and not sys.stdin.readline():
            return
        if output == "jsonl":
            click.echo(in_json("replay", _as_json(recorded, changes)))
            continue
        click.echo(as_text(recorded))
        for line in difference_lines(changes):
            click.echo(f"{'':>10}{line}")


def _as_json(recorded: Recorded, changes: tuple[Difference, ...]) -> dict[str, Any]:
    return {**as_json(recorded), "changes": differences_as_json(changes)}
