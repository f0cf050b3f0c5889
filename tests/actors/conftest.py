"""What the tests of agents share: a system per dispatcher, and an ear on its events.

Most promises hold on both dispatchers, so most tests take `system` and run twice. Those about
exact times take `sim`, whose time is virtual.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Literal

import pytest

from choreia import ActorSystem, Event

Mode = Literal["threads", "simulated"]
Hear = Callable[..., list[Event]]
"""``hear(topic, …)``: the events of `topic`, as a list that grows; read it when idle."""


@pytest.fixture(params=["threads", "simulated"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


@pytest.fixture(autouse=True)
def _the_runtime_itself_never_fails() -> Iterator[None]:
    """The runtime logs its own faults as CRITICAL: whatever a handler does, there are none."""
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


@pytest.fixture
def system(mode: Mode) -> Iterator[ActorSystem]:
    """A system on each dispatcher; the test need not stop it."""
    system = ActorSystem(mode=mode)
    try:
        yield system
    finally:
        system.stop(drain=False, timeout=5)


@pytest.fixture
def sim() -> Iterator[ActorSystem]:
    """A system in virtual time only."""
    system = ActorSystem(mode="simulated")
    try:
        yield system
    finally:
        system.stop(drain=False, timeout=5)


@pytest.fixture
def hear(request: pytest.FixtureRequest) -> Hear:
    """An ear on the test's `system` or `sim`: ``heard = hear("order.*")``."""
    name = "sim" if "sim" in request.fixturenames else "system"
    system: ActorSystem = request.getfixturevalue(name)

    def listen(topic: str = "#", to: ActorSystem | None = None) -> list[Event]:
        heard: list[Event] = []
        (to or system).subscribe(topic, heard.append)
        return heard

    return listen
