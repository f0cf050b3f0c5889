"""An order saga as plain choreography: five agents, and nobody in charge.

Each agent knows its own trade, keeps its own books, reacts to events and emits events. An order
walks from one to the next; whoever cannot go on turns it back, and on the way back each agent
undoes what it did: the payment is refunded, then the goods are released, then the order is
cancelled.

::

    order.placed                                                             what was done
        |                                                                    is undone in
        v                                                                    reverse order
    +------+   order.created    +-----------+   inventory.refused
    | shop | -----------------> | inventory | ---------------------------------------+
    +------+                    +-----------+                                        |
                      inventory.reserved |  ^ payment.refused    inventory.released  v
                                         |  | payment.refunded ---------------->  +------+
                                         v  |                                     | shop |
                                 +---------+                                      +------+
                                 | payment |                                         |
                                 +---------+                                         v
                         payment.charged |  ^                                  order.cancelled
                                         |  | shipping.refused
                                         v  |
                                 +----------+   order.shipped    +------+
                                 | shipping | -----------------> | shop | --> order.completed
                                 +----------+                    +------+

A customer who has a change of mind emits ``cancellation.requested``, and then it is a race with
the order. Inventory, payment and shipping all hear it, and whoever of them the order comes to
next turns it back. Shipping is the point of no return: when the parcel has left it answers
``cancellation.refused``. Only the agent that has the order in hand decides, so whichever wins
the race, an order has one outcome, and a customer who asks has one answer.

Read on in this order: `order`, `events`, the agents (`shop`, `inventory`, `payment`,
`shipping`, `customer`; `step` is what three of them have in common) with their `books`, then
`choreography`, which brings them together, and `audit`, which adds it all up.
"""

from __future__ import annotations

from choreia.demos.orders.choreography import build as build
