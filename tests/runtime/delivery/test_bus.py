"""The bus: from an event to the mailboxes it belongs in, and to those who only watch."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, on
from choreia.runtime.delivery.bus import compile_route
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.multicast import MOST
from choreia.runtime.delivery.subscription import Subscription
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.topic import TopicPattern

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import InThreads, Make

memory_only = pytest.mark.parametrize("feed", ["memory"])


class Keeper(Agent):
    def __init__(self, kept: list[Any]) -> None:
        super().__init__()
        self.kept = kept

    @on("work.#")
    def work(self, event: Event) -> None:
        self.kept.append(event.payload["n"])

    @on("work.a")
    def also(self, event: Event) -> None:
        """A second handler for some of them: still one delivery."""


class Sees:
    """Somebody who only watches."""

    def __init__(self, fails: bool = False) -> None:
        self.seen: list[Event] = []
        self.fails = fails

    def see(self, event: Event) -> None:
        self.seen.append(event)
        if self.fails:
            raise RuntimeError


def cells(system: ActorSystem, count: int, **options: Any) -> tuple[list[list[Any]], list[Cell]]:
    kept: list[list[Any]] = [[] for _ in range(count)]
    for number in range(count):
        system.spawn(partial(Keeper, kept[number]), name=f"keeper-{number}", **options)
    return kept, [system._roster.cell(f"keeper-{number}") for number in range(count)]


def route(*subscriptions: tuple[str, Filter | None, Any]) -> Any:
    return compile_route(
        "work.a",
        tuple(Subscription(TopicPattern(p), filter, target) for p, filter, target in subscriptions),
    )


# -- routes ---------------------------------------------------------------------------------------


def test_an_agent_with_several_matching_handlers_is_one_receiver(system: ActorSystem) -> None:
    _, (one, other) = cells(system, 2)
    found = route(("work.#", None, other), ("work.a", None, one), ("#", None, other))
    assert found.feeds == (one.feed, other.feed)  # in the order they were spawned


def test_a_handler_without_a_filter_makes_the_agent_a_receiver_of_all(system: ActorSystem) -> None:
    _, (one, other) = cells(system, 2)
    small, large = Filter({"payload.n": {"$lt": 5}}), Filter({"payload.n": {"$gt": 90}})
    found = route(
        ("work.#", small, one), ("work.a", None, one), ("#", small, other), ("#", large, other)
    )

    def receivers(n: int) -> list[Any]:
        return list(found.select(Event(type="work.a", source="test", payload={"n": n})))

    assert receivers(1) == receivers(99) == [one.feed, other.feed]
    assert receivers(50) == [one.feed]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("filtered", [False, True])
def test_watchers_are_no_receivers(system: ActorSystem, count: int, filtered: bool) -> None:
    _, agents = cells(system, count)
    filter = Filter({"payload.n": 1}) if filtered else None
    found = route(("#", None, Sees()), *(("#", filter, agent) for agent in agents))
    assert len(found.feeds) == count
    assert len(found.watchers) == 1
    assert (found.multicast is not None) == (count > 1 and not filtered)


# -- outside publishes take several ways, and all lead to the same place --------------------------


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("capacity", [1, 3, 1000])
def test_everybody_gets_each_event_once_whichever_way_it_goes(
    system: ActorSystem, count: int, watched: bool, capacity: int
) -> None:
    kept, _ = cells(system, count, mailbox=capacity)
    sees = Sees()
    if watched:
        system._engine.bus.taps = (sees,)
    for n in range(60):
        system.publish("work.a" if n % 2 else "work.b", {"n": n})
    system.wait_idle(20)
    assert kept == [list(range(60))] * count
    if watched:
        seen = [event.payload["n"] for event in sees.seen if event.type.startswith("work")]
        assert seen == list(range(60))


@pytest.mark.parametrize("mode", ["threads"])
def test_threads_that_publish_to_overlapping_sets_of_agents_never_hang(
    make: Make, in_threads: InThreads
) -> None:
    """Locks are taken in the order of the agents' numbers, whatever the sets."""
    system = make(workers=2)
    heard: dict[str, list[Any]] = {}
    for number in range(6):
        for topic in {f"t.{number % 2}", f"t.{number % 3}", "t.x"}:
            name = f"sub-{number}-{topic.replace('.', '-')}"
            heard[name] = []
            system.subscribe(topic, partial(_keep, heard[name]), name=name, mailbox=1 + number % 2)

    def publish(number: int) -> None:
        for n in range(100):
            system.publish(("t.0", "t.1", "t.2", "t.x")[(number + n) % 4], {"n": (number, n)})

    in_threads(6, publish)
    system.wait_idle(30)
    for name, got in heard.items():
        topic = ".".join(name.split("-")[2:])
        assert len(got) == 150
        assert len(set(got)) == 150, topic


def _keep(kept: list[Any], event: Event) -> None:
    kept.append(tuple(event.payload["n"]))


@memory_only
def test_a_topic_of_very_many_agents_is_published_to_all_or_nobody(system: ActorSystem) -> None:
    count = MOST + 10
    kept, _ = cells(system, count, mailbox=1)
    system.pause(f"keeper-{count - 1}")
    system.publish("work.a", {"n": 1})
    assert not system.try_publish("work.a", {"n": 2})
    system.resume(f"keeper-{count - 1}")
    system.wait_idle(20)
    assert kept == [[1]] * count


# -- watching -------------------------------------------------------------------------------------


def test_a_watcher_that_raises_is_switched_off_and_logged_and_delivery_goes_on(
    system: ActorSystem, caplog: pytest.LogCaptureFixture
) -> None:
    bus = system._engine.bus
    bad, good = Sees(fails=True), Sees()
    bus.taps = (bad, good)
    kept, _ = cells(system, 1)
    system.wait_idle(20)
    caplog.clear()
    bad.seen.clear()
    bus.taps = (bad, good)
    for n in range(3):
        system.publish("work.a", {"n": n})
    system.wait_idle(20)
    assert kept == [[0, 1, 2]]
    assert len(bad.seen) == 1
    assert [event.payload["n"] for event in good.seen if event.type == "work.a"] == [0, 1, 2]
    assert [r.levelno for r in caplog.records if "switched off" in r.message] == [logging.ERROR]


def test_watching_a_case_shows_its_events_and_no_others_until_it_ends(system: ActorSystem) -> None:
    bus = system._engine.bus
    one, two = Sees(), Sees()
    stop_one = bus.watch_case("case", one)
    stop_two = bus.watch_case("case", two)
    system.publish("work.a", {"n": 1}, correlation_id="case")
    system.publish("work.a", {"n": 2}, correlation_id="other")
    stop_one()
    stop_one()
    system.publish("work.a", {"n": 3}, correlation_id="case")
    stop_two()
    system.publish("work.a", {"n": 4}, correlation_id="case")
    assert [event.payload["n"] for event in one.seen] == [1]
    assert [event.payload["n"] for event in two.seen] == [1, 3]
    assert bus.cases == {}


def test_what_nobody_wants_is_not_made(system: ActorSystem) -> None:
    bus = system._engine.bus
    if isinstance(bus, LogBus):  # whatever happens is recorded there, but vital signs
        assert bus.wanted("nobody.wants.this")
        assert not bus.wanted("agent.backpressure")
        return
    assert not bus.wanted("agent.backpressure")
    system.subscribe("agent.backpressure", print)
    assert bus.wanted("agent.backpressure")
    assert not bus.wanted("nobody.wants.this")
    bus.taps = (Sees(),)
    assert bus.wanted("nobody.wants.this")
