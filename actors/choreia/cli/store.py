"""`choreia store`: a store as a whole."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import attrs
import click

from choreia.cli.lazy import LazyCommand
from choreia.cli.opening import opened, output_option, shown, store_argument
from choreia.cli.output import put_out
from choreia.runtime.stores.base import Verdict

FAULTS = 20
"""Faults of a damaged store that are told."""


@click.group("store")
def command() -> None:
    """Look at a store as a whole, check it, tidy it up, erase from it."""


command.add_command(
    LazyCommand("check", "choreia.cli.store_check", "What could new code not read in it?")
)


@command.command()
@store_argument
@output_option
def info(where: str, output: str) -> None:
    """What is in STORE, and how it is kept."""
    with opened(where) as store:
        facts = attrs.asdict(store.info())
    put_out("store-info", output, facts, _facts(facts))


def _facts(facts: Mapping[str, object]) -> Iterator[str]:
    for name, value in facts.items():
        text = f"{value:,}" if type(value) is int else str(value)
        yield f"{name.replace('_', ' '):<13} {shown(text)}"


@command.command()
@store_argument
@click.option(
    "--accept", is_flag=True, help="Go on from what is there, though events at the end are missing."
)
@output_option
@click.pass_context
def verify(context: click.Context, where: str, accept: bool, output: str) -> None:
    """Compare STORE with its hash chain and its anchor: is it what was written?

    Exits with 1 if it is not.
    """
    with opened(where) as store:
        verdict = store.verify()
    said = {**attrs.asdict(verdict), "whole": verdict.whole}
    put_out("store-verify", output, said, _lines(verdict))
    if accept and not verdict.whole:
        from choreia.runtime.stores.sqlite import SqliteStore

        SqliteStore(where, recover=True).close()
        click.echo("accepted: it goes on from what is there", err=output != "text")
    elif not verdict.whole:
        context.exit(1)


def _lines(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.checked:,} events checked, up to position {verdict.head:,}"
    yield f"chain {verdict.chain}"
    for fault in verdict.faults[:FAULTS]:
        where = f"position {fault.position}: " if fault.position else ""
        yield f"DAMAGED  {where}{shown(fault.what)}"
    if len(verdict.faults) > FAULTS:
        yield f"         and {len(verdict.faults) - FAULTS} more"
    if verdict.whole:
        yield "whole"


@command.command()
@store_argument
def compact(where: str) -> None:
    """Give back the room that STORE does not need. It must not be in use."""
    with opened(where, write=True) as store:
        click.echo(f"{store.compact():,} bytes given back")


@command.command()
@store_argument
@click.option("--case", metavar="ID", help="All events of a case, by its correlation id.")
@click.option("--subject", help="All events whose metadata has this 'subject'.")
@click.option("--reason", required=True, help="It is kept, beside what was erased.")
@click.confirmation_option(prompt="What is erased cannot be brought back. Erase it?")
def erase(where: str, case: str | None, subject: str | None, reason: str) -> None:
    """Blank the payloads of events. The hash chain still holds. STORE must not be in use."""
    with opened(where, write=True) as store:
        count = store.erase(correlation_id=case, subject=subject, reason=reason, now=time.time())
    click.echo(f"{count:,} events erased")
