"""Payment: it charges cards, and gives back what it charged."""

from __future__ import annotations

from choreia import on
from choreia.demos.orders.events import (
    CancellationNoted,
    InventoryReserved,
    PaymentCharged,
    PaymentRefunded,
    PaymentRefused,
    ShippingRefused,
)
from choreia.demos.orders.order import Outcome
from choreia.demos.orders.states import LedgerState
from choreia.demos.orders.step import Step

DECLINED = frozenset({"4000000000000002", "4000000000009995"})
"""Cards that every payment provider's test system declines. No chance is involved: the same
orders fail in every run."""


class Payment(Step[LedgerState]):
    """The middle of the saga: its failure turns an order back, and so does shipping's."""

    capabilities = ("payment.charge",)
    emits = (PaymentCharged, PaymentRefused, PaymentRefunded, CancellationNoted)

    @on(InventoryReserved)
    def charge(self, reserved: InventoryReserved) -> None:
        order = reserved.order
        if order.id in self.state.withdrawn:
            self.emit(PaymentRefused(order.id, Outcome.CANCELLED))
        elif order.card in DECLINED:
            self.emit(PaymentRefused(order.id, Outcome.PAYMENT_FAILED))
        else:
            self.emit(PaymentCharged(order))

    @on(ShippingRefused)
    def refund(self, refused: ShippingRefused) -> None:
        self.emit(PaymentRefunded(refused.order_id, refused.reason))
