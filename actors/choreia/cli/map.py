"""`choreia map`: who says what to whom, as it is declared, and as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from choreia.actors.choreography import load
from choreia.cli.opening import opened, shown
from choreia.runtime.insight.choreography import Choreography
from choreia.runtime.insight.jsonform import dumps
from choreia.runtime.insight.maps.asyncapi import to_asyncapi
from choreia.runtime.insight.maps.dot import to_dot
from choreia.runtime.insight.maps.mermaid import to_mermaid
from choreia.runtime.insight.maps.observed import observe
from choreia.runtime.insight.maps.page import to_html
from choreia.runtime.insight.maps.picture import NOBODY, OUTSIDE, Arrow, Picture, picture

if TYPE_CHECKING:
    from rich.table import Table

FORMATS = ("rich", "mermaid", "html", "dot", "asyncapi")
LONGEST = 60
"""Characters of a name or type that are shown to people."""


@click.command("map")
@click.argument("module", metavar="MODULE[:BUILD]")
@click.option(
    "--format",
    "target",
    type=click.Choice(FORMATS),
    default="rich",
    show_default=True,
    help="For the terminal; a flowchart; a page of its own; graphviz; an AsyncAPI 3 document.",
)
@click.option(
    "--observed", metavar="STORE", help="Count what stands there, and show what is not declared."
)
def command(module: str, target: str, observed: str | None) -> None:
    """Who says what to whom in the choreography of MODULE?

    MODULE is a dotted name or the path of a .py file. BUILD (by default "build") is a function in
    it that spawns the agents in the ActorSystem it is given; they are not started. What they emit
    is read off their source.

    \b
      choreia map choreia.demos.orders
      choreia map choreia.demos.orders --format html > orders.html
      choreia map choreia.demos.orders --observed orders.db
    """
    choreography = load(module)
    if target == "asyncapi":
        if observed is not None:
            raise click.UsageError("--format asyncapi is of what is declared: leave out --observed")
        click.echo(dumps(to_asyncapi(choreography)), nl=False)
        return
    drawn = _drawn(choreography, observed)
    writers = {"mermaid": to_mermaid, "html": to_html, "dot": to_dot}
    if target in writers:
        click.echo(writers[target](drawn), nl=False)
    else:
        _show(drawn)


def _drawn(choreography: Choreography, observed: str | None) -> Picture:
    drawn = picture(choreography)
    if observed is None:
        return drawn
    with opened(observed) as store:
        return observe(drawn, choreography, store.read())


def _show(drawn: Picture) -> None:
    # Here, and not above: rich is slow to import, and the other formats need none.
    from rich.console import Console
    from rich.table import Table

    counted = drawn.events is not None
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("who", overflow="fold")
    table.add_column("says", overflow="fold", min_width=24)
    table.add_column("to", overflow="fold")
    if counted:
        table.add_column("seen", justify="right")
    table.add_column("", style="yellow")
    _fill(table, drawn, counted=counted)
    console = Console()
    console.print(table)
    console.print(_summary(drawn), highlight=False, markup=False)


def _fill(table: Table, drawn: Picture, *, counted: bool) -> None:
    from rich.text import Text

    order = {name: place for place, name in enumerate(drawn.agents)}
    before = None
    for arrow in sorted(drawn.arrows, key=lambda one: (order[one.sayer], one.type, one.hearer)):
        first = arrow.sayer != before
        before = arrow.sayer
        cells = [
            _name(arrow.sayer) if first else "",
            shown(arrow.type, LONGEST),
            _whom(arrow),
        ]
        if counted:
            cells.append(f"{arrow.count or 0:,}")
        table.add_row(*map(Text, [*cells, _notes(arrow)]))


def _notes(arrow: Arrow) -> str:
    notes = {
        "timer": arrow.timer,
        "ends a case": arrow.terminal,
        "not declared": not arrow.declared,
        "never": arrow.declared and arrow.count == 0,
    }
    return ", ".join(note for note, holds in notes.items() if holds)


def _name(name: str) -> str:
    names = {OUTSIDE: "(outside)", NOBODY: "(nobody)"}
    return names.get(name) or shown(name, LONGEST)


def _whom(arrow: Arrow) -> str:
    more = len(arrow.handlers) - 1
    handler = "".join(f".{name}" for name in arrow.handlers[:1])
    return shown(_name(arrow.hearer) + handler, LONGEST) + (f" and {more} more" if more > 0 else "")


def _summary(drawn: Picture) -> str:
    types = len({arrow.type for arrow in drawn.arrows if arrow.declared})
    text = f"agents: {len(drawn.players):,}, event types: {types:,}"
    if drawn.events is None:
        return text
    never = sum(arrow.declared and not arrow.count for arrow in drawn.arrows)
    extra = sum(not arrow.declared for arrow in drawn.arrows)
    return f"{text}, events: {drawn.events:,}, never taken: {never:,}, not declared: {extra:,}"
