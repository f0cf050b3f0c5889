"""How many agents, how fast and how large, on Choreia."""

from __future__ import annotations

import gc
import time

from choreia import ActorSystem, Agent, Event, on
from choreia.bench.sample import Sample, resident_bytes

#: Spawned, and kept, before memory is looked at, so that what the first agent brings along
#: (code, caches, threads) is not shared out among the others.
_FIRST = 20


class _Idle(Agent):
    """Has one subscription, and waits."""

    @on("tick")
    def answer(self, event: Event) -> None:
        pass


class _Addressed(Agent):
    """Has a topic of its own."""

    @on("task.assigned.{name}")
    def work(self, event: Event) -> None:
        pass


class _Counted(Agent):
    """Notes that it has answered; a list's ``append`` is atomic, a counter would not be."""

    def __init__(self, answers: list[None]) -> None:
        super().__init__()
        self.answers = answers

    @on("tick")
    def answer(self, event: Event) -> None:
        self.answers.append(None)


def _spawn(agent: type[Agent], count: int) -> Sample:
    with ActorSystem() as system:
        for i in range(_FIRST):
            system.spawn(agent, name=f"first-{i}")
        system.wait_idle()
        gc.collect()
        before = resident_bytes()
        started = time.perf_counter()
        refs = [system.spawn(agent, name=f"agent-{i}") for i in range(count)]
        system.wait_idle()
        seconds = time.perf_counter() - started
        gc.collect()
        size = (resident_bytes() - before) / len(refs)
    return Sample(count, seconds, {"bytes_per_agent": size})


def spawn(count: int) -> Sample:
    """Spawn agents and wait until each is online; all have the same subscription."""
    return _spawn(_Idle, count)


def spawn_own_topic(count: int) -> Sample:
    """Spawn agents, each of which subscribes to a topic that has its name."""
    return _spawn(_Addressed, count)


def idle(count: int) -> Sample:
    """Spawn agents, publish one event that all of them answer, and stop.

    The rate is that of spawning. Refs are not kept: idle agents have to stay alive on their
    own. Raises ``AssertionError`` when one of them has not answered.
    """
    answers: list[None] = []
    gc.collect()
    before = resident_bytes()
    with ActorSystem() as system:
        started = time.perf_counter()
        for i in range(count):
            system.spawn(lambda: _Counted(answers), name=f"agent-{i}")
        system.wait_idle()
        spawned = time.perf_counter()
        gc.collect()
        size = (resident_bytes() - before) / count
        published = time.perf_counter()
        system.publish("tick", {})
        system.wait_idle()
        answered = time.perf_counter()
    stopped = time.perf_counter()
    assert len(answers) == count, f"{count - len(answers)} of {count} agents did not answer"
    extras = {
        "bytes_per_agent": size,
        "answer_seconds": answered - published,
        "stop_seconds": stopped - answered,
    }
    return Sample(count, spawned - started, extras)
