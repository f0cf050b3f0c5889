"""What agents subscribe to, as the store keeps it: in every kind of life."""

from __future__ import annotations

from typing import Any

import pytest

from choreia import ActorSystem, Agent, Event, MemoryStore, on
from choreia.runtime.insight.interests import versions
from choreia.runtime.insight.reading import story
from choreia.runtime.insight.story import Ask, Interest, State

CHEAP = {"payload.sum": {"$lt": 10**30}}


class Stock(Agent):
    emits = ("stock.*",)
    terminal = ("order.done",)
    external = ("order.placed",)

    @on("order.placed", CHEAP)
    @on("order.changed")
    def reserve(self, event: Event) -> None:
        self.emit("stock.reserved", {"id": event.payload.get("id")})

    @on("stock.gone")
    def order(self, event: Event) -> None: ...


class Orders(Agent):
    key = "payload.id"

    @on("order.placed")
    def take(self, event: Event) -> None:
        if event.payload["id"] == "bad":
            raise ValueError("bad")


class Changeable(Agent):
    topic = "first"

    @on("{topic}.thing")
    def hear(self, event: Event) -> None: ...


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def system(store: MemoryStore) -> ActorSystem:
    return ActorSystem(mode="simulated", seed=3, store=store)


def of(store: MemoryStore, agent: str) -> list[Interest]:
    return [one for one in versions(store.interests()) if one.agent == agent]


def test_an_agent_is_kept_with_all_that_it_declares(store: MemoryStore) -> None:
    with system(store) as running:
        running.spawn(Stock)
    assert of(store, "stock") == [
        Interest(
            "stock",
            (
                Ask("order.placed", CHEAP, "reserve"),
                Ask("order.changed", None, "reserve"),
                Ask("stock.gone", None, "order"),
            ),
            cls="Stock",
            emits=("stock.*",),
            terminal=("order.done",),
            external=("order.placed",),
        )
    ]


def test_a_function_is_kept_while_it_is_there(store: MemoryStore) -> None:
    def look(event: Event) -> None: ...

    with system(store) as running:
        running.publish("early", {})
        watching = running.subscribe("order.#", look, {"payload.id": 1}, passive=True)
        running.wait_idle()
        name, began = watching.name, store.head
        running.publish("early", {})
        running.wait_idle()
        watching.cancel()
        running.wait_idle()
        ended = store.head
        running.publish("late", {})
    (one,) = of(store, name)
    assert one.asks == (Ask("order.#", {"payload.id": 1}, "look"),)
    assert (one.kind, one.passive, one.durable) == ("subscription", True, False)
    assert (one.since, one.until) == (began, ended)


def test_a_function_with_a_name_goes_on_in_the_next_run(store: MemoryStore) -> None:
    for _ in range(2):
        with system(store) as running:
            running.subscribe("order.#", lambda event: None, name="watch")
    (one,) = of(store, "watch")
    assert (one.kind, one.durable, one.until) == ("subscription", True, None)


def test_families_are_kept_once_by_their_name(store: MemoryStore) -> None:
    with system(store) as running:
        running.spawn(Orders)
        running.spawn(Stock, group="stocks", count=3)
        running.spawn(Stock, group="live", count=2, durable=False)
        running.publish("order.placed", {"id": "a"})
        running.wait_idle()
        assert {one.agent for one in versions(store.interests()) if one.until is None} == {
            "orders",
            "stocks",
            "live",
        }
    (keyed,), (group,), (live,) = of(store, "orders"), of(store, "stocks"), of(store, "live")
    assert (keyed.key, keyed.asks) == ("payload.id", (Ask("order.placed", None, "take"),))
    assert [ask.handler for ask in group.asks] == ["reserve", "reserve", "order"]
    assert (group.durable, group.until) == (True, None)
    assert not live.durable
    assert live.until is not None


def test_a_restart_with_other_topics_is_another_version(store: MemoryStore) -> None:
    topics = iter(["first", "second"])

    def make() -> Changeable:
        agent = Changeable()
        agent.topic = next(topics)
        return agent

    with system(store) as running:
        running.spawn(make, name="changing")
        event = running.publish("first.thing", {})
        running.wait_idle()
        running.restart("changing")
        running.wait_idle()
        later = running.publish("first.thing", {})
        running.wait_idle()
    assert [one.asks for one in of(store, "changing")] == [
        (Ask("first.thing", None, "hear"),),
        (Ask("second.thing", None, "hear"),),
    ]
    assert [one.state for one in story(store, event.id).deliveries] == [State.HANDLED]
    assert story(store, later.id).deliveries == ()


def test_an_agent_that_comes_again_as_it_was_is_no_other_version(store: MemoryStore) -> None:
    for _ in range(2):
        with system(store) as running:
            running.spawn(Stock)
            running.publish("order.placed", {"sum": 1})
    assert len(of(store, "stock")) == 1


def test_the_runtimes_own_agents_are_left_out(store: MemoryStore) -> None:
    with system(store):
        pass
    assert versions(store.interests()) == ()


def test_what_runs_is_told_from_the_store(store: MemoryStore) -> None:
    """Keyed agents' letters and cursors, groups, timers: as the store has them."""
    with system(store) as running:
        running.spawn(Stock)
        running.spawn(Orders, retry=None)
        running.spawn(Stock, group="stocks", count=2)
        good = running.publish("order.placed", {"id": "a", "sum": 1})
        bad = running.publish("order.placed", {"id": "bad", "sum": 1})
        keyless = running.publish("order.placed", {"sum": 10**9})
        running.wait_idle()
        running.pause("stock")
        running.advance(1)
        last = running.publish("order.placed", {"id": "a", "sum": 1})
        running.advance(1)
        paused = story(store, last.id)
        running.resume("stock")

    def states(event: Event) -> dict[str, State]:
        told = story(store, event.id)
        return {one.agent: one.state for one in told.deliveries if one.event_id == event.id}

    assert states(good) == {
        "stock": State.HANDLED,
        "orders": State.HANDLED,
        "stocks": State.HANDLED,
    }
    assert states(bad)["orders"] is State.DEAD
    assert states(keyless)["orders"] is State.DEAD
    assert {one.agent: one.state for one in paused.deliveries} == {
        "stock": State.LAGGING,
        "orders": State.HANDLED,
        "stocks": State.HANDLED,
    }
    assert states(last)["stock"] is State.HANDLED


def test_without_a_store_nothing_is_kept() -> None:
    with ActorSystem(mode="simulated") as running:
        ref: Any = running.spawn(Stock)
        assert ref.is_alive()
