"""The workloads on pykka's `ThreadingActor`: the peer, used as its documentation shows.

Every function does `count` units and returns a `Sample` timed from the first send to the
last one handled. Handlers do what Choreia's do, statement for statement.
"""

from __future__ import annotations

import gc
import queue
import threading
import time
from typing import Any

import pykka

from choreia.bench.sample import Sample, percentiles, resident_bytes
from choreia.bench.shape import AUDIENCE, PAUSE, RING

_Ref = pykka.ActorRef[Any]


class _Sink(pykka.ThreadingActor):
    """Counts messages down and says when the last one is handled."""

    def __init__(self, count: int, done: threading.Semaphore) -> None:
        super().__init__()
        self.left = count
        self.done = done

    def on_receive(self, message: object) -> None:
        self.left -= 1
        if not self.left:
            self.done.release()


class _BoundedSink(_Sink):
    """For information: the same inbox with Choreia's bound, so the sender has to wait too."""

    @staticmethod
    def _create_actor_inbox() -> queue.Queue[Any]:
        return queue.Queue(maxsize=1_000)


class _Echo(pykka.ThreadingActor):
    def on_receive(self, message: object) -> object:
        return message


class _Relay(pykka.ThreadingActor):
    """Tells the next actor one less, until nothing is left."""

    def __init__(self, ring: list[_Ref], following: int, done: threading.Semaphore) -> None:
        super().__init__()
        self.ring = ring
        self.following = following
        self.done = done

    def on_receive(self, message: int) -> None:
        if message:
            self.ring[self.following].tell(message - 1)
        else:
            self.done.release()


class _Stamp(pykka.ThreadingActor):
    """Notes when each message was handled."""

    def __init__(self, handled: list[float], done: threading.Semaphore) -> None:
        super().__init__()
        self.handled = handled
        self.done = done

    def on_receive(self, message: object) -> None:
        self.handled.append(time.perf_counter())
        self.done.release()


class _Idle(pykka.ThreadingActor):
    def on_receive(self, message: object) -> None:
        pass


def _flood(sink: type[_Sink], count: int) -> Sample:
    done = threading.Semaphore(0)
    ref = sink.start(count, done)
    started = time.perf_counter()
    for i in range(count):
        ref.tell(i)
    done.acquire()
    seconds = time.perf_counter() - started
    ref.stop()
    return Sample(count, seconds)


def tell(count: int) -> Sample:
    """A flood of messages to one actor, whose inbox is unbounded."""
    return _flood(_Sink, count)


def tell_bounded(count: int) -> Sample:
    """A flood of messages to one actor that holds 1,000 at most."""
    return _flood(_BoundedSink, count)


def ask(count: int) -> Sample:
    """Questions from outside, each waiting for its answer."""
    ref = _Echo.start()
    started = time.perf_counter()
    for i in range(count):
        ref.ask(i)
    seconds = time.perf_counter() - started
    ref.stop()
    return Sample(count, seconds)


def _relay(size: int, hops: int) -> float:
    """Seconds for `hops` messages round a ring of `size` actors."""
    done = threading.Semaphore(0)
    refs: list[_Ref] = []
    refs.extend(_Relay.start(refs, (i + 1) % size, done) for i in range(size))
    started = time.perf_counter()
    refs[0].tell(hops)
    done.acquire()
    seconds = time.perf_counter() - started
    pykka.ActorRegistry.stop_all()
    return seconds


def ping_pong(count: int) -> Sample:
    """Two actors that tell each other; a round trip is two messages."""
    return Sample(count, _relay(2, 2 * count))


def ring(count: int) -> Sample:
    """One message that goes round 1,000 actors."""
    return Sample(count, _relay(RING, count))


def fan_out(count: int) -> Sample:
    """`count` deliveries: each message is told to 100 actors in a loop."""
    messages = count // AUDIENCE
    done = threading.Semaphore(0)
    refs = [_Sink.start(messages, done) for _ in range(AUDIENCE)]
    started = time.perf_counter()
    for i in range(messages):
        for ref in refs:
            ref.tell(i)
    for _ in refs:
        done.acquire()
    seconds = time.perf_counter() - started
    pykka.ActorRegistry.stop_all()
    return Sample(messages * AUDIENCE, seconds)


def latency(count: int) -> Sample:
    """From `tell` to handled, one message at a time, the actor idle before each."""
    sent: list[float] = []
    handled: list[float] = []
    done = threading.Semaphore(0)
    ref = _Stamp.start(handled, done)
    for i in range(count):
        time.sleep(PAUSE)
        sent.append(time.perf_counter())
        ref.tell(i)
        done.acquire()
    ref.stop()
    took = [end - start for start, end in zip(sent, handled, strict=True)]
    return Sample(count, sum(took), percentiles(took))


def spawn(count: int) -> Sample:
    """Start actors, none of which is ever told anything."""
    gc.collect()
    before = resident_bytes()
    started = time.perf_counter()
    refs = [_Idle.start() for _ in range(count)]
    seconds = time.perf_counter() - started
    time.sleep(0.2)  # until the last threads have reached their inbox and touched their stack
    gc.collect()
    return Sample(count, seconds, {"bytes_per_agent": (resident_bytes() - before) / len(refs)})
