"""Presence: who is online, what they can do, and how much room they have."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, AgentInfo, Event, on
from choreia.actors.presence import Presence

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode


class Brews(Agent):
    capabilities = ("brew", "pour")
    specializations = ("green tea",)
    capacity = 2

    @on("order.{name}")
    async def brew(self, event: Event) -> None:
        await asyncio.sleep(1)


class Pours(Agent):
    capabilities = ("pour",)

    @on("order.{name}")
    def pour(self, event: Event) -> None: ...


def names(found: list[AgentInfo]) -> list[str]:
    return [info.name for info in found]


def test_find_gives_everything_there_is_to_know(system: ActorSystem) -> None:
    system.spawn(Brews)
    system.wait_idle(5)
    assert system.find("brew") == [
        AgentInfo(
            id="did:choreia:local:brews",
            name="brews",
            capabilities=("brew", "pour"),
            specializations=("green tea",),
            capacity=2,
            available_capacity=2,
            load=0.0,
            status="online",
            node="local",
            incarnation=1,
        )
    ]


def test_find_goes_by_capability(system: ActorSystem) -> None:
    system.spawn(Brews)
    system.spawn(Pours)
    system.spawn(Agent, name="idler")
    system.wait_idle(5)
    assert names(system.find("brew")) == ["brews"]
    assert sorted(names(system.find("pour"))) == ["brews", "pours"]
    assert system.find("green tea") == []
    assert system.find("fly") == []


def test_an_agent_finds_others_and_itself(system: ActorSystem) -> None:
    class Looks(Agent):
        capabilities = ("look",)
        capacity = 2

        def on_receive(self, message: object) -> object:
            return [names(self.find("brew")), names(self.find("look"))]

    system.spawn(Brews)
    ref = system.spawn(Looks)
    system.wait_idle(5)
    assert ref.ask("who?", timeout=5) == [["brews"], ["looks"]]


def test_find_follows_paused_resumed_and_offline(system: ActorSystem) -> None:
    ref = system.spawn(Brews)
    system.wait_idle(5)
    assert names(system.find("brew")) == ["brews"]
    system.pause("brews")
    system.wait_idle(5)
    assert system.find("brew") == []
    assert system.find("brew", busy=True) == [], "a paused one is not there, however busy"
    system.resume("brews")
    system.wait_idle(5)
    assert names(system.find("brew")) == ["brews"]
    ref.stop(timeout=5)
    system.wait_idle(5)
    assert system.find("brew") == []
    system.spawn(Brews)
    system.wait_idle(5)
    assert names(system.find("brew")) == ["brews"]
    system.kill("brews")
    system.wait_idle(5)
    assert system.find("brew") == []


def test_find_follows_load_and_busy(sim: ActorSystem) -> None:
    sim.spawn(Brews)
    sim.wait_idle()
    sim.publish("order.brews")
    sim.advance(0.5)  # in hand
    (info,) = sim.find("brew")
    assert (info.available_capacity, info.load, info.status) == (1, 0.5, "online")
    sim.publish("order.brews")
    sim.advance(0.1)  # one in hand, one queued
    assert sim.find("brew") == [], "no room for more"
    assert sim.find("pour") == []
    (busy,) = sim.find("brew", busy=True)
    assert (busy.available_capacity, busy.load, busy.status) == (0, 1.0, "busy")
    sim.publish("order.brews")
    (busy,) = sim.find("brew", busy=True)
    assert (busy.available_capacity, busy.load) == (0, 1.5)
    sim.wait_idle()
    (info,) = sim.find("brew")
    assert (info.available_capacity, info.load) == (2, 0.0)


def test_the_least_loaded_come_first_and_equals_by_id(sim: ActorSystem) -> None:
    for name in ("c", "a", "b"):
        sim.spawn(Brews, name=name)
    sim.wait_idle()
    assert names(sim.find("brew")) == ["a", "b", "c"]
    sim.publish("order.a")
    sim.advance(0.5)
    assert names(sim.find("brew")) == ["b", "c", "a"]


def test_a_parked_agent_has_its_event_in_hand(sim: ActorSystem) -> None:
    class Feeds(Agent):
        capabilities = ("feed",)

        @on("feed")
        def feed(self, event: Event) -> None:
            self.emit("order.full")
            self.emit("order.full")

    sim.spawn(Pours, name="full", mailbox=1)
    sim.spawn(Feeds)
    sim.pause("full")
    sim.wait_idle()
    assert names(sim.find("feed")) == ["feeds"]
    sim.publish("feed")
    sim.advance(1)
    assert sim.inspect().agent("feeds").state == "parked"
    assert sim.find("feed") == []


def test_a_capability_declared_twice_is_found_once(system: ActorSystem) -> None:
    class Doubled(Agent):
        capabilities = ("brew", "brew")

    system.spawn(Doubled)
    system.publish(
        "agent.online", {"capabilities": ["fly", "fly"], "capacity": 1}, source="did:x:elsewhere"
    )
    system.wait_idle(5)
    assert len(system.find("brew")) == 1
    assert len(system.find("fly")) == 1


def test_capabilities_may_be_a_set(system: ActorSystem) -> None:
    class Many(Agent):
        capabilities = {"b", "a"}  # type: ignore[assignment]  # noqa: RUF012

    system.spawn(Many)
    system.wait_idle(5)
    assert system.find("a")[0].capabilities == ("a", "b")


# -- announced from elsewhere ---------------------------------------------------------------------


def online(system: ActorSystem, source: str = "did:choreia:berlin:brewer", **payload: Any) -> None:
    system.publish("agent.online", payload, source=source)
    system.wait_idle(5)


def test_an_agent_elsewhere_is_known_by_what_it_says(system: ActorSystem) -> None:
    online(system, capabilities=["brew"], capacity=4, specializations=["tea"])
    assert system.find("brew") == [
        AgentInfo(
            id="did:choreia:berlin:brewer",
            name="brewer",
            capabilities=("brew",),
            specializations=("tea",),
            capacity=4,
            available_capacity=4,
            node="berlin",
        )
    ]
    system.publish("agent.paused", source="did:choreia:berlin:brewer")
    system.wait_idle(5)
    assert system.find("brew") == []
    system.publish("agent.resumed", source="did:choreia:berlin:brewer")
    system.wait_idle(5)
    assert names(system.find("brew")) == ["brewer"]
    system.publish("agent.suspected_failure", {"agent_id": "did:choreia:berlin:brewer"})
    system.wait_idle(5)
    assert system.find("brew") == []
    system.publish("agent.recovered", {"agent_id": "did:choreia:berlin:brewer"})
    system.wait_idle(5)
    assert names(system.find("brew")) == ["brewer"]
    system.publish("agent.offline", source="did:choreia:berlin:brewer")
    system.wait_idle(5)
    assert system.find("brew") == []


def test_what_it_says_later_counts(system: ActorSystem) -> None:
    online(system, capabilities=["brew"])
    assert names(system.find("brew")) == ["brewer"]
    online(system, capabilities=["pour"])
    assert system.find("brew") == []
    assert names(system.find("pour")) == ["brewer"]
    online(system, capabilities=[])
    assert system.find("pour") == []


HOSTILE: list[Any] = [
    None, True, 5, -1, 0, 1.5, "text", "", [], {}, [None], [5, "brew"], [["brew"]], {"brew": 1},
    2**63, 1e308, -(2**60), "\u202e", ["x"] * 1000,
]  # fmt: skip


@pytest.mark.parametrize("field", ["capabilities", "capacity", "specializations", "name", "node",
                                   "incarnation"])  # fmt: skip
def test_hostile_announcements_do_not_hurt(system: ActorSystem, field: str) -> None:
    system.spawn(Brews)
    for value in HOSTILE:
        system.publish("agent.online", {"capabilities": ["brew"], field: value}, source="did:x:y")
        system.wait_idle(5)
        found = {info.id: info for info in system.find("brew")}
        assert "did:choreia:local:brews" in found
        info = found.get("did:x:y")
        if info is not None:
            assert isinstance(info.capacity, int)
            assert 1 <= info.available_capacity <= info.capacity
            assert isinstance(info.name, str)
            assert isinstance(info.node, str)
            assert isinstance(info.incarnation, int)
            assert all(isinstance(word, str) for word in info.capabilities + info.specializations)
    assert system.dead_letters() == []


@pytest.mark.parametrize("type", ["agent.offline", "agent.paused", "agent.resumed",
                                  "agent.recovered", "agent.suspected_failure"])  # fmt: skip
def test_hostile_news_do_not_hurt_either(system: ActorSystem, type: str) -> None:
    system.spawn(Brews)
    for value in HOSTILE:
        system.publish(type, {"agent_id": value, "agent": value}, source="did:x:y")
    system.publish(type, source="did:x:y")
    system.wait_idle(5)
    assert names(system.find("brew")) == ["brews"]
    assert system.dead_letters() == []


def test_nobody_can_speak_for_a_local_agent(system: ActorSystem) -> None:
    from choreia import SourceTaken

    system.spawn(Brews)
    with pytest.raises(SourceTaken):
        system.publish("agent.offline", source="did:choreia:local:brews")
    system.wait_idle(5)
    assert names(system.find("brew")) == ["brews"]


def test_presence_is_empty_at_the_start_of_each_run(mode: Mode) -> None:
    for _ in range(2):
        with ActorSystem(mode=mode) as system:
            assert system.find("brew") == []
            system.spawn(Brews)
            system.wait_idle(5)
            assert len(system.find("brew")) == 1


def test_without_capabilities_nobody_is_found_but_all_are_known(system: ActorSystem) -> None:
    system.spawn(Agent, name="plain")
    system.wait_idle(5)
    assert [info.name for info in system._presence.all()] == ["plain"]


def test_a_local_agents_own_state_counts_before_its_events_have_arrived() -> None:
    class Local:
        busy, paused = 0, True

    presence = Presence(lambda id: Local() if id == "a" else None)
    presence.learn(AgentInfo("a", "a", ("brew",)))
    presence.learn(AgentInfo("b", "b", ("brew",)))
    assert names(presence.find("brew")) == ["b"]
    assert [info.status for info in presence.all()] == ["paused", "online"]


def test_the_index_agrees_with_a_plain_search() -> None:
    """Whatever is learnt, in whatever order."""
    chance = random.Random(7)
    presence = Presence(lambda _: None)
    known: dict[str, AgentInfo] = {}
    for _ in range(500):
        id = f"a{chance.randrange(8)}"
        match chance.randrange(4):
            case 0:
                presence.forget(id)
                known.pop(id, None)
            case 1:
                status = chance.choice(["online", "paused"])
                presence.status(id, status)
                if id in known:
                    known[id] = AgentInfo(id, id, known[id].capabilities, status=status)
            case _:
                words = tuple(chance.sample("xyz", chance.randrange(4)))
                presence.learn(AgentInfo(id, id, words))
                known[id] = AgentInfo(id, id, words)
        for word in "xyz":
            expected = sorted(
                i.id for i in known.values() if word in i.capabilities and i.status == "online"
            )
            assert [info.id for info in presence.find(word)] == expected


def test_the_announcements_are_heard_by_others_too(system: ActorSystem, hear: Hear) -> None:
    heard = hear("agent.online")
    system.spawn(Brews)
    online(system, capabilities=["brew"])
    assert [event.source for event in heard] == [
        "did:choreia:local:brews", "did:choreia:berlin:brewer",
    ]  # fmt: skip
