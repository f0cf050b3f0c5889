"""The shop: it opens orders, and closes them when it hears how they went."""

from __future__ import annotations

from choreia import Agent, on
from choreia.demos.orders.books import ShopBook
from choreia.demos.orders.events import (
    InventoryRefused,
    InventoryReleased,
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderPlaced,
    OrderShipped,
)
from choreia.demos.orders.order import Outcome


class Shop(Agent):
    """The first step of the saga, so the last to be undone."""

    emits = (OrderCreated, OrderCompleted, OrderCancelled)

    def __init__(self, book: ShopBook) -> None:
        super().__init__()
        self.book = book

    @on(OrderPlaced)
    def open(self, placed: OrderPlaced) -> None:
        if self.book.open(placed.order.id):  # an order that is placed twice is one order
            self.emit(OrderCreated(placed.order))

    @on(OrderShipped)
    def complete(self, shipped: OrderShipped) -> None:
        self.book.close(shipped.order.id, Outcome.COMPLETED)
        self.emit(OrderCompleted(shipped.order.id))

    @on(InventoryRefused)
    @on(InventoryReleased)
    def call_off(self, news: InventoryRefused | InventoryReleased) -> None:
        self.book.close(news.order_id, news.reason)
        self.emit(OrderCancelled(news.order_id, news.reason))
