"""Systems for the tests of delivery: both dispatchers, and both feeds.

A test that takes `make` runs four times. One that is about a single dispatcher or feed says so:
``@pytest.mark.parametrize("mode", ["threads"])``, ``@pytest.mark.parametrize("feed", ["memory"])``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from choreia import ActorSystem
from choreia.runtime.delivery.logfeed import ListLog

Mode = Literal["threads", "simulated"]
FeedKind = Literal["memory", "log"]
Make = Callable[..., ActorSystem]
"""``make(workers=2)``: a system, stopped when the test ends."""


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
        log = ListLog() if feed == "log" else None
        system = ActorSystem(mode=mode, log=log, **options)
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
