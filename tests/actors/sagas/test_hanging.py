"""A participant whose handler hangs is replaced, and the case goes on without what hung."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from choreia import ActorSystem, Event, SagaParticipant, pivot, step
from choreia.actors.replacing import PATIENCE
from tests.actors.sagas.conftest import States, types

if TYPE_CHECKING:
    from tests.actors.conftest import Mode, Until


class Till(SagaParticipant):
    compensate_on = ("order.failed",)

    @step("order.placed", emits="till.charged", compensate="refund")
    def charge(self, event: Event) -> object:
        return {}

    def refund(self, event: Event) -> None:
        self.emit("till.refunded")


class Carrier(SagaParticipant):
    retry = None

    def __init__(self, asleep: Any) -> None:
        super().__init__()
        self.asleep = asleep

    @pivot("till.charged", emits="carrier.sent")
    def send(self, event: Event) -> object:
        if event.metadata.correlation_id == "first":
            self.asleep.ask("?")
        return {}


def test_a_pivot_that_hangs_is_no_claim_for_ever(
    system: ActorSystem,
    said: list[Event],
    states: States,
    until: Until,
    asleep: Any,
    mode: Mode,
) -> None:
    system.spawn(Till)
    system.spawn(lambda: Carrier(asleep), name="carrier")
    system.publish("order.placed", correlation_id="first")
    until(lambda: system.inspect().agent("asleep").mailbox_size)
    system.publish("order.failed", correlation_id="first")
    until(lambda: system.inspect().agent("till").handled == 2)
    assert states() == {"till/charge": "done"}, "it may still be sent"
    system.restart("carrier")
    if mode == "simulated":
        system.advance(PATIENCE)
    until(lambda: "till.refunded" in types(said))
    system.publish("order.placed", correlation_id="second")
    until(lambda: "carrier.sent" in types(said))
    assert [event.metadata.correlation_id for event in said if event.type == "carrier.sent"] == [
        "second"
    ]
    assert [letter.reason for letter in system.dead_letters()] == ["stuck"]
