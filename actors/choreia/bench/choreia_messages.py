"""The workloads on plain messages, on Choreia: what pykka's actors do, done by agents.

Mailboxes have their default bound, so a flood is slowed down by backpressure.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Protocol

from choreia import ActorSystem, Agent
from choreia.bench.sample import Sample
from choreia.bench.shape import RING


class _Tellable(Protocol):
    """What is needed of a ref here; naming pykka's class would import the peer."""

    def tell(self, message: object) -> None: ...


class _Sink(Agent):
    """Counts messages down and says when the last one is handled."""

    def __init__(self, count: int, done: threading.Semaphore) -> None:
        super().__init__()
        self.left = count
        self.done = done

    def on_receive(self, message: object) -> None:
        self.left -= 1
        if not self.left:
            self.done.release()


class _Echo(Agent):
    def on_receive(self, message: object) -> object:
        return message


class _Relay(Agent):
    """Tells the next actor one less, until nothing is left."""

    def __init__(self, ring: list[_Tellable], following: int, done: threading.Semaphore) -> None:
        super().__init__()
        self.ring = ring
        self.following = following
        self.done = done

    def on_receive(self, message: int) -> None:
        if message:
            self.ring[self.following].tell(message - 1)
        else:
            self.done.release()


def tell(count: int) -> Sample:
    """A flood of messages to one agent."""
    done = threading.Semaphore(0)
    with ActorSystem() as system:
        ref = system.spawn(lambda: _Sink(count, done), name="sink")
        started = time.perf_counter()
        for i in range(count):
            ref.tell(i)
        done.acquire()
        seconds = time.perf_counter() - started
    return Sample(count, seconds)


def ask(count: int) -> Sample:
    """Questions from outside, each waiting for its answer."""
    with ActorSystem() as system:
        ref = system.spawn(_Echo, name="echo")
        started = time.perf_counter()
        for i in range(count):
            ref.ask(i)
        seconds = time.perf_counter() - started
    return Sample(count, seconds)


def _relay(size: int, hops: int) -> float:
    """Seconds for `hops` messages round a ring of `size` agents."""
    done = threading.Semaphore(0)
    refs: list[_Tellable] = []
    with ActorSystem() as system:
        for i in range(size):
            relay = partial(_Relay, refs, (i + 1) % size, done)
            refs.append(system.spawn(relay, name=f"relay-{i}"))
        system.wait_idle()
        started = time.perf_counter()
        refs[0].tell(hops)
        done.acquire()
        return time.perf_counter() - started


def ping_pong(count: int) -> Sample:
    """Two agents that tell each other; a round trip is two messages."""
    return Sample(count, _relay(2, 2 * count))


def ring(count: int) -> Sample:
    """One message that goes round 1,000 agents."""
    return Sample(count, _relay(RING, count))
