"""What each agent knows: a fold of what it has said, and nothing else.

So it is there again when a process that was killed starts anew on the same store. What an agent
hears and has to remember (an outcome) it says to itself; which steps it has taken for which order,
and which it is to refuse, is kept for it (`SagaParticipant`).
"""

from __future__ import annotations

from attrs import evolve, field, frozen

from choreia import applies
from choreia.demos.orders.events import (
    CancellationRequested,
    InventoryHandedOver,
    InventoryReleased,
    InventoryReserved,
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderShipped,
    OutcomeHeard,
    PaymentCharged,
    PaymentRefunded,
    RefusalHeard,
)
from choreia.demos.orders.order import Order, Outcome
from choreia.demos.pages import Pages

Outcomes = tuple[Outcome, ...]


@frozen
class ShopState:
    """How each order ended; several, because an order that ended twice must show."""

    outcomes: Pages[str, Outcomes] = field(factory=Pages[str, Outcomes])

    @applies(OrderCreated)
    def created(self, created: OrderCreated) -> ShopState:
        return ShopState(self.outcomes.put(created.order.id, ()))

    @applies(OrderCompleted)
    def completed(self, completed: OrderCompleted) -> ShopState:
        return self._ended(completed.order_id, Outcome.COMPLETED)

    @applies(OrderCancelled)
    def cancelled(self, cancelled: OrderCancelled) -> ShopState:
        return self._ended(cancelled.order_id, cancelled.reason)

    def _ended(self, id: str, outcome: Outcome) -> ShopState:
        return ShopState(self.outcomes.put(id, (*self.outcomes.get(id, ()), outcome)))


@frozen
class StockState:
    """What has been taken off the shelf, by item, and what of it is put aside, by order."""

    taken: Pages[str, int] = field(factory=Pages[str, int])
    reserved: Pages[str, Order] = field(factory=Pages[str, Order])

    @applies(InventoryReserved)
    def reserve(self, reserved: InventoryReserved) -> StockState:
        order = reserved.order
        return evolve(
            self,
            taken=self.taken.put(order.item, self.taken.get(order.item, 0) + order.quantity),
            reserved=self.reserved.put(order.id, order),
        )

    @applies(InventoryReleased)
    def release(self, released: InventoryReleased) -> StockState:
        order = self.reserved[released.order_id]
        return evolve(
            self,
            taken=self.taken.put(order.item, self.taken[order.item] - order.quantity),
            reserved=self.reserved.drop(order.id),
        )

    @applies(InventoryHandedOver)
    def hand_over(self, handed_over: InventoryHandedOver) -> StockState:
        return evolve(self, reserved=self.reserved.drop(handed_over.order_id))


@frozen
class LedgerState:
    """Cents by order. They are added up, not set: a card that was charged twice must show."""

    charged: Pages[str, int] = field(factory=Pages[str, int])
    refunded: Pages[str, int] = field(factory=Pages[str, int])

    @applies(PaymentCharged)
    def charge(self, charged: PaymentCharged) -> LedgerState:
        order = charged.order
        sum = self.charged.get(order.id, 0) + order.total
        return evolve(self, charged=self.charged.put(order.id, sum))

    @applies(PaymentRefunded)
    def refund(self, refunded: PaymentRefunded) -> LedgerState:
        id = refunded.order_id
        sum = self.refunded.get(id, 0) + self.charged.get(id, 0)
        return evolve(self, refunded=self.refunded.put(id, sum))


@frozen
class ShippingState:
    """Pieces sent, by order."""

    sent: Pages[str, int] = field(factory=Pages[str, int])

    @applies(OrderShipped)
    def send(self, shipped: OrderShipped) -> ShippingState:
        order = shipped.order
        return evolve(
            self, sent=self.sent.put(order.id, self.sent.get(order.id, 0) + order.quantity)
        )


@frozen
class CustomerState:
    """What the customers asked for and were told."""

    told: Pages[str, Outcomes] = field(factory=Pages[str, Outcomes])
    asked: Pages[str, bool] = field(factory=Pages[str, bool])
    refused: Pages[str, int] = field(factory=Pages[str, int])

    @applies(CancellationRequested)
    def ask(self, request: CancellationRequested) -> CustomerState:
        return evolve(self, asked=self.asked.put(request.order_id, True))

    @applies(OutcomeHeard)
    def hear(self, heard: OutcomeHeard) -> CustomerState:
        told = (*self.told.get(heard.order_id, ()), heard.outcome)
        return evolve(self, told=self.told.put(heard.order_id, told))

    @applies(RefusalHeard)
    def accept(self, heard: RefusalHeard) -> CustomerState:
        times = self.refused.get(heard.order_id, 0) + 1
        return evolve(self, refused=self.refused.put(heard.order_id, times))
