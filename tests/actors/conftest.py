"""What the tests of agents share: a system per dispatcher, and an ear on its events.

Most promises hold on both dispatchers, so most tests take `system` and run twice. Those about
exact times take `sim`, whose time is virtual. Modules that redefine `feed` with both feeds run
everything on each.
"""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from choreia import ActorSystem, Agent, Event
from choreia.runtime.simulation.clock import SimulatedClock
from choreia.runtime.stores.memory import MemoryStore

Feed = Literal["memory", "log"]
Mode = Literal["threads", "simulated"]
Hear = Callable[..., list[Event]]
"""``hear(topic, …)``: the events of `topic`, as a list that grows; read it when idle."""
Until = Callable[..., None]
"""``until(condition)``: let things happen until it holds, where `wait_idle` would not do."""


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
def feed() -> Feed:
    return "memory"


@pytest.fixture
def system(mode: Mode, feed: Feed) -> Iterator[ActorSystem]:
    """A system on each dispatcher; the test need not stop it."""
    system = ActorSystem(mode=mode, store=MemoryStore() if feed == "log" else None)
    try:
        yield system
    finally:
        system.stop(drain=False, timeout=5)


@attrs.frozen
class Done:
    """A command that was run: its exit code, and what it said."""

    code: int
    out: str
    err: str


Cli = Callable[..., Done]
"""``cli("ps", "-o", "json")``: the command, run in this process, as the shell would."""


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    from choreia.cli.app import app
    from choreia.cli.failures import run

    def choreia(*arguments: str) -> Done:
        capsys.readouterr()
        code = run(app, arguments)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return choreia


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own for the sockets of the test's systems: no others are found there. Not
    `tmp_path`, which is too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="choreia-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        monkeypatch.delenv("CHOREIA_SYSTEM", raising=False)
        yield Path(folder) / "choreia"


@pytest.fixture
def sim(feed: Feed) -> Iterator[ActorSystem]:
    """A system in virtual time only."""
    system = ActorSystem(mode="simulated", store=MemoryStore() if feed == "log" else None)
    try:
        yield system
    finally:
        system.stop(drain=False, timeout=5)


@pytest.fixture
def hear(request: pytest.FixtureRequest) -> Hear:
    """An ear on the test's `system` or `sim`: ``heard = hear("order.*")``."""
    system = _system_of(request)

    def listen(topic: str = "#", to: ActorSystem | None = None) -> list[Event]:
        heard: list[Event] = []
        (to or system).subscribe(topic, heard.append)
        return heard

    return listen


class Asleep(Agent):
    """Paused, it answers nobody."""

    def on_receive(self, message: object) -> object:
        return message


@pytest.fixture
def asleep(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The ref of an agent that is paused: whoever asks it hangs, on either dispatcher, until the
    test resumes ``asleep``."""
    system = _system_of(request)
    ref = system.spawn(Asleep, heartbeat=None)
    system.pause("asleep")
    yield ref
    if ref.is_alive():
        system.resume("asleep")


@pytest.fixture
def until(request: pytest.FixtureRequest) -> Until:
    """Wait for a condition of the test's `system` (or the one given), for 20 s at most."""

    def wait(condition: Callable[[], object], system: ActorSystem | None = None) -> None:
        of = system or _system_of(request)
        pause = threading.Event()
        for _ in range(20_000):
            if condition():
                return
            if isinstance(of.clock, SimulatedClock):
                of.advance(0.001)
            else:
                pause.wait(0.001)
        pytest.fail("it has not come true in 20 s")

    return wait


def _system_of(request: pytest.FixtureRequest) -> ActorSystem:
    name = "sim" if "sim" in request.fixturenames else "system"
    system: ActorSystem = request.getfixturevalue(name)
    return system
