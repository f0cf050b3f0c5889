"""The shop: it opens orders, and closes them when it hears how they went."""

from __future__ import annotations

from choreia import EventSourcedAgent, on
from choreia.demos.orders.events import (
    InventoryRefused,
    InventoryReleased,
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderPlaced,
    OrderShipped,
)
from choreia.demos.orders.states import ShopState


class Shop(EventSourcedAgent[ShopState]):
    """The first step of the saga, so the last to be undone."""

    emits = (OrderCreated, OrderCompleted, OrderCancelled)
    external = (OrderPlaced,)
    terminal = (OrderCompleted, OrderCancelled)

    @on(OrderPlaced)
    def open(self, placed: OrderPlaced) -> None:
        if placed.order.id not in self.state.outcomes:  # placed twice, it is one order
            self.emit(OrderCreated(placed.order))

    @on(OrderShipped)
    def complete(self, shipped: OrderShipped) -> None:
        self.emit(OrderCompleted(shipped.order.id))

    @on(InventoryRefused)
    @on(InventoryReleased)
    def call_off(self, news: InventoryRefused | InventoryReleased) -> None:
        self.emit(OrderCancelled(news.order_id, news.reason))
