"""What inventory, payment and shipping have in common: an order can be turned back there."""

from __future__ import annotations

from typing import TypeVar

from choreia import Event, EventSourcedAgent, SagaParticipant
from choreia.demos.orders.events import CancellationRequested
from choreia.demos.orders.order import Outcome

S = TypeVar("S")


class Trade(SagaParticipant, EventSourcedAgent[S]):
    """Refuses an order whose customer has had a change of mind, if it has not had it in hand yet.

    The cancellation may overtake the order or come behind it. If it is here first, this agent
    turns the order back. If the order has gone on, an agent further down does the same, or else
    shipping refuses the cancellation. Nobody has to know where the order is.
    """

    withdraw_on = (CancellationRequested,)

    def failure(self, step: str, event: Event, reason: str) -> dict[str, object]:
        return {"order_id": event.payload["order"]["id"], "reason": Outcome.CANCELLED}

    @property
    def reason(self) -> Outcome:
        """Why what was done is to be undone."""
        assert self.because is not None
        return Outcome(self.because.payload["reason"])
