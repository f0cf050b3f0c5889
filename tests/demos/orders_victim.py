"""A process that dies between a charge and the news of it. Run with a store, and a number."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from choreia import ActorSystem
from choreia.demos.orders import payment
from choreia.demos.orders.choreography import build, open_day, place_once
from choreia.demos.orders.generate import generate

COUNT, SEED = 40, 5


class Fatal(frozenset[str]):
    """Whoever looks up a card has as good as charged it; the last one who does, dies of it."""

    left = 0

    def __contains__(self, card: object) -> bool:
        Fatal.left -= 1
        if not Fatal.left:
            os._exit(9)
        return super().__contains__(card)


def trade(store: Path) -> None:
    day = generate(COUNT, SEED)
    with ActorSystem(store=store) as system:
        build(system, day.orders, day.stock)
        open_day(system, day)
        place_once(system, day.orders)
        system.wait_idle(60)


if __name__ == "__main__":
    Fatal.left = int(sys.argv[2])
    payment.DECLINED = Fatal(payment.DECLINED)
    trade(Path(sys.argv[1]))
