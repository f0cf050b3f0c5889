"""Opening a store for a command, and what commands share in showing it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from choreia.actors.keeping import open_store
from choreia.cli.output import output_option as output_option
from choreia.runtime.errors import InvalidStore
from choreia.runtime.events import rfc3339
from choreia.runtime.events.display import plain
from choreia.runtime.events.display import stamp as stamp
from choreia.runtime.stores.base import EventStore

F = TypeVar("F", bound=Callable[..., Any])

store_argument = click.argument("where", metavar="STORE")
_store_option = click.option(
    "--store",
    "store",
    envvar="CHOREIA_STORE",
    metavar="STORE",
    help="The store, if it is not the first argument. [env var: CHOREIA_STORE]",
)


def store_and_id(what: str) -> Callable[[F], F]:
    """The arguments of a command about one thing in a store: ``[STORE] ID``. The store may also be
    given by ``--store``, or by ``CHOREIA_STORE``; `chosen` tells which it is."""

    def decorate(command: F) -> F:
        given = click.argument("given", metavar=f"[STORE] {what}", nargs=-1, required=True)
        return given(_store_option(command))

    return decorate


def chosen(given: tuple[str, ...], store: str | None, what: str) -> tuple[str, str]:
    """The store, and the id, from what `store_and_id` was given: of two arguments the first is the
    store, whatever else says so."""
    *before, id = given
    if len(before) > 1:
        raise click.UsageError(f"give STORE and {what}, and nothing more: got {len(given)}")
    where = before[0] if before else store
    if not where:
        raise click.UsageError(
            f"which store? Give STORE before {what}, or --store, or set CHOREIA_STORE"
        )
    return where, id


def store_given(command: F) -> F:
    """The argument of a command about a store as a whole, ``[STORE]``, which may be given as for
    `store_and_id`; `the_store` tells which it is."""
    return click.argument("given", metavar="[STORE]", required=False)(_store_option(command))


def the_store(given: str | None, store: str | None) -> str:
    """The store, from what `store_given` was given."""
    if not (where := given or store):
        raise click.UsageError("which store? Give STORE, or --store, or set CHOREIA_STORE")
    return where


@contextmanager
def opened(where: str, *, write: bool = False) -> Generator[EventStore, None, None]:
    """The store at a path or URL. Only who writes needs it for himself."""
    store = open_store(where, "full", 0, readonly=not write)
    try:
        yield store
    finally:
        store.close()


def when(text: str | None, option: str) -> float | None:
    """Unix seconds from what was typed: RFC 3339, a date, or Unix seconds."""
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        if len(text) == 10:
            return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
        return rfc3339.read(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r}: give a time such as 2026-11-25T12:00:00Z, a date, or Unix seconds",
            param_hint=option,
        ) from None


def shown(text: str, limit: int | None = None) -> str:
    """Text from an event, without what a terminal would obey."""
    return plain(text, limit)


def require(found: object, what: str) -> None:
    if not found:
        raise InvalidStore(what)
