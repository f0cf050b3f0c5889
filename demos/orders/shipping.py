"""Shipping: the point of no return."""

from __future__ import annotations

from choreia import StepFailed, on, pivot, step
from choreia.demos.orders.events import (
    CancellationRefused,
    CancellationRequested,
    OrderShipped,
    ParcelPacked,
    PaymentCharged,
    ShippingRefused,
)
from choreia.demos.orders.order import Outcome
from choreia.demos.orders.states import ShippingState
from choreia.demos.orders.trade import Trade

OUT_OF_REACH = frozenset({"Atlantis", "El Dorado"})
"""Where no carrier goes."""


class Shipping(Trade[ShippingState]):
    """Either it hears of a cancellation before it sends the parcel, or it refuses it.

    That is decided here and nowhere else, one event at a time, so there is nothing to lock.
    """

    capabilities = ("shipping.send",)
    emits = (ParcelPacked, OrderShipped, CancellationRefused)

    @step(PaymentCharged, emits=ParcelPacked, fails=ShippingRefused)
    def pack(self, charged: PaymentCharged) -> ParcelPacked:
        order = charged.order
        if order.ship_to in OUT_OF_REACH:
            raise StepFailed(ShippingRefused(order.id, Outcome.UNDELIVERABLE))
        # Said to itself: what came meanwhile, cancellations too, has its turn before that.
        return ParcelPacked(order)

    @pivot(ParcelPacked, emits=OrderShipped, fails=ShippingRefused)
    def send(self, packed: ParcelPacked) -> OrderShipped:
        return OrderShipped(packed.order)

    @on(CancellationRequested)
    def answer(self, request: CancellationRequested) -> None:
        if request.order_id in self.state.sent:
            self.emit(CancellationRefused(request.order_id))
