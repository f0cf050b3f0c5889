"""Keyed agents with a memory, and what it costs to have very many of them."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import attrs

from choreia import ActorSystem, DemoError, Event, EventSourcedAgent, applies, on, reconstruct

AWAKE = 2_000
TOGETHER = 500
"""Events that are published in one commit."""
HEARD = 250
"""Events that an instance has behind it when its waking is measured."""


@attrs.frozen
class Count:
    events: int = 0
    last: str = ""

    @applies("counted")
    def counted(self, event: Event) -> Count:
        return Count(self.events + 1, event.payload["text"])


class Counter(EventSourcedAgent[Count]):
    """Says one thing for each that it hears."""

    key = "payload.key"
    awake = AWAKE

    @on("count")
    def count(self, event: Event) -> None:
        self.emit("counted", {"text": "as many bytes as usual", "n": self.state.events})


class Forgetful(Counter):
    """The same without snapshots: it folds its whole history each time."""

    snapshot_every = None


@attrs.frozen
class Tenth:
    """How it stood after a tenth of the keys."""

    keys: int
    seconds: float
    megabytes: float
    awake: int


def resident() -> int:
    """Bytes of memory that the process has in use: without what its allocator keeps for later,
    which is some tens of MB whatever the number of keys."""
    gc.collect()
    with suppress(OSError, AttributeError):  # of glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


def come_and_go(store: Path | None, keys: int, awake: int = AWAKE) -> Iterator[Tenth]:
    """Wake each of `keys` keys once."""
    with ActorSystem(store=store) as system:
        system.spawn(Counter, name="counter", awake=awake)
        began = time.perf_counter()
        for tenth in range(10):
            first, end = keys * tenth // 10, keys * (tenth + 1) // 10
            for at in range(first, end, TOGETHER):
                _count(system, range(at, min(at + TOGETHER, end)))
            system.wait_idle(600)
            there = sum(agent.kind == "member" for agent in system.inspect().agents)
            seconds = time.perf_counter() - began
            yield Tenth(end, seconds, resident() / 1e6, there)


def _count(system: ActorSystem, keys: range) -> None:
    events = [("count", {"key": f"k{key}"}) for key in keys]
    if _has_store(system):
        system.publish_many(events)
    else:
        for type, payload in events:
            system.publish(type, payload)


def _has_store(system: ActorSystem) -> bool:
    return system._keeping is not None


def wakings(
    store: Path | None, kind: type[Counter], samples: int, heard: int = HEARD
) -> list[float]:
    """Seconds from an event to all that follows from it, for instances that sleep: sorted."""
    keys = 50
    with ActorSystem(store=store) as system:
        system.spawn(kind, name="counter", awake=keys // 2)
        for _ in range(heard):
            _count(system, range(keys))
        system.wait_idle(600)
        _until_half_sleep(system, keys)
        gc.collect()
        took: list[float] = []
        for number in range(samples):
            began = time.perf_counter()
            _count(system, range(number % keys, number % keys + 1))
            system.wait_idle(60)
            took.append(time.perf_counter() - began)
    return sorted(took)


def _until_half_sleep(system: ActorSystem, keys: int) -> None:
    for _ in range(1_000):
        if sum(agent.kind == "member" for agent in system.inspect().agents) <= keys // 2:
            return
        time.sleep(0.01)
    raise DemoError("nobody goes to sleep")


def replaying(store: Path, events: int) -> float:
    """Events a second that are folded into a state."""
    with ActorSystem(store=store, durability="relaxed") as system:
        system.spawn(Forgetful, name="counter")
        for _ in range(0, events, TOGETHER):
            system.publish_many([("count", {"key": "k"})] * TOGETHER)
        system.wait_idle(600)
    began = time.perf_counter()
    state = reconstruct(Forgetful, "counter:k", store=store)
    took = time.perf_counter() - began
    assert state.events >= events, "all of them"
    return state.events / took
