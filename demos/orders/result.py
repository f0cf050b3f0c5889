"""The outcome of a day as data: what ``--json`` writes."""

from __future__ import annotations

from attrs import asdict

from choreia.demos.orders.audit import Check
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
        "outcomes": {outcome.value: len(books.ended(outcome)) for outcome in Outcome},
        "stock": _stock(books),
        "money": {"charged": charged, "refunded": refunded, "kept": charged - refunded},
        "cancellations": {
            "requested": len(books.customer.asked),
            "refused": len(books.customer.refused),
        },
        "orders": [_order(books, order) for order in books.day.orders],
    }


def _stock(books: Books) -> dict[str, dict[str, int]]:
    left, reserved, sent = books.stock.left, books.reserved(), books.sent()
    return {
        item: {
            "start": start,
            "left": left[item],
            "reserved": reserved[item],
            "shipped": sent[item],
        }
        for item, start in books.day.stock.items()
    }


def _order(books: Books, order: Order) -> dict[str, object]:
    return {
        "id": order.id,
        "item": order.item,
        "quantity": order.quantity,
        "total": order.total,
        "outcomes": [outcome.value for outcome in books.shop.outcomes.get(order.id, ())],
        "kept": books.ledger.kept(order.id),
        "shipped": books.shipping.sent[order.id],
    }
