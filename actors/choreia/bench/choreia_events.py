"""The workloads on events, on Choreia: made, routed by topic, delivered, with cause and id."""

from __future__ import annotations

import threading
import time

from choreia import ActorSystem, Agent, CaseLimits, Event, on
from choreia.bench.sample import Sample, percentiles
from choreia.bench.shape import AUDIENCE, PAUSE


class _Ping(Agent):
    """Serves again until the rally is over."""

    def __init__(self, count: int, done: threading.Semaphore) -> None:
        super().__init__()
        self.left = count
        self.done = done

    @on("pong")
    def serve(self, event: Event) -> None:
        self.left -= 1
        if self.left:
            self.emit("ping", {"left": self.left})
        else:
            self.done.release()


class _Pong(Agent):
    @on("ping")
    def answer(self, event: Event) -> None:
        self.emit("pong", {"left": event.payload["left"]})


class _Listener(Agent):
    """Counts events down and says when the last one is handled."""

    def __init__(self, count: int, done: threading.Semaphore) -> None:
        super().__init__()
        self.left = count
        self.done = done

    @on("tick")
    def count(self, event: Event) -> None:
        self.left -= 1
        if not self.left:
            self.done.release()


class _Stamp(Agent):
    """Notes when each event was handled."""

    def __init__(self, handled: list[float], done: threading.Semaphore) -> None:
        super().__init__()
        self.handled = handled
        self.done = done

    @on("tick")
    def stamp(self, event: Event) -> None:
        self.handled.append(time.perf_counter())
        self.done.release()


def ping_pong(count: int) -> Sample:
    """Two agents that react to each other's events: one causal chain of ``2 * count`` events."""
    done = threading.Semaphore(0)
    with ActorSystem(limits=CaseLimits(hops=2 * count + 2)) as system:
        system.spawn(_Pong, name="pong")
        system.spawn(lambda: _Ping(count, done), name="ping")
        system.wait_idle()
        started = time.perf_counter()
        system.publish("ping", {"left": count})
        done.acquire()
        seconds = time.perf_counter() - started
    return Sample(count, seconds)


def fan_out(count: int) -> Sample:
    """`count` deliveries: each event is published once and handled by 100 agents."""
    events = count // AUDIENCE
    done = threading.Semaphore(0)
    with ActorSystem() as system:
        for i in range(AUDIENCE):
            system.spawn(lambda: _Listener(events, done), name=f"listener-{i}")
        system.wait_idle()
        started = time.perf_counter()
        for i in range(events):
            system.publish("tick", {"i": i})
        for _ in range(AUDIENCE):
            done.acquire()
        seconds = time.perf_counter() - started
    return Sample(events * AUDIENCE, seconds)


def latency(count: int) -> Sample:
    """From `publish` to handled, one event at a time, the system idle before each."""
    sent: list[float] = []
    handled: list[float] = []
    done = threading.Semaphore(0)
    with ActorSystem() as system:
        system.spawn(lambda: _Stamp(handled, done), name="stamp")
        system.wait_idle()
        for i in range(count):
            time.sleep(PAUSE)
            sent.append(time.perf_counter())
            system.publish("tick", {"i": i})
            done.acquire()
    took = [end - start for start, end in zip(sent, handled, strict=True)]
    return Sample(count, sum(took), percentiles(took))
