"""The audit has to say no to books that were cooked, and say what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from choreia import ActorSystem
from choreia.demos.orders import build
from choreia.demos.orders.audit import SHOWN, Check, audit
from choreia.demos.orders.books import Books
from choreia.demos.orders.choreography import place
from choreia.demos.orders.order import Order, Outcome, money

GOOD = Order("good", "tea", 2, 450)
LATE = Order("late", "mug", 1, 1250, cancel_on="order.shipped")
POOR = Order("poor", "tea", 1, 450, card="4000000000000002")
FAR = Order("far", "mug", 1, 1250, ship_to="Atlantis")


@pytest.fixture
def books() -> Books:
    with ActorSystem(mode="simulated") as system:
        books = build(system, [GOOD, LATE, POOR, FAR], {"tea": 5, "mug": 2})
        for order in books.day.orders:
            place(system, order)
    return books


def failing(books: Books) -> dict[str, str]:
    return {check.name: check.says for check in audit(books) if not check.holds}


def test_honest_books_add_up(books: Books) -> None:
    assert failing(books) == {}
    assert [check.says for check in audit(books)] == [
        "each of 4 orders has exactly one outcome",
        "7 pieces at the start = 4 left + 3 shipped, item by item",
        "no piece is still put aside",
        "34.00 charged - 12.50 refunded = 21.50, the total of the completed orders, order by order",
        "2 parcels, one for each completed order and none for another",
        "each heard its outcome; of 1 who asked to cancel, 1 asked too late and heard so",
    ]


def test_books_of_a_day_that_never_was_do_not_add_up() -> None:
    with ActorSystem(mode="simulated") as system:
        books = build(system, [GOOD])
    assert failing(books) == {"outcomes": "good has 0"}


def ends_twice(books: Books) -> None:
    books.shop.outcomes["poor"].append(Outcome.OUT_OF_STOCK)
    books.customer.told["poor"].append(Outcome.OUT_OF_STOCK)


def never_ends(books: Books) -> None:
    del books.shop.outcomes["poor"]


def invents_an_order(books: Books) -> None:
    books.shop.outcomes["ghost"] = [Outcome.CANCELLED]
    books.customer.told["ghost"] = [Outcome.CANCELLED]


def loses_goods(books: Books) -> None:
    books.stock.left["tea"] -= 1


def moves_goods(books: Books) -> None:
    """From one shelf to another: the total is right, and nothing else."""
    books.stock.left["tea"] -= 1
    books.stock.left["mug"] += 1


def keeps_goods_aside(books: Books) -> None:
    books.stock.reserved["far"] = FAR


def charges_twice(books: Books) -> None:
    books.ledger.charged["good"] += GOOD.total


def does_not_refund(books: Books) -> None:
    del books.ledger.refunded["far"]


def refunds_somebody_else(books: Books) -> None:
    """The sum is right, and it is the wrong customer's."""
    books.ledger.refunded["good"] = books.ledger.refunded.pop("far")
    books.ledger.charged["good"] = 900 + 1250 - 1250


def takes_money_for_nothing(books: Books) -> None:
    books.ledger.charged["ghost"] += 1


def sends_twice(books: Books) -> None:
    books.shipping.sent["good"] += GOOD.quantity
    books.stock.left["tea"] -= 2


def keeps_silent(books: Books) -> None:
    del books.customer.told["good"]


def refuses_nobody(books: Books) -> None:
    books.customer.refused.clear()


def refuses_twice(books: Books) -> None:
    books.customer.refused.append("late")


def refuses_who_never_asked(books: Books) -> None:
    books.customer.refused.append("good")


@pytest.mark.parametrize(
    ("cook", "name", "says"),
    [
        (ends_twice, "outcomes", "poor has 2"),
        (never_ends, "outcomes", "poor has 0"),
        (invents_an_order, "outcomes", "nobody placed ghost"),
        (loses_goods, "stock", "tea: 5 is not 2 left + 2 shipped"),
        (moves_goods, "stock", "mug: 2 is not 2 left + 1 shipped; tea: 5 is not 2 left"),
        (keeps_goods_aside, "reservations", "1 mug for far"),
        (charges_twice, "money", "good: 18.00 kept, 9.00 due"),
        (does_not_refund, "money", "far: 12.50 kept, 0.00 due"),
        (refunds_somebody_else, "money", "far: 12.50 kept, 0.00 due; good: -3.50 kept, 9.00 due"),
        (takes_money_for_nothing, "money", "ghost: 0.01 kept, 0.00 due"),
        (sends_twice, "parcels", "good: 4 sent, 2 due"),
        (keeps_silent, "customers", "good was told nothing"),
        (refuses_nobody, "customers", "late was refused 0 times"),
        (refuses_twice, "customers", "late was refused 2 times"),
        (refuses_who_never_asked, "customers", "good was refused 1 times"),
    ],
)
def test_cooked_books_are_found_out(
    books: Books, cook: Callable[[Books], None], name: str, says: str
) -> None:
    cook(books)
    assert says in failing(books)[name]


def test_a_shelf_cannot_hold_less_than_nothing(books: Books) -> None:
    books.stock.left["tea"] = -2
    books.day.stock["tea"] = 0
    assert "stock" in failing(books)


def test_of_many_faults_a_few_are_told(books: Books) -> None:
    for number in range(SHOWN + 4):
        books.shop.outcomes[f"ghost-{number}"] = []
    assert failing(books)["outcomes"].endswith("nobody placed ghost-2; and 4 more")


def test_faults_are_told_without_what_a_terminal_would_obey(books: Books) -> None:
    books.stock.reserved["\x1b[31mred"] = FAR
    assert failing(books)["reservations"] == "1 mug for [31mred"


def test_a_check_is_a_value() -> None:
    assert Check("stock", True, "fine") == Check("stock", True, "fine")


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0.00"), (5, "0.05"), (1250, "12.50"), (123_456_789, "1,234,567.89"), (-350, "-3.50")],
)
def test_money_is_told_in_full(cents: int, text: str) -> None:
    assert money(cents) == text
