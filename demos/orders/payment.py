"""Payment: it charges cards, and gives back what it charged."""

from __future__ import annotations

from choreia import StepFailed, step
from choreia.demos.orders.events import (
    InventoryReserved,
    PaymentCharged,
    PaymentRefunded,
    PaymentRefused,
    ShippingRefused,
)
from choreia.demos.orders.order import Outcome
from choreia.demos.orders.states import LedgerState
from choreia.demos.orders.trade import Trade

DECLINED = frozenset({"4000000000000002", "4000000000009995"})
"""Cards that every payment provider's test system declines. No chance is involved: the same
orders fail in every run."""


class Payment(Trade[LedgerState]):
    """The middle of the saga: its failure turns an order back, and so does shipping's."""

    capabilities = ("payment.charge",)
    emits = (PaymentCharged, PaymentRefunded)
    compensate_on = (ShippingRefused,)

    @step(InventoryReserved, emits=PaymentCharged, fails=PaymentRefused, compensate="refund")
    def charge(self, reserved: InventoryReserved) -> PaymentCharged:
        order = reserved.order
        if order.card in DECLINED:
            raise StepFailed(PaymentRefused(order.id, Outcome.PAYMENT_FAILED))
        return PaymentCharged(order)

    def refund(self, reserved: InventoryReserved) -> None:
        self.emit(PaymentRefunded(reserved.order.id, self.reason))
