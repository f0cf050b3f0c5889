"""Routing on Choreia: 1,000 wildcard subscriptions, of which 10 match every event."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence

from choreia import ActorSystem, Agent, Event, on
from choreia.bench.sample import Sample
from choreia.bench.topics import MATCHES, event_types, new_event_types, patterns

_PATTERNS = patterns()

_Subscribe = Callable[[ActorSystem, int, int, threading.Semaphore], object]


class _Sink:
    """Counts events down and says when the last one is handled."""

    def __init__(self, count: int, done: threading.Semaphore) -> None:
        self.left = count
        self.done = done

    def count(self, event: Event) -> None:
        self.left -= 1
        if not self.left:
            self.done.release()


def _agent(system: ActorSystem, number: int, count: int, done: threading.Semaphore) -> None:
    """Spawn an agent that is subscribed to one pattern; each pattern needs a class of its own."""

    class Subscriber(Agent):
        def __init__(self) -> None:
            super().__init__()
            self.left = count
            self.done = done

        @on(_PATTERNS[number])
        def count(self, event: Event) -> None:
            self.left -= 1
            if not self.left:
                self.done.release()

    system.spawn(Subscriber, name=f"subscriber-{number}")


def _function(system: ActorSystem, number: int, count: int, done: threading.Semaphore) -> None:
    """Subscribe a plain function, which the system gives an agent of its own."""
    system.subscribe(_PATTERNS[number], _Sink(count, done).count)


def _publish(types: Sequence[str], subscribe: _Subscribe) -> Sample:
    count = len(types)
    done = threading.Semaphore(0)
    with ActorSystem() as system:
        for number in range(len(_PATTERNS)):
            subscribe(system, number, count, done)
        system.wait_idle()
        gc.collect()  # a thousand classes take 40 ms, in the middle of the work or not, by chance
        started = time.perf_counter()
        for i, name in enumerate(types):
            system.publish(name, {"i": i})
        for _ in range(MATCHES):
            done.acquire()
        seconds = time.perf_counter() - started
    return Sample(count, seconds)


def agents(count: int) -> Sample:
    """Events per second; each subscriber is an agent with an `@on` handler."""
    return _publish(event_types(count), _agent)


def agents_new(count: int) -> Sample:
    """The same, with every type new: no resolved route is of use."""
    return _publish(new_event_types(count), _agent)


def functions(count: int) -> Sample:
    """Events per second; each subscriber is a plain function, in a mailbox's turns."""
    return _publish(event_types(count), _function)
