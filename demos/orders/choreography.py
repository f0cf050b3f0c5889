"""The five agents in one system, and orders for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from choreia import ActorSystem
from choreia.demos.orders.books import Books
from choreia.demos.orders.customer import Customer
from choreia.demos.orders.events import OrderPlaced
from choreia.demos.orders.inventory import Inventory
from choreia.demos.orders.order import Day, Order
from choreia.demos.orders.payment import Payment
from choreia.demos.orders.shipping import Shipping
from choreia.demos.orders.shop import Shop

DEFAULT_STOCK = 10
"""Pieces of an item whose stock nobody has told."""
MAILBOX = 256


def build(
    system: ActorSystem,
    orders: Iterable[Order],
    stock: Mapping[str, int] | None = None,
    *,
    mailbox: int = MAILBOX,
) -> Books:
    """Spawn the five agents, ready for `orders`, and give their books.

    Items that `stock` does not name start with `DEFAULT_STOCK` pieces. Nothing is ordered yet:
    `place` the orders, let the system come to rest, and `audit` the books.
    """
    orders = tuple(orders)
    books = Books.of(Day(orders, {item.item: DEFAULT_STOCK for item in orders} | dict(stock or {})))
    system.spawn(lambda: Shop(books.shop), name="shop", mailbox=mailbox)
    system.spawn(lambda: Inventory(books.stock), name="inventory", mailbox=mailbox)
    system.spawn(lambda: Payment(books.ledger), name="payment", mailbox=mailbox)
    system.spawn(lambda: Shipping(books.shipping), name="shipping", mailbox=mailbox)
    system.spawn(lambda: Customer(books.customer), name="customer", mailbox=mailbox)
    return books


def place(system: ActorSystem, order: Order) -> None:
    """Order something: a case of its own. Waits while the shop's mailbox is full."""
    system.publish(OrderPlaced(order))
