"""The first thing anybody tries: the example that the project was specified by, word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from choreia import ActorSystem, Agent, Event, on

if TYPE_CHECKING:
    from tests.actors.conftest import Mode


class Inventory(Agent):
    capabilities = ("inventory.reserve",)
    emits = ("inventory.reserved",)

    def __init__(self, stock: dict[str, int]) -> None:
        super().__init__()
        self.stock = stock

    @on("order.created", filter={"payload.amount": {"$lte": 1000}})
    def reserve(self, event: Event) -> None:
        self.emit("inventory.reserved", {"order_id": event.payload["order_id"]})


def test_the_example_of_the_front_page(mode: Mode, capsys: pytest.CaptureFixture[str]) -> None:
    with ActorSystem(mode=mode) as system:
        system.spawn(lambda: Inventory({"tea": 3}), name="inventory", mailbox=256, overflow="park")
        system.subscribe("inventory.#", print)
        published = system.publish("order.created", {"order_id": 1, "amount": 5})
        system.publish("order.created", {"order_id": 2, "amount": 1001})
        system.wait_idle(timeout=5)
        assert isinstance(published, Event)
    printed = capsys.readouterr().out
    assert "inventory.reserved" in printed
    assert "{'order_id': 1}" in printed
    assert "'order_id': 2" not in printed, "the filter let it through"
