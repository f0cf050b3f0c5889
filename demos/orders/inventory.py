"""The inventory: it puts pieces aside, first come, first served."""

from __future__ import annotations

from collections.abc import Mapping

from choreia import on
from choreia.demos.orders.events import (
    CancellationNoted,
    InventoryHandedOver,
    InventoryRefused,
    InventoryReleased,
    InventoryReserved,
    OrderCreated,
    OrderShipped,
    PaymentRefunded,
    PaymentRefused,
)
from choreia.demos.orders.order import Outcome
from choreia.demos.orders.states import StockState
from choreia.demos.orders.step import Step


class Inventory(Step[StockState]):
    """Who gets the last piece depends on who comes first; that nobody gets it twice does not."""

    capabilities = ("inventory.reserve",)
    emits = (
        InventoryReserved,
        InventoryRefused,
        InventoryReleased,
        InventoryHandedOver,
        CancellationNoted,
    )

    def __init__(self, stock: Mapping[str, int]) -> None:
        super().__init__()
        self.stock = stock
        """In the morning, by item; what was taken since is in the state."""

    @on(OrderCreated)
    def reserve(self, created: OrderCreated) -> None:
        order = created.order
        if order.id in self.state.withdrawn:
            self.emit(InventoryRefused(order.id, Outcome.CANCELLED))
        elif self._left(order.item) < order.quantity:  # all pieces or none
            self.emit(InventoryRefused(order.id, Outcome.OUT_OF_STOCK))
        else:
            self.emit(InventoryReserved(order))

    @on(PaymentRefused)
    @on(PaymentRefunded)
    def release(self, news: PaymentRefused | PaymentRefunded) -> None:
        self.emit(InventoryReleased(news.order_id, news.reason))

    @on(OrderShipped)
    def hand_over(self, shipped: OrderShipped) -> None:
        self.emit(InventoryHandedOver(shipped.order.id))

    def _left(self, item: str) -> int:
        return self.stock.get(item, 0) - self.state.taken.get(item, 0)
