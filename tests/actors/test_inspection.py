"""`inspect`: a frozen picture of a system, taken without asking its agents."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from attrs.exceptions import FrozenInstanceError

from choreia import ActorSystem, Agent, Event, Retry, on

if TYPE_CHECKING:
    from tests.actors.conftest import Mode


class Works(Agent):
    retry = Retry(attempts=1)

    @on("plain")
    def plain(self, event: Event) -> None:
        self.emit("said")
        self.emit("said")

    @on("slow")
    async def slow(self, event: Event) -> None:
        await asyncio.sleep(10)

    @on("fails")
    def fails(self, event: Event) -> None:
        self.emit("never.said")
        raise ValueError

    def on_receive(self, message: object) -> object:
        return message


def test_a_fresh_system_has_the_runtimes_own_agents_and_nothing_else(mode: Mode) -> None:
    with ActorSystem(mode=mode, node="n") as system:
        view = system.inspect()
        assert view.node == "n"
        assert view.time == pytest.approx(system.clock.now(), abs=60)
        assert view.dead_letters == 0
        own = [("registry", "system"), ("supervisor", "system")]
        assert [(agent.name, agent.kind) for agent in view.agents] == own


def test_agents_are_in_the_order_they_were_spawned_each_with_its_kind(system: ActorSystem) -> None:
    system.spawn(Works, name="b")
    system.subscribe("x", print, name="printer")
    system.spawn(Works, name="a")
    assert [(agent.name, agent.kind) for agent in system.inspect().agents] == [
        ("registry", "system"), ("supervisor", "system"),
        ("b", "agent"), ("printer", "subscription"), ("a", "agent"),
    ]  # fmt: skip


def test_every_field(sim: ActorSystem) -> None:
    sim.spawn(Works, mailbox=3)
    sim.publish("plain")
    sim.publish("fails")
    sim.ref("works").ask("hello")
    sim.wait_idle()
    before = sim.clock.monotonic()
    for _ in range(4):
        if not sim.try_publish("slow"):
            break
    sim.advance(4)
    sim.ref("works").ask("x", block=False)
    sim.try_publish("plain")
    view = sim.inspect().agent("works")
    assert view.id == "did:choreia:local:works"
    assert (view.name, view.kind, view.state) == ("works", "agent", "awaiting")
    assert (view.mailbox_size, view.mailbox_capacity, view.high_water) == (3, 3, 3)
    assert (view.handled, view.failed, view.dropped) == (2, 1, 0)
    assert (view.overflowed, view.parked) == (0, 0)
    assert view.received == 3 + 1 + 3, "handled and failed, in hand, queued"
    assert view.emitted == 2
    assert view.handler == "slow"
    assert view.handler_seconds == sim.clock.monotonic() - before


def test_counting_what_is_dropped_overflowed_and_parked(sim: ActorSystem) -> None:
    class Feeds(Agent):
        @on("feed")
        def feed(self, event: Event) -> None:
            self.emit("slow")

    sim.spawn(Works, name="drops", mailbox=1, overflow="drop_newest")
    sim.spawn(Works, name="parks", mailbox=1)
    sim.spawn(Feeds)
    sim.pause("drops")
    sim.pause("parks")
    sim.wait_idle()
    sim.publish("slow")
    sim.publish("feed")
    sim.advance(0.1)
    view = sim.inspect()
    assert (view.agent("drops").dropped, view.agent("drops").mailbox_size) == (1, 1)
    assert view.agent("parks").parked == 1
    assert view.agent("feeds").state == "parked"
    sim.ref("parks").ask("hello", block=False)
    parks = sim.inspect().agent("parks")
    assert (parks.overflowed, parks.mailbox_size, parks.high_water) == (1, 2, 2)


STATES = ["idle", "running", "awaiting", "parked", "backoff", "paused"]


def test_states(sim: ActorSystem) -> None:
    seen: dict[str, str] = {}

    class Looks(Agent):
        retry = Retry(attempts=2, delay=100, jitter=0)

        @on("go")
        def go(self, event: Event) -> None:
            seen["running"] = sim.inspect().agent("looks").state
            raise ValueError

    sim.spawn(Looks)
    sim.wait_idle()
    seen["idle"] = sim.inspect().agent("looks").state
    sim.publish("go")
    seen["queued"] = sim.inspect().agent("looks").state
    sim.advance(1)
    seen["backoff"] = sim.inspect().agent("looks").state
    sim.wait_idle()
    sim.pause("looks")
    sim.wait_idle()
    seen["paused"] = sim.inspect().agent("looks").state
    assert seen == {state: state for state in seen}
    assert len(seen) == 5


def test_the_handler_that_runs_is_named_whatever_it_is(system: ActorSystem) -> None:
    named: list[Any] = []

    class Looks(Agent):
        @on("go")
        def look(self, event: Event) -> None:
            named.append(system.inspect().agent("looks").handler)

        @on("go.two")
        def first(self, event: Event) -> None:
            named.append(system.inspect().agent("looks").handler)

        @on("go.*")
        def second(self, event: Event) -> None:
            named.append(system.inspect().agent("looks").handler)

    def heard(event: Event) -> None:
        named.append(system.inspect().agent("hears").handler)

    async def heard_async(event: Event) -> None:
        named.append(system.inspect().agent("hears-async").handler)

    system.spawn(Looks)
    system.subscribe("heard", heard, name="hears")
    system.subscribe("heard.async", heard_async, name="hears-async")
    for type in ("go", "go.two", "heard", "heard.async"):
        system.publish(type)
        system.wait_idle(5)
    assert named == ["look", "first", "second", "heard", "heard_async"]
    assert system.inspect().agent("looks").handler is None
    assert system.inspect().agent("looks").handler_seconds == 0


def test_what_is_in_flight_is_named_for_people(sim: ActorSystem) -> None:
    sim.spawn(Works)
    sim.subscribe("slow", lambda event: asyncio.sleep(100), name="dozes")
    sim.publish("slow")
    sim.publish("plain")
    with pytest.raises(TimeoutError) as caught:
        sim.wait_idle(timeout=1)
    message = str(caught.value)
    assert message.startswith("still in flight after 1 s: ")
    assert "works: awaiting in slow with slow, 1 queued" in message
    assert "dozes: awaiting in <lambda> with slow" in message
    assert " at 0x" not in message, "names, not addresses"


def test_the_picture_is_frozen(system: ActorSystem) -> None:
    view = system.inspect()
    with pytest.raises(FrozenInstanceError):
        view.node = "x"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        view.agents[0].handled = 5  # type: ignore[misc]
    before = view.agents[0].handled
    system.spawn(Works)
    system.wait_idle(5)
    assert view.agents[0].handled == before
    assert {agent.kind for agent in view.agents} == {"system"}


def test_an_agent_of_no_such_name_is_a_key_error(system: ActorSystem) -> None:
    with pytest.raises(KeyError, match="ghost"):
        system.inspect().agent("ghost")
