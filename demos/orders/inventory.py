"""The inventory: it puts pieces aside, first come, first served."""

from __future__ import annotations

from collections.abc import Mapping

from choreia import StepFailed, on, step
from choreia.demos.orders.events import (
    InventoryHandedOver,
    InventoryRefused,
    InventoryReleased,
    InventoryReserved,
    OrderCreated,
    OrderShipped,
    PaymentRefused,
    ShippingRefused,
)
from choreia.demos.orders.order import Outcome
from choreia.demos.orders.states import StockState
from choreia.demos.orders.trade import Trade


class Inventory(Trade[StockState]):
    """Who gets the last piece depends on who comes first; that nobody gets it twice does not."""

    capabilities = ("inventory.reserve",)
    emits = (InventoryReserved, InventoryReleased, InventoryHandedOver)
    compensate_on = (PaymentRefused, ShippingRefused)

    def __init__(self, stock: Mapping[str, int]) -> None:
        super().__init__()
        self.stock = stock
        """In the morning, by item; what was taken since is in the state."""

    @step(OrderCreated, emits=InventoryReserved, fails=InventoryRefused, compensate="release")
    def reserve(self, created: OrderCreated) -> InventoryReserved:
        order = created.order
        if self._left(order.item) < order.quantity:  # all pieces or none
            raise StepFailed(InventoryRefused(order.id, Outcome.OUT_OF_STOCK))
        return InventoryReserved(order)

    def release(self, created: OrderCreated) -> None:
        self.emit(InventoryReleased(created.order.id, self.reason))

    @on(OrderShipped)
    def hand_over(self, shipped: OrderShipped) -> None:
        self.emit(InventoryHandedOver(shipped.order.id))

    def _left(self, item: str) -> int:
        return self.stock.get(item, 0) - self.state.taken.get(item, 0)
