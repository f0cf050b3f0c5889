"""Deliveries, in a system that remembers and in one that does not.

Each sample warms its system up until it remembers as much as it ever will. Measured is the
processor time of the whole process, since machines are shared, and the time on the wall beside it.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable

import attrs

from choreia import ActorSystem, Agent, CaseLimits, Event, on

RING = 10
AUDIENCE = 100
REMEMBERED = 10_000
"""Events, as by default."""


@attrs.frozen
class Took:
    """Seconds for each delivery."""

    processor: float
    wall: float


@attrs.frozen
class Load:
    """Something to be delivered."""

    name: str
    what: str
    each: int
    """Deliveries of one event that is counted."""
    spawn: Callable[[ActorSystem, threading.Semaphore], None]
    send: Callable[[ActorSystem, int], None]
    """Publish what makes so many events; the last has the semaphore released."""
    waits: int = 1
    """How often."""


def sample(load: Load, *, remember: bool, events: int) -> Took:
    """Deliver `events` of `load`."""
    done = threading.Semaphore(0)
    limits, kept = CaseLimits(hops=REMEMBERED + events), REMEMBERED if remember else 0
    with ActorSystem(limits=limits, remember=kept) as system:
        load.spawn(system, done)
        _deliver(system, load, min(events, REMEMBERED) + 1, done)
        gc.collect()
        processor, wall = time.process_time(), time.perf_counter()
        _deliver(system, load, events, done)
        processor, wall = time.process_time() - processor, time.perf_counter() - wall
    deliveries = events * load.each
    return Took(processor / deliveries, wall / deliveries)


def _deliver(system: ActorSystem, load: Load, events: int, done: threading.Semaphore) -> None:
    load.send(system, events)
    for _ in range(load.waits):
        done.acquire()
    system.wait_idle()


# -- a ring -------------------------------------------------------------------------------------


def _runner(place: int, done: threading.Semaphore) -> type[Agent]:
    following = f"hop.at{(place + 1) % RING}"

    class Runner(Agent):
        """Passes on what it is given."""

        @on(f"hop.at{place}")
        def run(self, event: Event) -> None:
            left = event.payload["left"]
            if left > 1:
                self.emit(following, {"left": left - 1})
            else:
                done.release()

    return Runner


def _ring(system: ActorSystem, done: threading.Semaphore) -> None:
    for place in range(RING):
        system.spawn(_runner(place, done), name=f"runner-{place}")


# -- listeners ------------------------------------------------------------------------------------


class _Listener(Agent):
    """Hears the last of them."""

    def __init__(self, done: threading.Semaphore) -> None:
        super().__init__()
        self.done = done

    @on("tick")
    def hear(self, event: Event) -> None:
        if event.payload["last"]:
            self.done.release()


def _listeners(count: int) -> Callable[[ActorSystem, threading.Semaphore], None]:
    def spawn(system: ActorSystem, done: threading.Semaphore) -> None:
        for number in range(count):
            system.spawn(lambda: _Listener(done), name=f"listener-{number}")

    return spawn


def _ticks(system: ActorSystem, events: int) -> None:
    for number in range(1, events + 1):
        system.publish("tick", {"last": number == events})


def _hop(system: ActorSystem, events: int) -> None:
    system.publish("hop.at0", {"left": events})


LOADS = (
    Load("ring", f"{RING} agents, each emits to the next: a hop", 1, _ring, _hop),
    Load("publish", "published from outside, for one agent", 1, _listeners(1), _ticks),
    Load(
        "fan-out",
        f"published from outside, for {AUDIENCE} agents: to each",
        AUDIENCE,
        _listeners(AUDIENCE),
        _ticks,
        AUDIENCE,
    ),
)
EVENTS = {"ring": 10_000, "publish": 20_000, "fan-out": 500}
