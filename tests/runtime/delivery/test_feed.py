"""The feed's contract, as both feeds keep it: order, exactly once, verdicts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, on
from choreia.runtime.delivery.feed import FULL, GONE, REJECTED, TAKEN
from choreia.runtime.delivery.mailbox import HELD
from choreia.runtime.durable.feed import LogFeed
from choreia.runtime.durable.journal import unit_of
from choreia.runtime.stores.unit import Committed

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import InThreads, Make, Until

memory_only = pytest.mark.parametrize("feed", ["memory"])


class Keeper(Agent):
    def __init__(self, kept: list[Any]) -> None:
        super().__init__()
        self.kept = kept

    @on("work")
    def work(self, event: Event) -> None:
        self.kept.append(event.payload["n"])

    def on_receive(self, message: Any) -> Any:
        self.kept.append(message)
        return message


class Sleepy(Keeper):
    """Never does a thing: for looking at its mailbox."""


def sleepy(system: ActorSystem, **options: Any) -> Any:
    """The cell of a paused agent, fully at rest."""
    system.spawn(lambda: Sleepy([]), name="sleepy", **options)
    system.pause("sleepy")
    system.wait_idle(5)
    cell = system._roster.cell("sleepy")
    assert cell.mailbox.state == HELD
    return cell


# -- both feeds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("capacity", [1, 2, 3, 4, 1000])
def test_everything_is_delivered_once_and_in_order(system: ActorSystem, capacity: int) -> None:
    kept: list[list[Any]] = [[], []]
    for number in range(2):
        system.spawn(partial(Keeper, kept[number]), name=f"keeper-{number}", mailbox=capacity)
    for n in range(2_000):
        system.publish("work", {"n": n})
    system.wait_idle(20)
    assert kept == [list(range(2_000))] * 2


@pytest.mark.parametrize("mode", ["threads"])
@pytest.mark.parametrize("capacity", [1, 2, 3, 4])
@pytest.mark.parametrize("workers", [1, 2])
def test_many_threads_publish_to_slow_fast_and_paused_agents(
    make: Make, in_threads: InThreads, capacity: int, workers: int
) -> None:
    system = make(workers=workers)
    kept: list[list[Any]] = [[], [], []]
    for number in range(3):
        system.spawn(
            partial(Keeper, kept[number]),
            name=f"keeper-{number}",
            mailbox=capacity if number else 10_000,
        )

    def run(number: int) -> None:
        if number == 6:
            for _ in range(50):
                system.pause("keeper-1")
                system.resume("keeper-1")
            return
        for n in range(100):
            system.publish("work", {"n": (number, n)})

    in_threads(7, run)
    system.wait_idle(20)
    for got in kept:
        assert len(got) == 6 * 100
        for number in range(6):
            assert [n for source, n in got if source == number] == list(range(100))
    # All of them saw one order, where there is one.
    if type(system._engine.bus).__name__ == "LogBus":
        assert kept[0] == kept[1] == kept[2]


def test_a_paused_agent_gets_all_of_it_when_it_is_resumed(
    make: Make, feed: str, until: Until
) -> None:
    system = make()
    kept: list[Any] = []
    system.spawn(partial(Keeper, kept), name="keeper", mailbox=4)
    system.pause("keeper")
    system.wait_idle(5)
    count = 4 if feed == "memory" else 3_000
    for n in range(count):
        assert system.try_publish("work", {"n": n})
    view = system.inspect().agent("keeper")
    assert (view.mailbox_size, view.overflowed, kept) == (4, 0, [])
    system.resume("keeper")
    system.wait_idle(20)
    assert kept == list(range(count))
    assert system.inspect().agent("keeper").high_water == 4


def test_pausing_in_the_middle_keeps_order(system: ActorSystem) -> None:
    kept: list[Any] = []

    class Pauses(Keeper):
        @on("work")
        def work(self, event: Event) -> None:
            super().work(event)
            if event.payload["n"] % 7 == 0:
                system.pause("keeper")
                self.after(0, "wake", key="wake")

    class Wakes(Agent):
        @on("wake")
        def wake(self, event: Event) -> None:
            system.resume("keeper")

    system.spawn(lambda: Pauses(kept), name="keeper", mailbox=100)
    system.spawn(Wakes)
    for n in range(50):
        system.publish("work", {"n": n})
    system.wait_idle(20)
    assert kept == list(range(50))


def test_an_offer_to_an_agent_that_is_gone_is_gone(system: ActorSystem) -> None:
    cell = sleepy(system)
    system.kill("sleepy")
    system.wait_idle(5)
    for item in (Event(type="work", source="test"), ("told",)):
        assert cell.feed.offer(item) == GONE
        assert cell.feed.force(item) == GONE
        with cell.mailbox.lock:
            assert cell.feed.would(item) == GONE
    assert len(cell.mailbox) == 0


@pytest.mark.parametrize("capacity", [1, 3])
def test_told_messages_need_room_like_events(system: ActorSystem, capacity: int) -> None:
    cell = sleepy(system, mailbox=capacity)
    assert [cell.feed.offer((n,)) for n in range(capacity)] == [TAKEN] * capacity
    assert cell.feed.offer(("late",)) == FULL
    assert cell.feed.force(("asked",)) == TAKEN
    assert (len(cell.mailbox), cell.mailbox.overflowed) == (capacity + 1, 1)


# -- memory ---------------------------------------------------------------------------------------


@memory_only
@pytest.mark.parametrize(
    ("overflow", "verdict"),
    [
        ("park", FULL),
        ("drop_newest", TAKEN),
        ("drop_oldest", TAKEN),
        ("reject", REJECTED),
        ("conflate", FULL),
    ],
)
def test_what_a_full_mailbox_says(system: ActorSystem, overflow: str, verdict: int) -> None:
    cell = sleepy(system, mailbox=1, overflow=overflow)
    first, second = (Event(type="work", source=source) for source in "ab")
    assert cell.feed.offer(first) == TAKEN
    with cell.mailbox.lock:
        assert cell.feed.would(second) == verdict
    assert cell.feed.offer(second) == verdict
    assert len(cell.mailbox) == 1
    assert not cell.feed.lagging()


# -- races, step by step --------------------------------------------------------------------------


class Watched(deque[object]):
    """A queue that lets somebody take from it in the very moment its length has been read."""

    def __init__(self) -> None:
        super().__init__()
        self.after_len: list[Callable[[], None]] = []

    def __len__(self) -> int:
        length = super().__len__()
        if self.after_len:
            self.after_len.pop(0)()
        return length


@pytest.mark.parametrize("steps", range(1, 5))
def test_a_taker_that_empties_the_mailbox_while_it_is_found_full_is_not_missed(
    make: Make, feed: str, steps: int
) -> None:
    """A sender reads that the mailbox is full; just then the agent takes the last item, and has
    looked for waiting senders a moment too early."""
    system = make()
    kept: list[Any] = []
    system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)
    system.pause("keeper")
    system.wait_idle(5)
    cell = system._roster.cell("keeper")
    box, its_feed = cell.mailbox, cell.feed
    queue: Any = Watched()
    box.items = queue
    first: Any = Event(type="work", source="a", payload={"n": 0})
    if feed == "log":
        assert isinstance(its_feed, LogFeed)
        bus = its_feed._bus
        [outcome] = bus.store.commit([unit_of([first])], 0)
        assert isinstance(outcome, Committed)
        [first] = outcome.recorded
        its_feed.fetched = bus.routed = first.position
    queue.append(first)

    def take() -> None:
        if not box.attention:
            item = queue.popleft()
            kept.append(getattr(item, "event", item).payload["n"])

    queue.after_len = [lambda: None] * (steps - 1) + [take]
    published = system.try_publish("work", {"n": 1})
    queue.after_len = []
    system.resume("keeper")
    system.wait_idle(5)
    assert kept == ([0, 1] if published else [0])
    assert not its_feed.lagging()
    assert system.try_publish("work", {"n": 2})
    system.wait_idle(5)
    assert kept[-1] == 2
