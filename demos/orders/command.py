"""``choreia demo orders``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from click.core import ParameterSource
from rich.console import Console

from choreia import ActorSystem, DemoError, DuplicateId, IdleTimeout
from choreia.demos.inspected import Served, inspected
from choreia.demos.orders.audit import audit
from choreia.demos.orders.books import Books
from choreia.demos.orders.chaos import unlogged
from choreia.demos.orders.choreography import MAILBOX, build, open_day, place, place_once
from choreia.demos.orders.forever import Forever
from choreia.demos.orders.generate import generate
from choreia.demos.orders.live import Screen, Watch
from choreia.demos.orders.order import Day
from choreia.demos.orders.reading import read_day
from choreia.demos.orders.report import introduce, report, verdict, welcome
from choreia.demos.orders.result import to_json
from choreia.demos.results import STDOUT, write
from choreia.runtime.events.display import plain

TOGETHER = 50
"""Orders that go into a store in one commit."""
MOST = 1_000_000
"""Orders to make up."""


@click.command("orders")
@click.option(
    "--orders",
    "wanted",
    default="5000",
    show_default=True,
    metavar="N|FILE",
    help="How many orders to make up, or a JSONL file of orders.",
)
@click.option("--seed", default=0, show_default=True, help="Of made-up orders and simulated turns.")
@click.option(
    "--json",
    "target",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the outcome to this file; - is standard output.",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option(
    "--mode",
    type=click.Choice(["threads", "simulated"]),
    default="threads",
    show_default=True,
    help="On threads, or on one thread in an order that follows from the seed.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Threads that handle events at once.",
)
@click.option(
    "--mailbox",
    type=click.IntRange(1),
    default=MAILBOX,
    show_default=True,
    help="Capacity of each agent's mailbox.",
)
@click.option(
    "--store",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep everything in this file. Killed at any time, it goes on when started again.",
)
@click.option("--forever", is_flag=True, help="Orders come in until Ctrl-C; then they must add up.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0.1, max=10_000),
    default=50.0,
    show_default=True,
    help="With --forever: orders a second.",
)
@click.option("--chaos", is_flag=True, help="With --forever: things go wrong, to be looked at.")
@inspected
@click.pass_context
def command(
    context: click.Context,
    wanted: str,
    seed: int,
    target: Path | None,
    quiet: bool,
    mode: Literal["threads", "simulated"],
    workers: int,
    mailbox: int,
    store: Path | None,
    forever: bool,
    rate: float,
    chaos: bool,
    inspect: Served,
) -> None:
    """An order saga: failed payments, empty shelves, changes of mind, compensations.

    A line of FILE is an order, with the price in cents, or says what is in stock:

    \b
      {"id": "A-1", "item": "tea", "quantity": 2, "price": 450}
      {"stock": {"tea": 10}}

    An order may also have a "card" ("4000000000000002" is declined), a "ship_to" (nobody goes
    to "Atlantis"), and a "cancel_on": the event at which the customer has a change of mind,
    such as "payment.charged".

    Exits with 1 if stock and money do not add up.
    """
    console = Console(stderr=target == STDOUT, quiet=quiet)
    _check_forever(context, forever)
    if forever:
        welcome(console, rate)
        with unlogged(), ActorSystem(workers=workers, inspect=inspect) as system:
            shop = Forever(system, seed=seed, mailbox=mailbox, chaos=chaos)
            shop.run(rate)
        books = shop.books()
    else:
        day = _day(wanted, seed)
        introduce(console, len(day.orders))
        with ActorSystem(
            mode=mode, seed=seed, workers=workers, store=store, inspect=inspect
        ) as system:
            books = build(system, day.orders, day.stock, mailbox=mailbox)
            if store is not None:
                _open(system, books.day, store)
            _trade(system, books, console, durable=store is not None)
    checks = audit(books)
    report(console, books, checks)
    if target is not None:
        write(target, to_json(books, checks))
    if not all(check.holds for check in checks):
        if quiet:
            Console(stderr=True).print(verdict(checks))
        context.exit(1)


def _check_forever(context: click.Context, forever: bool) -> None:
    alone = ("wanted", "store", "mode") if forever else ("rate", "chaos")
    for name in alone:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            option = "--orders" if name == "wanted" else f"--{name}"
            kind = "not together with" if forever else "only together with"
            raise click.UsageError(f"{option}: {kind} --forever")


def _day(wanted: str, seed: int) -> Day:
    try:
        count = int(wanted)
    except ValueError:
        return read_day(Path(wanted))
    if not 1 <= count <= MOST:
        raise click.BadParameter(f"give 1 to {MOST:,}, or a file", param_hint="--orders")
    return generate(count, seed)


def _open(system: ActorSystem, day: Day, store: Path) -> None:
    try:
        open_day(system, day)
    except DuplicateId:
        raise DemoError(
            f"{plain(str(store))} holds another day's orders: give the same --orders and --seed as "
            "before, or another file"
        ) from None


def _trade(system: ActorSystem, books: Books, console: Console, *, durable: bool) -> None:
    """Place every order, and wait until nothing is in flight."""
    orders = books.day.orders
    with Screen(console, Watch(system, len(orders))) as screen:
        if durable:
            for number in range(0, len(orders), TOGETHER):
                place_once(system, orders[number : number + TOGETHER])
                screen.placed(min(number + TOGETHER, len(orders)))
        else:
            for number, order in enumerate(orders, 1):
                place(system, order)
                screen.placed(number)
        while not _at_rest(system):
            screen.draw()
        screen.draw()


def _at_rest(system: ActorSystem) -> bool:
    try:
        system.wait_idle(timeout=0.1)
    except IdleTimeout:
        return False
    return True
