"""`choreia deadletters`: what agents could not handle, and what is to become of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import click
import orjson

from choreia.cli.opening import opened, output_option, require, shown, stamp, store_argument
from choreia.cli.output import in_json, put_out
from choreia.runtime.events.display import redact
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.unit import Change, DropLetter, Forget, KeepLetter, Letter, Unit

numbers_argument = click.argument("numbers", metavar="NUMBER...", type=int, nargs=-1)
all_option = click.option("--all", "everything", is_flag=True, help="All that are listed.")


@click.group("deadletters")
def command() -> None:
    """The dead letters of a store: list them, look at one, try them again, let them go."""


@command.command("list")
@store_argument
@click.option("--agent", help="Only those of that agent.")
@output_option
def list_(where: str, agent: str | None, output: str) -> None:
    """List the dead letters of STORE, oldest first."""
    with opened(where) as store:
        letters = store.letters(agent)
    if output == "json":
        click.echo(in_json("deadletters", {"letters": [*map(as_json, letters)]}, indent=2))
    for one in letters:
        if output == "jsonl":
            click.echo(in_json("deadletters", as_json(one)))
        elif output == "text":
            state = "to be retried" if one.waiting else one.reason
            click.echo(
                f"{one.number:>6}  {stamp(one.time)}  {one.agent:<20}  {one.event.type:<28}  "
                f"{state:<14}  {shown(one.error, 80)}"
            )
    if output == "text" and not letters:
        click.echo("no dead letters")


@command.command("show")
@store_argument
@click.argument("number", type=int)
@output_option
def show(where: str, number: int, output: str) -> None:
    """Show all of one dead letter: its event, and the error."""
    with opened(where) as store:
        [letter] = _chosen(store, (number,), everything=False)
    said = {**as_json(letter), "traceback": letter.traceback}
    put_out("deadletter", output, said, _lines(letter))


def _lines(letter: Letter) -> Iterator[str]:
    yield f"number     {letter.number}"
    yield f"agent      {letter.agent}"
    yield f"reason     {letter.reason}{' (to be retried)' if letter.waiting else ''}"
    yield f"attempts   {letter.attempts}"
    yield f"died       {stamp(letter.time)}"
    yield f"event      {shown(letter.event.id)}  {letter.event.type}"
    yield f"source     {shown(letter.event.source)}"
    payload = orjson.dumps(redact(letter.event.payload), option=orjson.OPT_INDENT_2).decode()
    for line in payload.splitlines():
        yield f"           {shown(line)}"
    for line in (letter.traceback or letter.error).splitlines():
        yield f"  {shown(line)}"


@command.command("retry")
@store_argument
@numbers_argument
@all_option
def retry(where: str, numbers: tuple[int, ...], everything: bool) -> None:
    """Have dead letters handled again: by their agents, when these are started next.

    The store must not be in use. What a handler already did (`once`, early emissions) is not done
    twice.
    """
    count = _change(where, numbers, everything, lambda one: (KeepLetter(_back(one)),))
    click.echo(f"{count} will be tried again when their agents are started")


@command.command("drop")
@store_argument
@numbers_argument
@all_option
def drop(where: str, numbers: tuple[int, ...], everything: bool) -> None:
    """Let go of dead letters. Their events stay in the log. The store must not be in use."""
    count = _change(
        where,
        numbers,
        everything,
        lambda one: (DropLetter(one.agent, one.event.id), Forget(one.agent, one.event.id)),
    )
    click.echo(f"{count} dropped")


def _back(letter: Letter) -> Letter:
    return attrs.evolve(letter, waiting=True, crashes=0)


def _change(
    where: str,
    numbers: tuple[int, ...],
    everything: bool,
    changes: Callable[[Letter], tuple[Change, ...]],
) -> int:
    with opened(where, write=True) as store:
        chosen = _chosen(store, numbers, everything)
        made = [change for letter in chosen for change in changes(letter)]
        last = store.page(max(0, store.head - 1), 1)
        store.commit([Unit(changes=made)], last[0].at if last else 0.0)
    return len(chosen)


def _chosen(store: EventStore, numbers: tuple[int, ...], everything: bool) -> list[Letter]:
    if bool(numbers) == everything:
        raise click.UsageError("name the NUMBERs that `list` shows, or give --all")
    letters = {letter.number: letter for letter in store.letters()}
    if everything:
        return list(letters.values())
    for number in numbers:
        require(number in letters, f"there is no dead letter {number}; see `deadletters list`")
    return [letters[number] for number in dict.fromkeys(numbers)]


def as_json(letter: Letter) -> dict[str, Any]:
    """A dead letter for a program that reads; what is secret is masked."""
    event = letter.event
    return {
        "number": letter.number,
        "agent": letter.agent,
        "reason": letter.reason,
        "error": letter.error,
        "attempts": letter.attempts,
        "time": letter.time,
        "waiting": letter.waiting,
        "event": {
            "id": event.id,
            "type": event.type,
            "source": event.source,
            "payload": redact(event.payload),
        },
    }
