"""`choreia trace`: the causal tree of one case."""

from __future__ import annotations

from typing import IO

import click

from choreia.cli.opening import chosen, opened, store_and_id
from choreia.runtime.insight.formats import FORMATS, render
from choreia.runtime.insight.reading import case_of, story
from choreia.runtime.insight.trace import trace

WHAT = "CASE|EVENT"


@click.command("trace")
@store_and_id(WHAT)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="tree",
    show_default=True,
    help="For a terminal, as a sequence diagram, as a page to look at, or for programs.",
)
@click.option(
    "-o",
    "--output",
    type=click.File("w", encoding="utf-8", lazy=True),
    default="-",
    metavar="FILE",
    help="Write there.",
)
@click.option("--no-times", is_flag=True, help="Leave out when, and how long it took.")
def command(
    given: tuple[str, ...], store: str | None, form: str, output: IO[str], no_times: bool
) -> None:
    """Show what came of what in a case: it is named by its id, or by one of its events.

    The order is that of causes and of the log; no clock is asked for it.

    \b
      choreia trace orders.db 0192f0c1…
      choreia trace orders.db 0192f0c1… --format html -o case.html
    """
    where, id = chosen(given, store, WHAT)
    with opened(where) as found:
        told = story(found, case_of(found, id))
    output.write(render(trace(told), form, times=not no_times))
