"""Who says what to whom: declared, and as it was said lately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from choreia import Agent, Event, EventSourcedAgent, MemoryStore, applies, on
from choreia.actors.inspecting import flows as module

if TYPE_CHECKING:
    from tests.actors.inspecting.conftest import Look


class Shop(Agent):
    emits = ("order.made", "order.*")

    @on("order.wanted")
    def take(self, event: Event) -> None:
        self.emit("order.made")


@frozen
class Sum:
    number: int = 0

    @applies("ledger.*")
    def grow(self, event: Event) -> Sum:
        return Sum(self.number + 1)


class Clerk(Agent):
    @on("order.made")
    @on("order.#")
    def note(self, event: Event) -> None:
        pass


def flows(looked: Any) -> dict[str, Any]:
    found = looked.call("snapshot", parts=["flows"])["flows"]
    assert [one["type"] for one in found] == sorted(one["type"] for one in found)
    return {one["type"]: one for one in found}


def test_what_is_declared_is_there_before_anything_is_said(look: Look) -> None:
    looked = look()
    looked.system.spawn(Shop)
    looked.system.spawn(Clerk)
    found = flows(looked)
    made = found["order.made"]
    assert (made["emitters"], made["reactors"]) == (["shop"], ["clerk"])
    assert (made["events"], made["rate"], made["unheard"]) == (0, 0.0, 0)
    assert found["order.wanted"]["reactors"] == ["shop", "clerk"]
    assert "order.*" not in found
    assert "order.#" not in found


def test_what_was_said_is_counted(look: Look) -> None:
    looked = look(mode="simulated")
    looked.system.spawn(Shop)
    for _ in range(10):
        looked.system.publish("order.wanted")
    looked.system.publish("nobody.hears")
    looked.system.wait_idle(30)
    found = flows(looked)
    assert found["order.wanted"]["events"] == 10
    assert found["order.wanted"]["emitters"] == ["outside"]
    assert found["order.made"]["events"] == 10
    assert found["order.made"]["rate"] == 10 / 5
    assert found["order.made"]["unheard"] == 10
    assert found["nobody.hears"]["unheard"] == 1
    assert found["nobody.hears"]["reactors"] == []


def test_a_rate_is_of_what_is_remembered_when_that_is_less_than_its_span(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    looked = look(mode="simulated")
    for _ in range(20):
        looked.system.publish("tick")
        looked.system.advance(0.1)
    tick = flows(looked)["tick"]
    assert tick["events"] == 10
    assert tick["rate"] == pytest.approx(10 / 1.0)


class Ledger(EventSourcedAgent[Sum]):
    @on("paid")
    def pay(self, event: Event) -> None:
        self.emit("ledger.grown")


def test_what_an_agent_says_to_be_its_state_is_not_said_to_nobody(look: Look) -> None:
    looked = look()
    looked.system.spawn(Ledger)
    looked.system.publish("paid")
    looked.system.wait_idle(30)
    grown = flows(looked)["ledger.grown"]
    assert (grown["events"], grown["reactors"], grown["unheard"]) == (1, [], 0)


def test_with_a_store_it_is_the_log_that_is_read(look: Look) -> None:
    looked = look(store=MemoryStore())
    looked.system.spawn(Shop)
    looked.system.publish("order.wanted")
    looked.system.wait_idle(30)
    assert flows(looked)["order.made"]["events"] == 1
