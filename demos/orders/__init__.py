"""An order saga as plain choreography: five agents, and nobody in charge.

Each agent knows its own trade, keeps its own books, reacts to events and emits events. An order
walks from one to the next; whoever cannot go on turns it back, and on the way back each agent
undoes what it did::

    who          the way forward             the way back, from wherever it turned

    outside      order.placed
                      v
    shop         order.created               order.cancelled
                      v                            ^
    inventory    inventory.reserved          inventory.refused, or inventory.released
                      v                            ^
    payment      payment.charged             payment.refused, or payment.refunded
                      v                            ^
    shipping     parcel.packed               shipping.refused
                      v
    shipping     order.shipped               (the point of no return)
                      v
    shop         order.completed

Who refuses has done nothing, and turns the order back to whoever was before; who refunds or
releases undoes what it did, and passes the order on, backwards. So a payment is refunded before
the goods are released, and the goods before the order is cancelled, and nobody told anybody to.

A customer who has a change of mind emits ``cancellation.requested``, and then it is a race with
the order. Inventory, payment and shipping all hear it, and whoever of them the order comes to
next turns it back. When the parcel has left, shipping answers ``cancellation.refused``. Only the
agent that has the order in hand decides, so whoever wins the race, an order has one outcome, and
a customer who asks has one answer.

Read on in this order: `order`, `events`, the agents (`shop`, `inventory`, `payment`,
`shipping`, `customer`; `step` is what three of them have in common) with their `books`, then
`choreography`, which brings them together, and `audit`, which adds it all up.
"""

from __future__ import annotations

from choreia.demos.orders.choreography import build as build
