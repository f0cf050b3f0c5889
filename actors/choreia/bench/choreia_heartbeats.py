"""What it costs to watch over many agents that have nothing to do."""

from __future__ import annotations

import threading
import time

from choreia import ActorSystem, Agent, Event, Heartbeat, on
from choreia.bench.sample import Sample

#: Seconds between two heartbeats of one of 10,000 agents; fewer beat as much more often, so that
#: there are as many heartbeats a second.
_INTERVAL = 30.0
_AGENTS = 10_000


class _Idle(Agent):
    """Has one subscription, and waits."""

    @on("tick")
    def answer(self, event: Event) -> None:
        pass


def beat(count: int) -> Sample:
    """Watch over `count` agents for one interval while nobody listens to their heartbeats, and for
    another one while somebody does. The rate is that of the heartbeats that are heard.

    Raises ``AssertionError`` when one is missing.
    """
    interval = _INTERVAL * count / _AGENTS
    heard: list[None] = []
    with ActorSystem(heartbeat=Heartbeat(interval=interval, timeout=3 * interval)) as system:
        for number in range(count):
            system.spawn(_Idle, name=f"agent-{number}")
        system.wait_idle()
        quiet = _core_share(interval)
        system.subscribe("agent.heartbeat", lambda event: heard.append(None), mailbox=count)
        began = time.perf_counter()
        loud = _core_share(interval)
        seconds = time.perf_counter() - began
    # Those whose slot was just being looked at may have been a moment too early or too late.
    assert len(heard) > 0.9 * count, f"{len(heard)} heartbeats of {count} agents"
    return Sample(len(heard), seconds, {"quiet_core_share": quiet, "heard_core_share": loud})


def _core_share(seconds: float) -> float:
    """CPU time per second that this process uses in the `seconds` from now."""
    began, cpu = time.perf_counter(), time.process_time()
    threading.Event().wait(seconds)
    return (time.process_time() - cpu) / (time.perf_counter() - began)
