"""Shipping: the point of no return."""

from __future__ import annotations

from choreia import on
from choreia.demos.orders.events import (
    CancellationNoted,
    CancellationRefused,
    CancellationRequested,
    OrderShipped,
    ParcelPacked,
    PaymentCharged,
    ShippingRefused,
)
from choreia.demos.orders.order import Outcome
from choreia.demos.orders.states import ShippingState
from choreia.demos.orders.step import Step

OUT_OF_REACH = frozenset({"Atlantis", "El Dorado"})
"""Where no carrier goes."""


class Shipping(Step[ShippingState]):
    """Either it hears of a cancellation before it sends the parcel, or it refuses it.

    That is decided here and nowhere else, one event at a time, so there is nothing to lock.
    """

    capabilities = ("shipping.send",)
    emits = (ParcelPacked, OrderShipped, ShippingRefused, CancellationRefused, CancellationNoted)

    @on(PaymentCharged)
    def pack(self, charged: PaymentCharged) -> None:
        order = charged.order
        if order.ship_to in OUT_OF_REACH:
            self.emit(ShippingRefused(order.id, Outcome.UNDELIVERABLE))
        else:
            # Said to itself: what came meanwhile, cancellations too, has its turn before that.
            self.emit(ParcelPacked(order))

    @on(ParcelPacked)
    def send(self, packed: ParcelPacked) -> None:
        order = packed.order
        if order.id in self.state.withdrawn:
            self.emit(ShippingRefused(order.id, Outcome.CANCELLED))
        else:
            self.emit(OrderShipped(order))

    @on(CancellationRequested)
    def withdraw(self, request: CancellationRequested) -> None:
        if request.order_id in self.state.sent:
            self.emit(CancellationRefused(request.order_id))
        else:
            super().withdraw(request)
