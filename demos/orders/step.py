"""What inventory, payment and shipping have in common: an order can be turned back there."""

from __future__ import annotations

from typing import TypeVar

from choreia import EventSourcedAgent, on
from choreia.demos.orders.events import CancellationNoted, CancellationRequested
from choreia.demos.orders.states import StepState

S = TypeVar("S", bound=StepState)


class Step(EventSourcedAgent[S]):
    """Remembers who has had a change of mind, and looks it up before it takes its step.

    The cancellation may overtake the order or come behind it. If it is here first, this agent
    turns the order back. If the order has gone on, an agent further down does the same, or else
    shipping refuses the cancellation. Nobody has to know where the order is.
    """

    @on(CancellationRequested)
    def withdraw(self, request: CancellationRequested) -> None:
        self.emit(CancellationNoted(request.order_id))
