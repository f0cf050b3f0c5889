"""The outcome of a day as data: what ``--json`` writes."""

from __future__ import annotations

from attrs import asdict

from choreia.demos.orders.audit import Check, sent
from choreia.demos.orders.books import Books
from choreia.demos.orders.order import Order, Outcome

FORMAT = 1


def to_json(books: Books, checks: tuple[Check, ...]) -> dict[str, object]:
    """In JSON's types. Money in cents, orders as they came in."""
    charged, refunded = books.ledger.charged.total(), books.ledger.refunded.total()
    return {
        "format": FORMAT,
        "adds_up": all(check.holds for check in checks),
        "checks": [asdict(check) for check in checks],
        "outcomes": {outcome.value: len(ended(books, outcome)) for outcome in Outcome},
        "stock": _stock(books),
        "money": {"charged": charged, "refunded": refunded, "kept": charged - refunded},
        "cancellations": {
            "requested": len(books.customer.asked),
            "refused": len(books.customer.refused),
        },
        "orders": [_order(books, order) for order in books.day.orders],
    }


def ended(books: Books, outcome: Outcome) -> list[Order]:
    """The orders with that outcome."""
    return [
        order for order in books.day.orders if outcome in books.shop.outcomes.get(order.id, ())
    ]


def _stock(books: Books) -> dict[str, dict[str, int]]:
    gone, reserved = sent(books), books.stock.reserved.values()
    return {
        item: {
            "start": count,
            "left": books.stock.left[item],
            "reserved": sum(order.quantity for order in reserved if order.item == item),
            "shipped": gone[item],
        }
        for item, count in books.day.stock.items()
    }


def _order(books: Books, order: Order) -> dict[str, object]:
    outcomes = books.shop.outcomes.get(order.id, [])
    return {
        "id": order.id,
        "item": order.item,
        "quantity": order.quantity,
        "total": order.total,
        "outcome": outcomes[0].value if outcomes else None,
        "kept": books.ledger.kept(order.id),
        "shipped": books.shipping.sent[order.id],
    }
