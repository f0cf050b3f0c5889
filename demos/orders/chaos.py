"""Chaos: what goes wrong in a shop that never closes, so that there is something to look at.

It comes from outside, through what anybody can do to a running system: agents are paused, begin
anew, and are overrun. And there is a gossip, who listens in, is slow, drops what it cannot keep up
with, fails, and hangs. It only looks on: whatever becomes of it, stock and money add up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from random import Random
from threading import Event as Signal

from choreia import ActorSystem, Agent, ChoreiaError, Event, Heartbeat, Retry, on
from choreia.demos.orders.events import OrderShipped

STRIKES = ("pause", "rush", "restart", "calm")
VICTIMS = ("inventory", "payment", "shipping", "customer")
"""Who is paused. They do not begin anew: without a store they would not know what they knew."""
GOSSIP = "gossip"
LOG = "choreia.agent.gossip"
DULL = 100
"""Of so many orders there is nothing to tell about one, however often it is tried."""
RUSH = 400
"""Orders that come at once."""


class Gossip(Agent):
    """Tells everybody what was ordered. Nobody asked."""

    passive = True
    mailbox = 32
    overflow = "drop_oldest"
    retry = Retry(attempts=2, delay=0.05)
    heartbeat = Heartbeat(interval=1.0, timeout=5.0, stuck_after=2.0, replace_after=4.0)

    def __init__(self, seed: int, over: Signal) -> None:
        super().__init__()
        self._random = Random(seed)
        self._over = over

    @on("order.created")
    def tell(self, event: Event) -> None:
        """Talk for a while; sometimes for so long that somebody has to step in."""
        if int(event.payload["order"]["id"].rpartition("-")[2]) % DULL == 0:
            raise ConnectionError("nobody listens")
        self._over.wait(30 if self._random.random() < 0.002 else self._random.expovariate(100))

    @on(OrderShipped)
    def admire(self, shipped: OrderShipped) -> None:
        if shipped.order.item == "kettle" and self._random.random() < 0.2:
            raise LookupError(f"no words for {shipped.order.id}")


@contextmanager
def unlogged() -> Generator[None, None, None]:
    """What the gossip does wrong is meant: it is to be looked at, and not to fill the screen."""
    logger = logging.getLogger(LOG)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


class Chaos:
    """Strikes now and then, as its seed has it."""

    def __init__(self, system: ActorSystem, seed: int, rush: Callable[[int], None]) -> None:
        """`rush`: has so many orders come in."""
        self._system = system
        self._random = Random(seed)
        self._rush = rush
        self._paused: str | None = None

    def strike(self) -> None:
        """One thing goes wrong; what was paused goes on."""
        self.end()
        kind, victim = self._random.choice(STRIKES), self._random.choice(VICTIMS)
        if kind == "pause":
            self._system.pause(victim)
            self._paused = victim
        elif kind == "restart":
            self._system.restart(GOSSIP)
        elif kind == "rush":
            self._rush(RUSH)

    def end(self) -> None:
        """Leave everybody able to go on."""
        if self._paused is not None:
            try:
                self._system.resume(self._paused)
            except ChoreiaError:  # somebody else has stopped it, from outside
                return
            finally:
                self._paused = None
