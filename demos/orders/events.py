"""What is said, and by whom. This is all that the agents know of each other.

Events on the way forward carry the whole order, so that whoever is next needs nothing else:
there is no order between events of different agents, and a payment that first had to hear
``order.created`` would have to wait for it. On the way back the id is enough, because everybody
is given again what it had been given when it took its step.
"""

from __future__ import annotations

from attrs import field, frozen

from choreia import event_type
from choreia.demos.orders.order import Order, Outcome

# -- forward ------------------------------------------------------------------------------


@event_type("order.placed")
@frozen
class OrderPlaced:
    """From outside: somebody wants something. It starts a case of its own."""

    order: Order


@event_type("order.created")
@frozen
class OrderCreated:
    """The shop has opened the order."""

    order: Order


@event_type("inventory.reserved")
@frozen
class InventoryReserved:
    """The inventory has put the pieces aside."""

    order: Order


@event_type("payment.charged")
@frozen
class PaymentCharged:
    """Payment has taken the money."""

    order: Order


@event_type("parcel.packed")
@frozen
class ParcelPacked:
    """Shipping has a parcel at the door, and may still unpack it."""

    order: Order


@event_type("order.shipped")
@frozen
class OrderShipped:
    """Shipping has sent the parcel, and nothing brings it back."""

    order: Order


@event_type("order.completed")
@frozen
class OrderCompleted:
    """The shop has closed the order: all went well."""

    order_id: str


# -- back ---------------------------------------------------------------------------------


@event_type("inventory.refused")
@frozen
class InventoryRefused:
    """The inventory put nothing aside; there is nothing to undo but the order."""

    order_id: str
    reason: Outcome


@event_type("payment.refused")
@frozen
class PaymentRefused:
    """Payment took no money: whoever did something for the order undoes it."""

    order_id: str
    reason: Outcome


@event_type("shipping.refused")
@frozen
class ShippingRefused:
    """Shipping sent nothing: whoever did something for the order undoes it."""

    order_id: str
    reason: Outcome


@event_type("payment.refunded")
@frozen
class PaymentRefunded:
    """Payment has given the money back."""

    order_id: str
    reason: Outcome


@event_type("inventory.released")
@frozen
class InventoryReleased:
    """The inventory has put the pieces back on the shelf."""

    order_id: str
    reason: Outcome


@event_type("order.cancelled")
@frozen
class OrderCancelled:
    """The shop has closed the order: it came to nothing."""

    order_id: str
    reason: Outcome


# -- a change of mind ---------------------------------------------------------------------


@event_type("cancellation.requested")
@frozen
class CancellationRequested:
    """The customer does not want it any more."""

    order_id: str


@event_type("cancellation.refused")
@frozen
class CancellationRefused:
    """Shipping says that the parcel has left. (In time, the answer is ``order.cancelled``.)"""

    order_id: str


# -- what an agent says to itself, to remember it ------------------------------------------


@event_type("inventory.handed_over")
@frozen
class InventoryHandedOver:
    """The pieces that were put aside are with shipping, and so on their way."""

    order_id: str


@event_type("customer.outcome_heard")
@frozen
class OutcomeHeard:
    """The customer knows how the order ended."""

    order_id: str
    outcome: Outcome


@event_type("customer.refusal_heard")
@frozen
class RefusalHeard:
    """The customer knows that it was too late."""

    order_id: str


@event_type("day.opened")
@frozen
class DayOpened:
    """From outside, once: what business a store is about."""

    orders: int
    digest: str
    """Of all its orders and its stock."""
    stock: dict[str, int] = field(factory=dict)
    """Pieces in the morning, by item; of very many items it is not told."""
