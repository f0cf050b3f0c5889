"""`choreia doctor`: whether this machine has what Choreia needs, and what to do if not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import attrs
import click

from choreia.cli.checkup import (
    Finding,
    State,
    dependencies,
    places,
    python,
    sqlite,
    store,
    terminal,
)
from choreia.cli.output import output_option, put_out

MARKS: Final[Mapping[State, tuple[str, str]]] = {
    "ok": ("ok  ", "green"),
    "warn": ("warn", "yellow"),
    "bad": ("BAD ", "red"),
}
EVERYWHERE: Final[tuple[Callable[[], Iterator[Finding]], ...]] = (
    python, dependencies, sqlite, places, terminal
)  # fmt: skip


@click.command("doctor")
@click.option(
    "--store",
    "where",
    envvar="CHOREIA_STORE",
    metavar="STORE",
    help="Can that be read? [env var: CHOREIA_STORE]",
)
@output_option
@click.pass_context
def command(context: click.Context, where: str | None, output: str) -> None:
    """Whether this machine has what Choreia needs: Python, the packages, SQLite, a private place
    for the sockets of running systems, and a terminal that shows what there is to see.

    Exits with 1 if something is bad; a warning is none.
    """
    found = [one for look in EVERYWHERE for one in look()]
    if where is not None:
        found += store(where)
    document = {"findings": [attrs.asdict(one) for one in found]}
    put_out("doctor", output, document, _lines(found), each="findings")
    if any(one.state == "bad" for one in found):
        context.exit(1)


def _lines(found: list[Finding]) -> Iterator[str]:
    width = max(len(one.about) for one in found)
    for one in found:
        mark, colour = MARKS[one.state]
        yield f"{click.style(mark, fg=colour)}  {one.about:<{width}}  {one.said}"
        if one.advice:
            yield f"{'':<{len(mark)}}  {'':<{width}}  → {one.advice}"
