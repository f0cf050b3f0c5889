"""Systems for the tests of delivery: both dispatchers, and both feeds.

A test that takes `make` runs four times. A module, or a test, that is about a single dispatcher or
feed says so, by a fixture of that name or ``@pytest.mark.parametrize("mode", ["threads"])``.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Literal

import pytest

from choreia import ActorSystem
from choreia.runtime.errors import Deadlock
from choreia.runtime.simulation.dispatcher import SimulatedDispatcher
from choreia.runtime.stores.memory import MemoryStore

Mode = Literal["threads", "simulated"]
FeedKind = Literal["memory", "log"]
Make = Callable[..., ActorSystem]
"""``make(workers=2)``: a system, stopped when the test ends."""
InThreads = Callable[[int, Callable[[int], object]], None]
Until = Callable[[ActorSystem, Callable[[], object]], None]


@pytest.fixture(params=["threads", "simulated"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


@pytest.fixture(params=["memory", "log"])
def feed(request: pytest.FixtureRequest) -> FeedKind:
    chosen: FeedKind = request.param
    return chosen


@pytest.fixture
def make(mode: Mode, feed: FeedKind) -> Iterator[Make]:
    made: list[ActorSystem] = []

    def build(**options: Any) -> ActorSystem:
        log = MemoryStore() if feed == "log" else None
        system = ActorSystem(mode=mode, store=log, **options)
        made.append(system)
        return system

    try:
        yield build
    finally:
        for system in made:
            system.stop(drain=False, timeout=5)


@pytest.fixture
def system(make: Make) -> ActorSystem:
    return make()


@pytest.fixture(autouse=True)
def _the_runtime_itself_never_fails() -> Iterator[None]:
    """The runtime logs its own faults as CRITICAL: whatever a test does, there are none."""
    faults: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            faults.append(self.format(record))

    logger, keep = logging.getLogger("choreia"), Keep(logging.CRITICAL)
    logger.addHandler(keep)
    try:
        yield
    finally:
        logger.removeHandler(keep)
    assert not faults, "\n".join(faults)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Whatever a test did, its systems took their threads with them."""
    before = set(threading.enumerate())
    yield
    left = [t.name for t in threading.enumerate() if t not in before and "choreia" in t.name]
    assert not left, f"threads left behind: {left}"


@pytest.fixture
def hurry() -> Iterator[None]:
    """Threads take turns every few steps, so that what can go wrong between two does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def in_threads(hurry: None) -> InThreads:
    """``in_threads(8, task)``: run ``task(number)`` in 8 threads at once, raise what one raised."""

    def run_all(count: int, task: Callable[[int], object]) -> None:
        errors: list[BaseException] = []
        barrier = threading.Barrier(count)

        def run(number: int) -> None:
            barrier.wait()
            try:
                task(number)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    return run_all


@pytest.fixture
def until() -> Until:
    """``until(system, condition)``: let the system go on until `condition()` holds.

    For states that are in flight, which `wait_idle` alone does not wait for.
    """

    def wait(system: ActorSystem, condition: Callable[[], object]) -> None:
        ends = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < ends, "it did not come to that within 20 s"
            with suppress(TimeoutError, Deadlock):
                system.wait_idle(0.005)
            if isinstance(system._dispatcher, SimulatedDispatcher):
                system.advance(0.005)  # timers are not in flight

    return wait
