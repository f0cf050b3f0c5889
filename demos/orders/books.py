"""The agents' books. Each has one writer; when all is done, the audit compares them.

They are made outside the agents and handed to them, so that they can be read when the agents
are gone, and would outlive a restart. What is added up is counted, not set: a card that was
charged twice must show.
"""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from choreia.demos.orders.order import Day, Order, Outcome


@define
class ShopBook:
    """How each order ended; a list, because an order that ended twice must show."""

    outcomes: dict[str, list[Outcome]] = field(factory=dict)

    def open(self, order_id: str) -> bool:
        """False when it is known already."""
        if order_id in self.outcomes:
            return False
        self.outcomes[order_id] = []
        return True

    def close(self, order_id: str, outcome: Outcome) -> None:
        self.outcomes.setdefault(order_id, []).append(outcome)


@define
class StockBook:
    """What is on the shelf, by item, and what is put aside, by order."""

    left: Counter[str]
    reserved: dict[str, Order] = field(factory=dict)

    def reserve(self, order: Order) -> bool:
        """All pieces or none: False when there are not enough."""
        if self.left[order.item] < order.quantity:
            return False
        self.left[order.item] -= order.quantity
        self.reserved[order.id] = order
        return True

    def release(self, order_id: str) -> None:
        order = self.reserved.pop(order_id)
        self.left[order.item] += order.quantity

    def hand_over(self, order_id: str) -> None:
        del self.reserved[order_id]


@define
class Ledger:
    """Cents by order."""

    charged: Counter[str] = field(factory=Counter)
    refunded: Counter[str] = field(factory=Counter)

    def charge(self, order: Order) -> None:
        self.charged[order.id] += order.total

    def refund(self, order_id: str) -> None:
        self.refunded[order_id] += self.charged[order_id]

    def kept(self, order_id: str) -> int:
        return self.charged[order_id] - self.refunded[order_id]


@define
class ShippingBook:
    """Pieces sent, by order."""

    sent: Counter[str] = field(factory=Counter)

    def send(self, order: Order) -> None:
        self.sent[order.id] += order.quantity


@define
class CustomerBook:
    """What the customers asked for and were told."""

    told: dict[str, list[Outcome]] = field(factory=dict)
    asked: set[str] = field(factory=set)
    """Orders that a customer wanted cancelled."""
    refused: list[str] = field(factory=list)
    """Those for which it was too late."""


@define
class Books:
    """All books of one day."""

    day: Day
    shop: ShopBook
    stock: StockBook
    ledger: Ledger
    shipping: ShippingBook
    customer: CustomerBook

    @classmethod
    def of(cls, day: Day) -> Books:
        """As they are in the morning."""
        stock = StockBook(Counter(day.stock))
        return cls(day, ShopBook(), stock, Ledger(), ShippingBook(), CustomerBook())

    def ended(self, outcome: Outcome) -> list[Order]:
        """The orders that ended so, as the shop has it."""
        known = self.shop.outcomes
        return [order for order in self.day.orders if outcome in known.get(order.id, ())]

    def sent(self) -> Counter[str]:
        """Pieces of each item that shipping has sent."""
        pieces: Counter[str] = Counter()
        for order in self.day.orders:
            pieces[order.item] += self.shipping.sent[order.id]
        return pieces

    def reserved(self) -> Counter[str]:
        """Pieces of each item that are still put aside."""
        pieces: Counter[str] = Counter()
        for order in self.stock.reserved.values():
            pieces[order.item] += order.quantity
        return pieces
