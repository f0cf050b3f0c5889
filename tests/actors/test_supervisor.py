"""The supervisor says who beats; and listens to those of other nodes, whose turns it cannot see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, DuplicateName, Event, Heartbeat, InvalidAgent, on

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode, Until

FAR = "did:choreia:far:helper"
ROOM = {"load": 0.5, "available_capacity": 2, "status": "healthy"}


class Works(Agent):
    capacity = 4

    @on("work")
    def work(self, event: Event) -> None: ...


# -- heartbeats ----------------------------------------------------------------------------


def test_a_heartbeat_says_how_an_agent_is(sim: ActorSystem, hear: Hear) -> None:
    beats = hear("agent.heartbeat")
    sim.spawn(Works)
    sim.advance(95)
    assert [event.timestamp for event in beats] == [30, 60, 90]
    assert {event.source for event in beats} == {"did:choreia:local:works"}
    assert beats[0].payload == {
        "status": "healthy",
        "load": 0.0,
        "memory_usage": 0,
        "name": "works",
        "capacity": 4,
        "available_capacity": 4,
        "incarnation": 1,
        "interval": 30,
        "timeout": 90,
    }


@pytest.mark.parametrize("mode", ["threads"])
def test_on_threads_it_says_what_memory_the_process_uses(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    beats = hear("agent.heartbeat")
    system.spawn(Works, heartbeat=Heartbeat(interval=0.01, timeout=1))
    until(lambda: beats)
    used: Any = beats[0].payload["memory_usage"]
    assert 1_000_000 < used < 100_000_000_000


def test_it_tells_of_load_and_of_what_holds_an_agent_up(sim: ActorSystem, hear: Hear) -> None:
    beats = hear("agent.heartbeat")
    sim.spawn(Works, mailbox=2)
    sim.pause("works")
    sim.publish("work")
    sim.publish("work")

    class Floods(Agent):
        @on("flood")
        def flood(self, event: Event) -> None:
            self.emit("work")

    class Fails(Agent):
        @on("fail")
        def fail(self, event: Event) -> None:
            raise ValueError

    from choreia import Retry

    sim.spawn(Floods)
    sim.spawn(Fails, retry=Retry(delay=1_000, max_delay=1_000))
    sim.publish("flood")
    sim.publish("fail")
    sim.advance(31)
    said = {event.payload["name"]: event.payload for event in beats}
    assert (said["works"]["status"], said["works"]["load"]) == ("paused", 0.5)
    assert said["works"]["available_capacity"] == 2
    assert said["floods"]["status"] == "parked"
    assert said["fails"]["status"] == "backoff"


def test_nobody_listens_so_nobody_beats(sim: ActorSystem) -> None:
    sim.spawn(Works)
    sim.advance(100)
    assert sim.inspect().agent("works").handled == 0
    before = sim._engine.ids.next()
    sim.advance(1_000)
    after = sim._engine.ids.next()
    assert int(after[-16:], 16) != int(before[-16:], 16)
    assert not sim._engine.bus.heard("agent.heartbeat")


def test_the_runtimes_own_agents_do_not_count_as_listeners(system: ActorSystem) -> None:
    heard = system._engine.bus.heard
    assert system._engine.bus.wanted("agent.heartbeat"), "registry and supervisor subscribe"
    assert not heard("agent.heartbeat")
    with system.listen("agent.heartbeat"):
        assert heard("agent.heartbeat")
    assert not heard("agent.heartbeat")
    subscription = system.subscribe("#", lambda event: None)
    assert heard("agent.heartbeat")
    subscription.cancel()
    assert not heard("agent.heartbeat")


def test_an_agent_may_listen_to_the_others(sim: ActorSystem) -> None:
    class Nurse(Agent):
        heard: list[str] = []  # noqa: RUF012

        @on("agent.heartbeat", filter={"source": {"$ne": "did:choreia:local:nurse"}})
        def note(self, event: Event) -> None:
            self.heard.append(event.source)

    sim.spawn(Nurse)
    sim.spawn(Works)
    sim.advance(60)
    assert Nurse.heard == ["did:choreia:local:works"] * 2


def test_heartbeats_never_wait_and_never_hold_up(sim: ActorSystem) -> None:
    """Into a full mailbox they are dropped, and counted."""
    sim.subscribe("agent.heartbeat", lambda event: None, name="ear", mailbox=1)
    sim.pause("ear")
    sim.spawn(Works)
    sim.advance(300)
    ear = sim.inspect().agent("ear")
    assert (ear.mailbox_size, ear.dropped) == (1, 9)
    assert sim.inspect().agent("works").state == "idle"


def test_the_name_is_taken(system: ActorSystem) -> None:
    with pytest.raises(DuplicateName, match="the runtime's own"):
        system.spawn(Works, name="supervisor")


@pytest.mark.parametrize("heartbeat", [5, "30", Heartbeat])
def test_misuse_is_refused(system: ActorSystem, mode: Mode, heartbeat: Any) -> None:
    with pytest.raises(InvalidAgent, match=r"give a Heartbeat\(interval"):
        system.spawn(Works, heartbeat=heartbeat)
    with pytest.raises(InvalidAgent, match=r"give a Heartbeat\(interval"):
        ActorSystem(mode=mode, heartbeat=heartbeat)
    with pytest.raises(InvalidAgent, match="Call it something else"):

        class Mistaken(Agent):
            def heartbeat(self) -> None: ...

    with pytest.raises(InvalidAgent, match=r"give a Restart\(failures"):
        system.spawn(Works, restart=5)


# -- other nodes ---------------------------------------------------------------------------


def test_who_falls_silent_on_another_node_is_suspected(sim: ActorSystem, hear: Hear) -> None:
    suspected, recovered = hear("agent.suspected_failure"), hear("agent.recovered")
    for _ in range(3):
        sim.publish("agent.heartbeat", ROOM, source=FAR)
        sim.advance(30)
    sim.advance(59)
    assert suspected == []
    sim.advance(2)
    [event] = suspected
    assert event.timestamp == 60 + 90
    assert event.source == "did:choreia:local:supervisor"
    assert event.payload == {
        "agent_id": FAR,
        "agent": "helper",
        "last_seen": 60,
        "reason": "silent",
        "evidence": {"detector": "timeout", "silence": 90, "timeout": 90},
    }
    sim.advance(49)
    sim.publish("agent.heartbeat", ROOM, source=FAR)
    sim.advance(10)
    assert len(suspected) == 1
    [event] = recovered
    assert event.payload == {
        "agent_id": FAR,
        "agent": "helper",
        "reason": "silent",
        "seconds": 50,
    }


def test_whoever_says_that_it_is_online_is_expected_to_go_on(sim: ActorSystem, hear: Hear) -> None:
    suspected = hear("agent.suspected_failure")
    sim.publish("agent.online", {"capabilities": ["help"]}, source="anything at all")
    sim.advance(91)
    assert [event.payload["agent_id"] for event in suspected] == ["anything at all"]


@pytest.mark.parametrize("farewell", ["agent.offline", "agent.stopped"])
def test_whoever_says_goodbye_is_not(sim: ActorSystem, hear: Hear, farewell: str) -> None:
    suspected = hear("agent.suspected_failure")
    sim.publish("agent.heartbeat", ROOM, source=FAR)
    sim.advance(10)
    sim.publish(farewell, source=FAR)
    sim.advance(1_000)
    assert suspected == []


def test_a_sender_says_how_often_it_beats(sim: ActorSystem, hear: Hear) -> None:
    suspected = hear("agent.suspected_failure")
    sim.publish("agent.heartbeat", {**ROOM, "interval": 1, "timeout": 2.5}, source=FAR)
    sim.advance(10)
    assert [event.timestamp for event in suspected] == [2.5]


def test_on_threads_too(hear: Hear, system: ActorSystem, until: Until) -> None:
    suspected, recovered = hear("agent.suspected_failure"), hear("agent.recovered")
    beat = {**ROOM, "interval": 0.02, "timeout": 0.1}
    system.publish("agent.heartbeat", beat, source=FAR)
    until(lambda: suspected)
    system.publish("agent.heartbeat", beat, source=FAR)
    until(lambda: recovered)


def test_it_is_found_by_what_it_says_of_its_room(sim: ActorSystem) -> None:
    able = {"capabilities": ["help"], "capacity": 4, "name": "helper", "node": "far"}
    sim.publish("agent.online", able, source=FAR)
    sim.wait_idle()
    assert [agent.available_capacity for agent in sim.find("help")] == [4]
    sim.publish("agent.heartbeat", ROOM, source=FAR)
    sim.wait_idle()
    [agent] = sim.find("help")
    assert (agent.available_capacity, agent.load, agent.status) == (2, 0.5, "online")
    sim.publish("agent.heartbeat", {**ROOM, "status": "paused"}, source=FAR)
    sim.wait_idle()
    assert sim.find("help") == []
    sim.publish("agent.heartbeat", ROOM, source=FAR)
    sim.advance(91)
    assert sim.find("help", busy=True) == [], "suspected"
    sim.publish("agent.heartbeat", ROOM, source=FAR)
    sim.wait_idle()
    assert len(sim.find("help")) == 1


@pytest.mark.parametrize(
    "payload", [{}, {"load": "high"}, {"load": None, "available_capacity": "many"}]
)
def test_nonsense_from_outside_does_no_harm(sim: ActorSystem, payload: dict[str, object]) -> None:
    sim.publish("agent.heartbeat", payload, source=FAR)
    sim.publish("agent.heartbeat", ROOM, source="never announced")
    sim.wait_idle()
    assert sim.dead_letters() == []
    assert sim.find("help") == []


def test_a_simulation_with_heartbeats_is_a_function_of_its_seed() -> None:
    def run(seed: int) -> list[tuple[float, str, str]]:
        heard: list[tuple[float, str, str]] = []
        with ActorSystem(mode="simulated", seed=seed) as system:
            system.subscribe("#", lambda e: heard.append((e.timestamp, e.type, e.id)))
            for number in range(5):
                system.spawn(Works, name=f"works-{number}")
            system.advance(120)
        return heard

    assert run(1) == run(1)
    assert run(1) != run(2)
