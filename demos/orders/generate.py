"""Orders drawn from a seed: the same seed gives the same orders, for ever."""

from __future__ import annotations

from collections import Counter
from random import Random

from choreia.demos.orders.customer import MOMENTS
from choreia.demos.orders.order import Day, Order
from choreia.demos.orders.payment import DECLINED
from choreia.demos.orders.shipping import OUT_OF_REACH

PRICES = {"tea": 450, "honey": 720, "coffee": 890, "mug": 1250, "kettle": 3990}
"""Cents."""
STOCK = {"tea": 60, "honey": 70, "coffee": 80, "mug": 90, "kettle": 100}
"""Per cent of what is ordered: some items run out."""
LEAST_STOCK = 3
"""Pieces, so that a handful of orders has something to sell too."""
GOOD_CARDS = ("4242424242424242", "5555555555554444")
NEAR = ("Lisbon", "Oslo", "Turin", "Ghent", "Graz")

DECLINED_SHARE = 0.08
OUT_OF_REACH_SHARE = 0.04
CHANGE_OF_MIND_SHARE = 0.15


def generate(count: int, seed: int) -> Day:
    """`count` orders, and stock for most of them."""
    random = Random(seed)
    orders = tuple(made_up(f"order-{number}", random) for number in range(1, count + 1))
    wanted: Counter[str] = Counter()
    for order in orders:
        wanted[order.item] += order.quantity
    stock = {item: max(LEAST_STOCK, wanted[item] * STOCK[item] // 100) for item in PRICES}
    return Day(orders, stock)


def made_up(id: str, random: Random) -> Order:
    """An order, as `random` has it."""
    item = random.choice(list(PRICES))
    return Order(
        id=id,
        item=item,
        quantity=random.randint(1, 3),
        price=PRICES[item],
        card=_either(random, DECLINED_SHARE, sorted(DECLINED), GOOD_CARDS),
        ship_to=_either(random, OUT_OF_REACH_SHARE, sorted(OUT_OF_REACH), NEAR),
        cancel_on=random.choice(MOMENTS) if random.random() < CHANGE_OF_MIND_SHARE else None,
    )


def _either(random: Random, share: float, rare: list[str], usual: tuple[str, ...]) -> str:
    return random.choice(rare if random.random() < share else usual)
