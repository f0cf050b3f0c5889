"""What inventory, payment and shipping have in common: an order can be turned back there."""

from __future__ import annotations

from choreia import Agent, on
from choreia.demos.orders.events import CancellationRequested


class Step(Agent):
    """Remembers who has had a change of mind, and looks it up before it takes its step.

    The cancellation may overtake the order or come behind it. If it is here first, this agent
    turns the order back. If the order has gone on, an agent further down does the same, or else
    shipping refuses the cancellation. Nobody has to know where the order is.
    """

    def __init__(self) -> None:
        super().__init__()
        # Never forgotten: the order may have been turned back before it came here, and then
        # comes never. A shop that runs for years would forget them after a while.
        self.withdrawn: set[str] = set()

    @on(CancellationRequested)
    def withdraw(self, request: CancellationRequested) -> None:
        self.withdrawn.add(request.order_id)
