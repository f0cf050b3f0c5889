"""The specification's own heartbeat and monitor, ported line by line: what it does holds here.

# Agent publishes heartbeat every 30 seconds
async def heartbeat_loop(agent_id, event_bus):
    while True:
        await event_bus.publish(AgentEvent(
            type="agent.heartbeat",
            source=agent_id,
            payload={
                "status": "healthy",
                "load": get_current_load(),
                "memory_usage": get_memory_usage()
            }
        ))
        await asyncio.sleep(30)

# Monitor detects failures
class AgentMonitor:
    def __init__(self, timeout_seconds=90): …
    async def check_agents(self):
        now = datetime.utcnow()
        for agent_id, last_seen in self.last_heartbeat.items():
            if now - last_seen > self.timeout:
                await self.event_bus.publish(AgentEvent(
                    type="agent.suspected_failure",
                    source="monitor",
                    payload={"agent_id": agent_id, "last_seen": last_seen}
                ))
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from choreia import ActorSystem, Agent, Event, on


class HeartbeatLoop(Agent):
    """`heartbeat_loop`, by hand: an agent that says by itself how it is, as one elsewhere would."""

    @on("start")
    async def heartbeat_loop(self, event: Event) -> None:
        while True:
            await self.emit_now_async(
                "agent.heartbeat",
                {
                    "status": "healthy",
                    "load": self.get_current_load(),
                    "memory_usage": self.get_memory_usage(),
                },
            )
            await asyncio.sleep(30)

    def get_current_load(self) -> float:
        return 0.25

    def get_memory_usage(self) -> int:
        return 1_000_000


class AgentMonitor(Agent):
    """The monitor, with nothing but what any agent has: events, a clock, a timer."""

    def __init__(self, timeout_seconds: int = 90) -> None:
        super().__init__()
        self.last_heartbeat: dict[str, float] = {}
        self.timeout = timeout_seconds

    @on("agent.heartbeat")
    def heard(self, event: Event) -> None:
        self.last_heartbeat[event.source] = self.clock.now()

    @on("start")
    @on("monitor.check")
    def check_agents(self, event: Event) -> None:
        now = self.clock.now()
        for agent_id, last_seen in list(self.last_heartbeat.items()):
            if now - last_seen > self.timeout:
                self.emit("monitor.suspected", {"agent_id": agent_id, "last_seen": last_seen})
                del self.last_heartbeat[agent_id]
        self.after(1, "monitor.check")


@pytest.fixture
def sim() -> Iterator[ActorSystem]:
    system = ActorSystem(mode="simulated")
    yield system
    system.stop(drain=False)


def test_the_example_written_by_hand_works(sim: ActorSystem) -> None:
    suspected: list[Event] = []
    sim.subscribe("monitor.suspected", suspected.append)
    sim.spawn(HeartbeatLoop, heartbeat=None)
    sim.spawn(AgentMonitor)
    sim.publish("start")
    sim.advance(1_000)
    assert suspected == []
    sim.kill("heartbeat-loop")
    sim.advance(200)
    assert [event.payload["agent_id"] for event in suspected] == [
        "did:choreia:local:heartbeat-loop"
    ]


def test_and_it_is_what_every_system_does_by_itself(sim: ActorSystem) -> None:
    """An agent beats every 30 seconds; unheard for 90, it is suspected, in the same words."""
    beats: list[Event] = []
    suspected: list[Event] = []
    sim.subscribe("agent.heartbeat", beats.append)
    sim.subscribe("agent.suspected_failure", suspected.append)

    class Anybody(Agent): ...

    sim.spawn(Anybody)
    sim.advance(90)
    assert [event.timestamp for event in beats] == [30, 60, 90]
    assert {"status", "load", "memory_usage"} <= set(beats[0].payload)
    assert beats[0].payload["status"] == "healthy"

    agent_id = "did:example:somewhere-else"
    vital: dict[str, Any] = {"status": "healthy", "load": 0.1, "memory_usage": 1}
    sim.publish("agent.heartbeat", vital, source=agent_id)
    last_seen = sim.clock.now()
    sim.advance(90)
    assert {"agent_id": agent_id, "last_seen": last_seen}.items() <= dict(
        suspected[0].payload
    ).items()
