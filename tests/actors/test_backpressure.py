"""Backpressure: a slow agent slows down whoever feeds it, says so, and costs no memory."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, on

if TYPE_CHECKING:
    from tests.actors.conftest import Mode


class Keeper(Agent):
    def __init__(self, kept: list[Any]) -> None:
        super().__init__()
        self.kept = kept

    @on("work")
    def work(self, event: Event) -> None:
        self.kept.append(event.payload["n"])


@pytest.fixture
def pressure(system: ActorSystem) -> list[Event]:
    """The events of backpressure, as they come."""
    heard: list[Event] = []
    system.subscribe("agent.backpressure", heard.append, name="pressure", mailbox=10_000)
    return heard


def paused(system: ActorSystem, name: str = "keeper", **options: Any) -> None:
    system.spawn(partial(Keeper, []), name=name, **options)
    system.pause(name)
    system.wait_idle(5)


def settle(system: ActorSystem, name: str = "keeper") -> None:
    """Resume, let everything be handled, and pause again."""
    system.resume(name)
    system.wait_idle(20)
    system.pause(name)
    system.wait_idle(20)


def hear(system: ActorSystem) -> None:
    """Let what was said be heard, though the keeper's queue is in flight all the time."""
    done: list[Event] = []

    def heard() -> bool:
        agents = system.inspect().agents
        return bool(done) and all(a.state == "idle" for a in agents if a.name == "pressure")

    with system.subscribe("heard", done.append):
        system.publish("heard")
        while not heard():
            with contextlib.suppress(TimeoutError):
                system.wait_idle(0.005)


# -- said once, on the edge -----------------------------------------------------------------------


def test_it_is_said_at_the_first_refusal_with_all_that_one_must_know(
    system: ActorSystem, pressure: list[Event]
) -> None:
    paused(system, mailbox=3)
    for n in range(3):
        assert system.try_publish("work", {"n": n})
    hear(system)
    assert pressure == []  # full, and nobody was refused
    assert not system.try_publish("work", {"n": 3})
    hear(system)
    [event] = pressure
    assert event.source == system.ref("keeper").id
    assert event.payload == {
        "agent": "keeper",
        "queue_size": 3,
        "capacity": 3,
        "dropped": 0,
        "policy": "park",
    }


@pytest.mark.parametrize("overflow", ["park", "drop_newest", "drop_oldest", "reject", "conflate"])
def test_it_is_said_once_until_half_is_worked_off(
    system: ActorSystem, pressure: list[Event], overflow: str
) -> None:
    paused(system, mailbox=4, overflow=overflow)
    for round in range(1, 4):
        for n in range(20):
            system.try_publish("work", {"n": n}, source=f"source-{n}")
        hear(system)
        assert len(pressure) == round
        assert pressure[-1].payload["policy"] == overflow
        settle(system)
    dropped = {"drop_newest": 1, "drop_oldest": 1}.get(overflow, 0)
    assert pressure[0].payload["dropped"] == dropped


def test_working_off_less_than_half_is_no_new_edge(
    system: ActorSystem, pressure: list[Event]
) -> None:
    class Pauses(Keeper):
        """Handles as many as it is told to, and is paused again."""

        @on("work")
        def work(self, event: Event) -> None:
            super().work(event)
            if len(self.kept) in pauses:
                system.pause("keeper")

    kept: list[Any] = []
    pauses = {3, 9}
    system.spawn(lambda: Pauses(kept), name="keeper", mailbox=8)
    system.pause("keeper")
    system.wait_idle(5)

    def fill() -> None:
        while system.try_publish("work", {"n": 1}):
            pass
        hear(system)

    fill()
    assert len(pressure) == 1
    for handled, said in ((3, 1), (9, 2)):
        system.resume("keeper")
        while len(kept) < handled:
            hear(system)
        hear(system)
        fill()
        assert len(pressure) == said
    system.resume("keeper")
    system.wait_idle(20)


def test_an_agent_that_parks_on_another_raises_it_too(
    system: ActorSystem, pressure: list[Event]
) -> None:
    class Emits(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            for n in range(5):
                self.emit("work", {"n": n})

    paused(system, mailbox=2)
    system.spawn(Emits)
    system.publish("go")
    hear(system)
    assert [event.payload["agent"] for event in pressure] == ["keeper"]
    settle(system)


class Own(Agent):
    """Has a topic of its own, and room for one."""

    mailbox = 1

    @on("work.{name}")
    def work(self, event: Event) -> None: ...


def press(system: ActorSystem, *names: str) -> None:
    """Have each of these agents refuse something."""
    for name in names:
        system.spawn(Own, name=name)
        system.pause(name)
    hear(system)
    for name in names:
        assert system.try_publish(f"work.{name}")
        assert not system.try_publish(f"work.{name}")


def test_vital_signs_that_find_no_room_are_dropped_and_counted(system: ActorSystem) -> None:
    heard: list[Event] = []
    system.subscribe("agent.backpressure", heard.append, name="listener", mailbox=2)
    system.pause("listener")
    press(system, "a", "b", "c", "d", "e")
    view = system.inspect().agent("listener")
    assert (view.mailbox_size, view.dropped, view.overflowed) == (2, 3, 0)
    for name in ("listener", "a", "b", "c", "d", "e"):
        system.resume(name)
    system.wait_idle(20)
    assert [event.payload["agent"] for event in heard] == ["a", "b"]


@pytest.mark.parametrize("overflow", ["park", "drop_newest", "drop_oldest", "reject", "conflate"])
def test_it_is_never_about_itself(
    system: ActorSystem, pressure: list[Event], overflow: str
) -> None:
    """Whoever is too slow at hearing of backpressure drops it, and raises none."""
    heard: list[Event] = []
    system.subscribe(
        "agent.backpressure", heard.append, name="listener", mailbox=1, overflow=overflow
    )
    system.pause("listener")
    press(system, "a", "b", "c")
    hear(system)
    assert [event.payload["agent"] for event in pressure] == ["a", "b", "c"]
    view = system.inspect().agent("listener")
    assert (view.mailbox_size, view.dropped, view.overflowed) == (1, 2, 0)
    for name in ("listener", "a", "b", "c"):
        system.resume(name)
    system.wait_idle(20)
    assert [event.payload["agent"] for event in pressure] == ["a", "b", "c"]


# -- memory ---------------------------------------------------------------------------------------


class Slow(Agent):
    """Takes longer than whoever feeds it, and looks at the memory now and then."""

    mailbox = 100

    def __init__(self, look: Callable[[], None], every: int) -> None:
        super().__init__()
        self.look = look
        self.every = every
        self.handled = 0

    @on("work")
    def work(self, event: Event) -> None:
        sum(range(50))
        self.handled += 1
        if self.handled % self.every == 0:
            self.look()


class Source(Agent):
    """Feeds it from within, two thousand at a time."""

    @on("go")
    def go(self, event: Event) -> None:
        count = event.payload["count"]
        for n in range(min(count, 2_000)):
            self.emit("work", {"n": n, "text": f"number {n}"})
        if count > 2_000:
            self.emit("go", {"count": count - 2_000})


def feed(system: ActorSystem, how: str, count: int) -> None:
    if how == "agent":
        system.spawn(Source)
        system.publish("go", {"count": count})
    else:
        for n in range(count):
            system.publish("work", {"n": n, "text": f"number {n}"})
    system.wait_idle(600)


@pytest.mark.parametrize("how", ["outside", "agent"])
@pytest.mark.parametrize("overflow", ["park", "drop_oldest"])
def test_a_hundred_thousand_events_through_a_slow_agent_leave_memory_flat(
    mode: Mode, how: str, overflow: str
) -> None:
    blocks: list[int] = []

    def look() -> None:
        blocks.append(sys.getallocatedblocks())

    count = 100_000 if (mode, how, overflow) == ("threads", "outside", "park") else 20_000
    with ActorSystem(mode=mode, remember=100) as system:
        ref = system.spawn(partial(Slow, look, 100), overflow=overflow)
        gc.collect()
        feed(system, how, count)
        view = system.inspect().agent(ref.name)
        assert view.handled + view.dropped == count
        assert view.high_water <= 100
    # An event is some ten blocks. A hundred wait in the mailbox, two thousand in the outbox; what
    # is garbage is collected now and then.
    assert blocks
    assert max(blocks) - min(blocks) < 50_000


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("how", ["outside", "agent"])
def test_a_million_events_through_a_slow_agent_leave_memory_flat(mode: Mode, how: str) -> None:
    pages: list[int] = []

    def look() -> None:
        pages.append(int(Path("/proc/self/statm").read_text().split()[1]))

    with ActorSystem(mode=mode) as system:
        system.spawn(partial(Slow, look, 10_000))
        feed(system, how, 1_000_000)
    assert len(pages) == 100
    assert max(pages[10:]) - pages[10] < 4 << 8  # 4 MiB
