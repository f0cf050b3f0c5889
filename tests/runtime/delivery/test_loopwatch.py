"""Whoever blocks an event loop is named: agent, file and line."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from choreia import ActorSystem, Agent, Event, on
from choreia.runtime.delivery import loopwatch
from choreia.runtime.delivery.loopwatch import LONG, LoopWatch, Pulse


@pytest.fixture
def mode() -> str:
    return "threads"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopwatch, "TICK", 0.01)
    monkeypatch.setattr(loopwatch, "LONG", 0.05)


class Warned(logging.Handler):
    """Keeps warnings, and lets whoever waits know of them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []
        self.come = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.come.set()


@pytest.fixture
def warned() -> Iterator[Warned]:
    handler = Warned()
    logging.getLogger("choreia").addHandler(handler)
    yield handler
    logging.getLogger("choreia").removeHandler(handler)


@pytest.mark.usefixtures("quick")
def test_an_agent_that_blocks_the_loop_is_named_with_file_and_line(warned: Warned) -> None:
    def helper() -> None:
        warned.come.wait(20)  # blocks until it has been told off

    class Blocks(Agent):
        @on("block")
        async def block(self, event: Event) -> None:
            helper()

    with ActorSystem() as system:
        system.spawn(Blocks)
        system.publish("block")
        system.wait_idle(timeout=30)
        warned.come.clear()
        first = list(warned.records)
        system.publish("block")
        system.wait_idle(timeout=30)
    [record] = first
    text = record.getMessage()
    lines = Path(__file__).read_text().splitlines()
    call = lines.index("            helper()") + 1
    assert record.levelno == logging.WARNING
    assert record.name == "choreia.agent.blocks"
    assert text.startswith("agent 'blocks' has blocked the event loop for ")
    assert f"{__file__}:{call} (block)" in text, "the handler's own line"
    assert "(wait)" in text, "and where that has led to"
    assert "await there, use asyncio.to_thread, or write a plain `def` handler" in text
    assert len(warned.records) == 2, "once for each time"


@pytest.mark.usefixtures("quick")
def test_so_is_code_that_is_no_agents_on_the_callers_loop(warned: Warned) -> None:
    class Waits(Agent):
        @on("wait")
        async def wait(self, event: Event) -> None:
            begun.set()
            await asyncio.sleep(60)

    begun = asyncio.Event()

    async def main() -> None:
        async with ActorSystem() as system:
            system.spawn(Waits)
            await system.publish_async("wait")
            await begun.wait()
            warned.come.wait(20)
            await system.stop_async(drain=False)

    asyncio.run(main())
    [record] = warned.records
    assert record.name == "choreia.dispatcher"
    assert record.getMessage().startswith("a task that is no agent's has blocked the event loop")
    assert f"{__file__}:" in record.getMessage()


@pytest.mark.usefixtures("quick")
def test_whoever_awaits_is_not_warned(warned: Warned) -> None:
    class Waits(Agent):
        @on("wait")
        async def wait(self, event: Event) -> None:
            for _ in range(20):
                await asyncio.sleep(0.01)

    with ActorSystem() as system:
        system.spawn(Waits)
        system.publish("wait")
        system.wait_idle(timeout=30)
    assert warned.records == []


class Loop:
    """Keeps what it is given, to be run when the test says so."""

    def __init__(self) -> None:
        self.given: list[Callable[[], None]] = []

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
        self.given.append(callback)


@pytest.fixture
def loop() -> Any:
    return Loop()


def test_a_pulse_tells_once_after_long_and_again_after_it_came_back(loop: Any) -> None:
    pulse = Pulse(loop)
    assert not pulse.look(100), "nothing was given to it yet"
    assert not pulse.look(LONG - 0.1)
    assert pulse.look(0.2)
    assert pulse.blocked == pytest.approx(LONG + 0.1)
    assert not pulse.look(LONG), "it has been said"
    [back] = loop.given
    back()
    assert not pulse.look(0.2)
    assert len(loop.given) == 2
    assert pulse.look(LONG)


def test_a_free_loop_is_never_told_of(loop: Any) -> None:
    pulse = Pulse(loop)
    for _ in range(10):
        assert not pulse.look(LONG)
        loop.given.pop()()


def test_a_closed_loop_is_nobodys_fault() -> None:
    loop = asyncio.new_event_loop()
    pulse = Pulse(loop)
    loop.close()
    assert not pulse.look(LONG)
    assert not pulse.look(LONG)


def test_a_watch_that_was_never_needed_has_no_thread() -> None:
    before = threading.active_count()
    watch = LoopWatch(lambda task: None)
    watch.stop()
    assert threading.active_count() == before
