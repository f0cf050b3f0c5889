"""Who says what to whom: declared, and as it was said lately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from choreia import Agent, Event, MemoryStore, on

if TYPE_CHECKING:
    from tests.actors.inspecting.conftest import Look


class Shop(Agent):
    emits = ("order.made", "order.*")

    @on("order.wanted")
    def take(self, event: Event) -> None:
        self.emit("order.made")


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


def test_with_a_store_it_is_the_log_that_is_read(look: Look) -> None:
    looked = look(store=MemoryStore())
    looked.system.spawn(Shop)
    looked.system.publish("order.wanted")
    looked.system.wait_idle(30)
    assert flows(looked)["order.made"]["events"] == 1
