"""The agents' books, written out from their states when all is done; the audit compares them."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

from attrs import define, field

from choreia.demos.orders.customer import Customer
from choreia.demos.orders.inventory import Inventory
from choreia.demos.orders.order import Day, Order, Outcome
from choreia.demos.orders.payment import Payment
from choreia.demos.orders.shipping import Shipping
from choreia.demos.orders.shop import Shop


@define
class ShopBook:
    """How each order ended; a list, because an order that ended twice must show."""

    outcomes: dict[str, list[Outcome]] = field(factory=dict)


@define
class StockBook:
    """What is on the shelf, by item, and what is put aside, by order."""

    left: Counter[str]
    reserved: dict[str, Order] = field(factory=dict)


@define
class Ledger:
    """Cents by order."""

    charged: Counter[str] = field(factory=Counter)
    refunded: Counter[str] = field(factory=Counter)

    def kept(self, order_id: str) -> int:
        return self.charged[order_id] - self.refunded[order_id]


@define
class ShippingBook:
    """Pieces sent, by order."""

    sent: Counter[str] = field(factory=Counter)


@define
class CustomerBook:
    """What the customers asked for and were told."""

    told: dict[str, list[Outcome]] = field(factory=dict)
    asked: set[str] = field(factory=set)
    """Orders that a customer wanted cancelled."""
    refused: list[str] = field(factory=list)
    """Those for which it was too late."""


@define
class Agents:
    """Those whose states the books are written out from, as they come into being."""

    shop: Shop = field(init=False)
    inventory: Inventory = field(init=False)
    payment: Payment = field(init=False)
    shipping: Shipping = field(init=False)
    customer: Customer = field(init=False)


class Books:
    """All books of one day, written out from what the agents know when they are first looked at.

    The agents' states are the truth, and cannot be changed; these can, and are for adding up.
    """

    def __init__(self, day: Day, agents: Agents) -> None:
        self.day = day
        self._agents = agents

    def about(self, day: Day) -> Books:
        """The books of the same agents, about that day."""
        return Books(day, self._agents)

    @cached_property
    def shop(self) -> ShopBook:
        state = self._agents.shop.state
        return ShopBook({id: list(ends) for id, ends in state.outcomes.items()})

    @cached_property
    def stock(self) -> StockBook:
        state = self._agents.inventory.state
        left = Counter(self.day.stock)
        left.subtract(dict(state.taken))
        return StockBook(left, dict(state.reserved))

    @cached_property
    def ledger(self) -> Ledger:
        state = self._agents.payment.state
        return Ledger(Counter(dict(state.charged)), Counter(dict(state.refunded)))

    @cached_property
    def shipping(self) -> ShippingBook:
        return ShippingBook(Counter(dict(self._agents.shipping.state.sent)))

    @cached_property
    def customer(self) -> CustomerBook:
        state = self._agents.customer.state
        told = {id: list(outcomes) for id, outcomes in state.told.items()}
        refused = [id for id, times in state.refused.items() for _ in range(times)]
        return CustomerBook(told, set(state.asked), refused)

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
