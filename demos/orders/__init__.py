"""An order saga as plain choreography: five agents, and nobody in charge.

Each agent knows its own trade, keeps its own books, reacts to events and emits events. An order
walks from one to the next; whoever cannot go on turns it back, and then everybody who did something
for it undoes that::

    who          the way forward             the way back

    outside      order.placed
                      v
    shop         order.created               order.cancelled
                      v                            ^
    inventory    inventory.reserved          inventory.released
                      v                            ^
    payment      payment.charged             payment.refunded
                      v                            ^
    shipping     parcel.packed               inventory.refused, payment.refused, shipping.refused:
                      v                      whoever refuses has done nothing
    shipping     order.shipped               (the point of no return)
                      v
    shop         order.completed

All of them hear who refuses, and each knows only what it does itself: a step (`@step`), how to undo
it (`compensate`), and at which failures (`compensate_on`). Still a payment is refunded before the
goods are released, and the goods before the order is cancelled, and nobody told anybody to: a step
is undone when those that stand on it are.

A customer who has a change of mind emits ``cancellation.requested``, and then it is a race with
the order. Inventory, payment and shipping all hear it, and whoever of them the order comes to
next turns it back (`withdraw_on`). When the parcel has left (`@pivot`), shipping answers
``cancellation.refused``. Only the agent that has the order in hand decides, so whoever wins the
race, an order has one outcome, and a customer who asks has one answer.

Read on in this order: `order`, `events`, the agents (`shop`, `inventory`, `payment`,
`shipping`, `customer`; `trade` is what four of them have in common) with their `books`, then
`choreography`, which brings them together, and `audit`, which adds it all up.
"""

from __future__ import annotations

from choreia.demos.orders.choreography import build as build
