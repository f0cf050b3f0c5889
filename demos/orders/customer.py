"""The customers, all of them in one agent: some have a change of mind."""

from __future__ import annotations

from choreia import EventSourcedAgent, on
from choreia.demos.orders.events import (
    CancellationRefused,
    CancellationRequested,
    InventoryReserved,
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderPlaced,
    OrderShipped,
    OutcomeHeard,
    PaymentCharged,
    RefusalHeard,
)
from choreia.demos.orders.order import Outcome
from choreia.demos.orders.states import CustomerState

OnTheWay = OrderPlaced | OrderCreated | InventoryReserved | PaymentCharged | OrderShipped
MOMENTS = (
    "order.placed",
    "order.created",
    "inventory.reserved",
    "payment.charged",
    "order.shipped",
)
"""When one can have a change of mind. The last is always too late; the others are races."""


class Customer(EventSourcedAgent[CustomerState]):
    """Asks for a cancellation, and hears how every order went."""

    emits = (CancellationRequested, OutcomeHeard, RefusalHeard)

    # The filters spare it the events of all those who are content.
    @on(OrderPlaced, filter={"payload.order.cancel_on": "order.placed"})
    @on(OrderCreated, filter={"payload.order.cancel_on": "order.created"})
    @on(InventoryReserved, filter={"payload.order.cancel_on": "inventory.reserved"})
    @on(PaymentCharged, filter={"payload.order.cancel_on": "payment.charged"})
    @on(OrderShipped, filter={"payload.order.cancel_on": "order.shipped"})
    def change_mind(self, news: OnTheWay) -> None:
        self.emit(CancellationRequested(news.order.id))

    @on(OrderCompleted)
    def rejoice(self, completed: OrderCompleted) -> None:
        self._hear(completed.order_id, Outcome.COMPLETED)

    @on(OrderCancelled)
    def shrug(self, cancelled: OrderCancelled) -> None:
        self._hear(cancelled.order_id, cancelled.reason)

    @on(CancellationRefused)
    def accept(self, refused: CancellationRefused) -> None:
        self.emit(RefusalHeard(refused.order_id))

    def _hear(self, order_id: str, outcome: Outcome) -> None:
        self.emit(OutcomeHeard(order_id, outcome))
