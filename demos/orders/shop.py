"""The shop: it opens orders, and closes them when it hears how they went."""

from __future__ import annotations

from choreia import on, step
from choreia.demos.orders.events import (
    DayOpened,
    InventoryRefused,
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderPlaced,
    OrderShipped,
    PaymentRefused,
    ShippingRefused,
)
from choreia.demos.orders.states import ShopState
from choreia.demos.orders.trade import Trade


class Shop(Trade[ShopState]):
    """The first step of the saga, so the last to be undone."""

    emits = (OrderCreated, OrderCompleted, OrderCancelled)
    terminal = (OrderCompleted, OrderCancelled, DayOpened)
    external = (OrderPlaced, DayOpened)
    compensate_on = (InventoryRefused, PaymentRefused, ShippingRefused)
    withdraw_on = ()

    @step(OrderPlaced, emits=OrderCreated, compensate="call_off")
    def open(self, placed: OrderPlaced) -> OrderCreated:
        return OrderCreated(placed.order)

    @on(OrderShipped)
    def complete(self, shipped: OrderShipped) -> None:
        self.emit(OrderCompleted(shipped.order.id))

    def call_off(self, placed: OrderPlaced) -> None:
        self.emit(OrderCancelled(placed.order.id, self.reason))
