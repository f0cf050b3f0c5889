"""Payment: it charges cards, and gives back what it charged."""

from __future__ import annotations

from choreia import on
from choreia.demos.orders.books import Ledger
from choreia.demos.orders.events import (
    InventoryReserved,
    PaymentCharged,
    PaymentRefunded,
    PaymentRefused,
    ShippingRefused,
)
from choreia.demos.orders.order import Outcome
from choreia.demos.orders.step import Step

DECLINED = frozenset({"4000000000000002", "4000000000009995"})
"""Cards that every payment provider's test system declines. No chance is involved: the same
orders fail in every run."""


class Payment(Step):
    """The middle of the saga: its failure turns an order back, and so does shipping's."""

    capabilities = ("payment.charge",)
    emits = (PaymentCharged, PaymentRefused, PaymentRefunded)

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger

    @on(InventoryReserved)
    def charge(self, reserved: InventoryReserved) -> None:
        order = reserved.order
        if order.id in self.withdrawn:
            self.emit(PaymentRefused(order.id, Outcome.CANCELLED))
        elif order.card in DECLINED:
            self.emit(PaymentRefused(order.id, Outcome.PAYMENT_FAILED))
        else:
            self.ledger.charge(order)
            self.emit(PaymentCharged(order))

    @on(ShippingRefused)
    def refund(self, refused: ShippingRefused) -> None:
        self.ledger.refund(refused.order_id)
        self.emit(PaymentRefunded(refused.order_id, refused.reason))
