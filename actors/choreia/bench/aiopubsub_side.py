"""Routing on aiopubsub: 1,000 wildcard subscriptions, of which 10 match every event.

Used in the way that is fastest for it: keys are built before the clock starts and go to the
hub without a publisher's prefix. `listeners` is the like-for-like peer, since there each
subscriber has a queue and runs apart from the publisher; `functions` has neither (one that
is slow, or raises, holds up the publisher) and is reported for information.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Sequence

import aiopubsub

from choreia.bench.sample import Sample
from choreia.bench.topics import MATCHES, event_types, new_event_types, patterns


def _key(text: str) -> aiopubsub.Key:
    return aiopubsub.Key(*text.split("."))


class _Sink:
    """Counts messages down and says when the last one is handled."""

    def __init__(self, count: int, done: asyncio.Semaphore) -> None:
        self.left = count
        self.done = done

    def count(self, _key: aiopubsub.Key, _message: object) -> None:
        self.left -= 1
        if not self.left:
            self.done.release()

    async def count_async(self, _key: aiopubsub.Key, _message: object) -> None:
        self.left -= 1
        if not self.left:
            self.done.release()


async def _publish(
    types: Sequence[str], subscribe: Callable[[aiopubsub.Subscriber, aiopubsub.Key, _Sink], None]
) -> Sample:
    count = len(types)
    hub = aiopubsub.Hub()
    subscriber = aiopubsub.Subscriber(hub, "bench")
    done = asyncio.Semaphore(0)
    for pattern in patterns():
        subscribe(subscriber, _key(pattern), _Sink(count, done))
    await asyncio.sleep(0)  # listeners reach their queues
    keys = [_key(name) for name in types]
    gc.collect()  # as on the other side
    started = time.perf_counter()
    for i, key in enumerate(keys):
        hub.publish(key, {"i": i})
    for _ in range(MATCHES):
        await done.acquire()
    seconds = time.perf_counter() - started
    await subscriber.remove_all_listeners()
    return Sample(count, seconds)


def _listen(subscriber: aiopubsub.Subscriber, key: aiopubsub.Key, sink: _Sink) -> None:
    subscriber.add_async_listener(key, sink.count_async)


def _call(subscriber: aiopubsub.Subscriber, key: aiopubsub.Key, sink: _Sink) -> None:
    subscriber.add_sync_listener(key, sink.count)


def listeners(count: int) -> Sample:
    """Events per second; each subscriber is a coroutine with a queue of its own."""
    return asyncio.run(_publish(event_types(count), _listen))


def listeners_new(count: int) -> Sample:
    """The same, with every type new: nothing routed before is of use."""
    return asyncio.run(_publish(new_event_types(count), _listen))


def functions(count: int) -> Sample:
    """Events per second; each subscriber is a function, called while publishing."""
    return asyncio.run(_publish(event_types(count), _call))
