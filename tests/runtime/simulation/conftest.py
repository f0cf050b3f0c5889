"""Guards for the tests of the simulation: no fault of the runtime, and no thread left behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from choreia import ActorSystem

Simulate = Callable[..., ActorSystem]
"""``simulate(seed=7)``: a simulated system, stopped when the test ends."""


@pytest.fixture(autouse=True)
def _the_runtime_itself_never_fails() -> Iterator[None]:
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
    before = set(threading.enumerate())
    yield
    left = [t.name for t in threading.enumerate() if t not in before]
    assert not left, f"threads left behind: {left}"


@pytest.fixture
def simulate() -> Iterator[Simulate]:
    made: list[ActorSystem] = []

    def build(**options: Any) -> ActorSystem:
        made.append(ActorSystem(mode="simulated", **options))
        return made[-1]

    yield build
    for system in made:
        system.stop(drain=False, timeout=5)


@pytest.fixture
def system(simulate: Simulate) -> ActorSystem:
    return simulate()
