"""What is printed: what to watch for, and in the end the tables and whether they add up."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from choreia.demos.orders.audit import Check
from choreia.demos.orders.books import Books
from choreia.demos.orders.order import Order, Outcome, money
from choreia.runtime.events.display import plain

MOST_ITEMS = 20
"""Rows of the table of stock."""

INTRODUCTION = """\
Five agents, {orders} orders, and nobody in charge. Watch for
- orders that turn back: the payment is refunded, then the goods are released,
  then the order is cancelled, and nobody told anybody to;
- customers who change their mind and race their own order: once it is shipped
  they are refused;
- the last pieces, which go to whoever comes first. Who that is may differ from
  run to run, but with --mode simulated it follows from --seed;
- the sums at the end, which have to add up whoever wins these races.
"""


def introduce(console: Console, orders: int) -> None:
    """What this is, and what to look at."""
    console.print(Text(INTRODUCTION.format(orders=f"{orders:,}")), soft_wrap=True)


def welcome(console: Console, rate: float) -> None:
    """The same, for a shop that never closes."""
    console.print(
        f"The shop is open: {rate:g} orders a second, until Ctrl-C. Then the books have to add up. "
        "Meanwhile, in another terminal: choreia top",
        highlight=False,
        soft_wrap=True,
    )


def report(console: Console, books: Books, checks: tuple[Check, ...]) -> None:
    """The tables and the verdict."""
    console.print(_outcomes(books), _stock(books))
    for check in checks:
        console.print(_line(check), soft_wrap=True)
    console.print(verdict(checks), soft_wrap=True)


def verdict(checks: tuple[Check, ...]) -> Text:
    wrong = [check.name for check in checks if not check.holds]
    if not wrong:
        return Text("Stock and money add up.", style="bold green")
    return Text(f"The books do not add up: {', '.join(wrong)}.", style="bold red")


def _outcomes(books: Books) -> Table:
    table = _table("outcome", "orders", "worth")
    for outcome in Outcome:
        table.add_row(outcome.replace("_", " "), *_sums(books.ended(outcome)))
    table.add_section()
    table.add_row("ordered", *_sums(books.day.orders))
    return table


def _sums(orders: Sequence[Order]) -> tuple[str, str]:
    return f"{len(orders):,}", money(sum(order.total for order in orders))


def _stock(books: Books) -> Table:
    table, sent = _table("item", "at the start", "left", "shipped"), books.sent()
    items = list(books.day.stock.items())
    for item, start in items[:MOST_ITEMS]:
        numbers = (start, books.stock.left[item], sent[item])
        table.add_row(Text(plain(item, 40)), *(f"{number:,}" for number in numbers))
    if len(items) > MOST_ITEMS:
        table.add_row(f"and {len(items) - MOST_ITEMS:,} more")
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table()
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _line(check: Check) -> Text:
    mark = ("ok     ", "green") if check.holds else ("WRONG  ", "bold red")
    return Text.assemble(mark, f"{check.name}: {check.says}")
