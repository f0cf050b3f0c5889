"""Do the books add up? What one agent wrote is compared with what the others did.

No book is checked against itself: pieces left are the inventory's word and pieces sent are
shipping's; the money is payment's, and what it should be follows from the orders and from what
the shop says of them.
"""

from __future__ import annotations

from collections import Counter

from attrs import frozen

from choreia.demos.orders.books import Books
from choreia.demos.orders.order import Outcome, money
from choreia.runtime.events.display import plain

SHOWN = 3
"""Faults of one check that are told; the others are counted."""


@frozen
class Check:
    """One thing that must hold, and a sentence on whether it does."""

    name: str
    holds: bool
    says: str


def audit(books: Books) -> tuple[Check, ...]:
    """Every check, in the order of the saga. The system must be at rest."""
    return (
        _outcomes(books),
        _stock(books),
        _reservations(books),
        _money(books),
        _parcels(books),
        _customers(books),
    )


def _outcomes(books: Books) -> Check:
    outcomes, known = books.shop.outcomes, {order.id for order in books.day.orders}
    faults = [
        f"{order.id} has {len(outcomes.get(order.id, ()))}"
        for order in books.day.orders
        if len(outcomes.get(order.id, ())) != 1
    ]
    faults += [f"nobody placed {id}" for id in outcomes if id not in known]
    return _check("outcomes", f"each of {len(known):,} orders has exactly one outcome", faults)


def _stock(books: Books) -> Check:
    morning, left, gone = books.day.stock, books.stock.left, books.sent()
    faults = [
        f"{item}: {morning.get(item, 0):,} is not {left[item]:,} left + {gone[item]:,} shipped"
        for item in sorted({*morning, *left, *gone})
        if morning.get(item, 0) != left[item] + gone[item] or left[item] < 0
    ]
    total = f"{sum(morning.values()):,} pieces at the start"
    good = f"{total} = {left.total():,} left + {gone.total():,} shipped, item by item"
    return _check("stock", good, faults)


def _reservations(books: Books) -> Check:
    faults = [
        f"{order.quantity} {order.item} for {id}" for id, order in books.stock.reserved.items()
    ]
    return _check("reservations", "no piece is still put aside", faults)


def _money(books: Books) -> Check:
    ledger, due = books.ledger, {order.id: order.total for order in books.ended(Outcome.COMPLETED)}
    faults = [
        f"{id}: {money(ledger.kept(id))} kept, {money(due.get(id, 0))} due"
        for id in sorted({*due, *ledger.charged, *ledger.refunded})
        if ledger.kept(id) != due.get(id, 0)
    ]
    charged, refunded = ledger.charged.total(), ledger.refunded.total()
    good = (
        f"{money(charged)} charged - {money(refunded)} refunded = {money(charged - refunded)}, "
        "the total of the completed orders, order by order"
    )
    return _check("money", good, faults)


def _parcels(books: Books) -> Check:
    due = {order.id: order.quantity for order in books.ended(Outcome.COMPLETED)}
    faults = [
        f"{id}: {books.shipping.sent[id]} sent, {due.get(id, 0)} due"
        for id in sorted({*due, *books.shipping.sent})
        if books.shipping.sent[id] != due.get(id, 0)
    ]
    good = f"{len(due):,} parcels, one for each completed order and none for another"
    return _check("parcels", good, faults)


def _customers(books: Books) -> Check:
    """Everybody heard what the shop wrote, and who asked too late, and only they, heard so."""
    book = books.customer
    faults = [
        f"{id} was told {', '.join(book.told.get(id, ())) or 'nothing'}"
        for id, outcomes in books.shop.outcomes.items()
        if book.told.get(id, []) != outcomes
    ]
    late = sorted(order.id for order in books.ended(Outcome.COMPLETED) if order.id in book.asked)
    answers = Counter(book.refused)
    faults += [
        f"{id} was refused {answers[id]} times"
        for id in sorted({*late, *answers})
        if answers[id] != (id in late)
    ]
    good = (
        f"each heard its outcome; of {len(book.asked):,} who asked to cancel, "
        f"{len(late):,} asked too late and heard so"
    )
    return _check("customers", good, faults)


def _check(name: str, good: str, faults: list[str]) -> Check:
    if not faults:
        return Check(name, True, good)
    more = f"; and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else ""
    return Check(name, False, "; ".join(plain(fault, 200) for fault in faults[:SHOWN]) + more)
