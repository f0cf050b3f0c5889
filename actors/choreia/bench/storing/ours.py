"""Choreia's side: a system with a store, measured from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from choreia import ActorSystem, Agent, Event, SqliteStore, on

PRODUCERS = 8
WINDOW = 256
"""Events that a producer has on their way at a time."""
NOTE = "as many bytes as usual"


class Worker(Agent):
    """Answers each event with one."""

    @on("work.item.{name}")
    def work(self, event: Event) -> None:
        self.emit("work.done", {"n": event.payload["n"]})


def produce(system: ActorSystem, count: int, type_of: Callable[[int], str]) -> float:
    """Publish `count` events from several threads; seconds."""
    each = count // PRODUCERS

    def run(producer: int) -> None:
        for first in range(0, each, WINDOW):
            system.publish_many(
                (type_of(n), {"n": n, "producer": producer, "note": NOTE})
                for n in range(first, min(first + WINDOW, each))
            )

    threads = [threading.Thread(target=run, args=(number,)) for number in range(PRODUCERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def publishing(folder: Path, count: int) -> float:
    """Durable publishes a second."""
    with ActorSystem(store=folder / "events.db") as system:
        return count / produce(system, count, lambda n: "work.item")


def turns(folder: Path, count: int, agents: int) -> float:
    """Publish → durable → handled → emitted → durable, a second."""
    with ActorSystem(store=folder / "events.db") as system:
        for number in range(agents):
            system.spawn(Worker, name=f"w{number}")
        system.wait_idle(60)
        began = time.perf_counter()
        produce(system, count, lambda n: f"work.item.w{n % agents}")
        system.wait_idle(600)
        return count / (time.perf_counter() - began)


def one_by_one(folder: Path, count: int) -> float:
    """Milliseconds of one synchronous durable publish."""
    with ActorSystem(store=folder / "events.db") as system:
        system.publish("work.item", {"n": -1})
        began = time.perf_counter()
        for n in range(count):
            system.publish("work.item", {"n": n, "note": NOTE})
        return 1_000 * (time.perf_counter() - began) / count


def appending(folder: Path, count: int) -> float:
    """Events a second, 1,000 a commit, without a system."""
    from choreia.runtime.durable.journal import unit_of

    store = SqliteStore(folder / "events.db")
    events = [Event("work.item", "me", {"n": n, "note": NOTE}) for n in range(count)]
    began = time.perf_counter()
    for first in range(0, count, 1_000):
        store.commit([unit_of(events[first : first + 1_000])], float(first))
    rate = count / (time.perf_counter() - began)
    store.close()
    return rate


def replaying(folder: Path, count: int) -> float:
    """Events a second, read as objects."""
    appending(folder, count)
    store = SqliteStore(folder / "events.db", readonly=True)
    began = time.perf_counter()
    found = sum(1 for _ in store.read())
    rate = found / (time.perf_counter() - began)
    store.close()
    return rate
