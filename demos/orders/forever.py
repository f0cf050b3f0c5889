"""A shop that never closes: orders come in until somebody stops it, and then the books are checked.

It remembers every order, as the books have to add up in the end: some hundred bytes each.
"""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from random import Random
from threading import Event as Signal
from types import FrameType

from choreia import ActorSystem, MailboxFull
from choreia.demos.orders.books import Books
from choreia.demos.orders.chaos import GOSSIP, Chaos, Gossip
from choreia.demos.orders.choreography import build, place
from choreia.demos.orders.generate import PRICES, made_up
from choreia.demos.orders.order import Day, Order

PLENTY = 10**9
"""Pieces."""
FEW = 2_000
"""Kettles: they run out, and then orders for them are turned back."""
TOGETHER = 0.1
"""Seconds between two handfuls of orders."""
STRIKES = 2.0
"""Seconds from one mishap to the next."""


class Forever:
    """Opens the shop, and keeps it open."""

    def __init__(self, system: ActorSystem, *, seed: int, mailbox: int, chaos: bool) -> None:
        self._system = system
        self._random = Random(seed)
        self._numbers = count(1)
        self._orders: list[Order] = []
        self._stock = dict.fromkeys(PRICES, PLENTY) | {"kettle": FEW}
        self._built = build(system, (), self._stock, mailbox=mailbox)
        self.over = Signal()
        """Nobody orders any more."""
        self._chaos: Chaos | None = None
        if chaos:
            system.spawn(lambda: Gossip(seed, self.over), name=GOSSIP)
            self._chaos = Chaos(system, seed, self.order)

    def order(self, number: int) -> None:
        """Have so many orders come in. Waits while a mailbox is full."""
        for _ in range(number):
            order = made_up(f"order-{next(self._numbers)}", self._random)
            while not self.over.is_set() and not self._placed(order):
                # Whoever is paused may be the one who is full, and we are who lets them go on.
                if self._chaos is not None:
                    self._chaos.end()

    def _placed(self, order: Order) -> bool:
        try:
            place(self._system, order, timeout=STRIKES)
        except MailboxFull:
            return False
        self._orders.append(order)
        return True

    def run(self, rate: float) -> None:
        """Have `rate` orders a second come in, until Ctrl-C or SIGTERM."""
        owed = strikes = 0.0
        with _signals(self.over):
            while not self.over.wait(TOGETHER):
                owed += rate * TOGETHER
                self.order(int(owed))
                owed -= int(owed)
                strikes += TOGETHER
                if self._chaos is not None and strikes >= STRIKES:
                    strikes = 0.0
                    self._chaos.strike()
        if self._chaos is not None:
            self._chaos.end()

    def books(self) -> Books:
        """Of all that was ordered; when the system is at rest."""
        return self._built.about(Day(tuple(self._orders), self._stock))


@contextmanager
def _signals(over: Signal) -> Generator[None, None, None]:
    """The first Ctrl-C closes the shop, in good order; the second is one."""

    def close(number: int, _: FrameType | None) -> None:
        over.set()
        signal.signal(number, former[number])

    former = {int(one): signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    for number in former:
        signal.signal(number, close)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
