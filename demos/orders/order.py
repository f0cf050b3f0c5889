"""What is ordered, and how an order can end."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen


class Outcome(StrEnum):
    """How an order ends. All but the first are also the reason why it is turned back."""

    COMPLETED = "completed"
    OUT_OF_STOCK = "out_of_stock"
    PAYMENT_FAILED = "payment_failed"
    UNDELIVERABLE = "undeliverable"
    CANCELLED = "cancelled"
    """The customer asked for it in time."""


@frozen
class Order:
    """One item, some pieces of it, and what each agent needs to do its part.

    Who understands what is up to the agents: only payment knows which cards are declined, only
    shipping knows how far it goes, and only the customer knows what `cancel_on` means.
    """

    id: str
    item: str
    quantity: int
    price: int
    """Of one piece, in cents. Money is never a float here: cents have to add up."""
    card: str = "4242424242424242"
    ship_to: str = "Lisbon"
    cancel_on: str | None = None
    """The type of event at which the customer has a change of mind, such as payment.charged."""

    @property
    def total(self) -> int:
        """In cents."""
        return self.quantity * self.price


@frozen
class Day:
    """A day's business: the orders that come in, and the stock in the morning."""

    orders: tuple[Order, ...]
    stock: dict[str, int] = field(factory=dict)
    """Pieces of each item."""


def money(cents: int) -> str:
    """Cents as text, without a detour by way of floats."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
