"""Orders drawn from a seed."""

from __future__ import annotations

from choreia.demos.orders.customer import MOMENTS
from choreia.demos.orders.generate import LEAST_STOCK, PRICES, generate
from choreia.demos.orders.payment import DECLINED
from choreia.demos.orders.shipping import OUT_OF_REACH


def test_the_same_seed_makes_the_same_day() -> None:
    assert generate(100, 1) == generate(100, 1)
    assert generate(100, 1) != generate(100, 2)


def test_a_day_has_something_of_everything() -> None:
    day = generate(1_000, 0)
    assert len({order.id for order in day.orders}) == 1_000
    assert {order.item for order in day.orders} == set(PRICES) == set(day.stock)
    assert {order.cancel_on for order in day.orders} == {None, *MOMENTS}
    assert {order.card for order in day.orders} > DECLINED
    assert {order.ship_to for order in day.orders} > OUT_OF_REACH


def test_some_items_run_out_and_a_handful_of_orders_has_something_to_sell() -> None:
    day = generate(1_000, 0)
    for item in "tea", "honey":
        assert day.stock[item] < sum(o.quantity for o in day.orders if o.item == item) * 3 // 4
    assert min(generate(1, 0).stock.values()) == LEAST_STOCK
