"""The inventory: it puts pieces aside, first come, first served."""

from __future__ import annotations

from choreia import on
from choreia.demos.orders.books import StockBook
from choreia.demos.orders.events import (
    InventoryRefused,
    InventoryReleased,
    InventoryReserved,
    OrderCreated,
    OrderShipped,
    PaymentRefunded,
    PaymentRefused,
)
from choreia.demos.orders.order import Outcome
from choreia.demos.orders.step import Step


class Inventory(Step):
    """Who gets the last piece depends on who comes first; that nobody gets it twice does not."""

    capabilities = ("inventory.reserve",)
    emits = (InventoryReserved, InventoryRefused, InventoryReleased)

    def __init__(self, book: StockBook) -> None:
        super().__init__()
        self.book = book

    @on(OrderCreated)
    def reserve(self, created: OrderCreated) -> None:
        order = created.order
        if order.id in self.withdrawn:
            self.emit(InventoryRefused(order.id, Outcome.CANCELLED))
        elif not self.book.reserve(order):
            self.emit(InventoryRefused(order.id, Outcome.OUT_OF_STOCK))
        else:
            self.emit(InventoryReserved(order))

    @on(PaymentRefused)
    @on(PaymentRefunded)
    def release(self, news: PaymentRefused | PaymentRefunded) -> None:
        self.book.release(news.order_id)
        self.emit(InventoryReleased(news.order_id, news.reason))

    @on(OrderShipped)
    def hand_over(self, shipped: OrderShipped) -> None:
        self.book.hand_over(shipped.order.id)
