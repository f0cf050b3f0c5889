"""The log feed: a mailbox is a window on the log, and whoever is slow lags and parks nobody."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, on
from choreia.runtime.delivery.logfeed import READ, ListLog, LogFeed, Recorded
from choreia.runtime.delivery.mailbox import Mailbox

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import FeedKind, InThreads, Make, Until

threads_only = pytest.mark.parametrize("mode", ["threads"])


@pytest.fixture
def feed() -> FeedKind:
    return "log"


class Keeper(Agent):
    def __init__(self, kept: list[Any]) -> None:
        super().__init__()
        self.kept = kept

    @on("work", filter={"payload.n": {"$gte": 0}})
    def work(self, event: Event) -> None:
        self.kept.append(event.payload["n"])

    def on_receive(self, message: Any) -> Any:
        self.kept.append(message)
        return message


def keeper(system: ActorSystem, **options: Any) -> tuple[list[Any], LogFeed]:
    """A paused `Keeper`; what it keeps, and its feed."""
    kept: list[Any] = []
    system.spawn(partial(Keeper, kept), name="keeper", **options)
    system.pause("keeper")
    system.wait_idle(5)
    feed = system._roster.cell("keeper").feed
    assert isinstance(feed, LogFeed)
    return kept, feed


def finish(system: ActorSystem) -> None:
    system.resume("keeper")
    system.wait_idle(20)


# -- the log --------------------------------------------------------------------------------------


def test_positions_count_from_one_without_gaps() -> None:
    log = ListLog()
    assert log.head == 0
    events = [Event(type="work", source="test", payload={"n": n}) for n in range(5)]
    assert [log.append(event) for event in events] == [
        Recorded(position, event) for position, event in enumerate(events, start=1)
    ]
    assert log.head == 5
    assert log.read(0, 2) == [Recorded(1, events[0]), Recorded(2, events[1])]
    assert log.read(3, 100) == [Recorded(4, events[3]), Recorded(5, events[4])]
    assert log.read(5, 100) == []


def test_everything_that_is_said_is_in_the_log_once_and_vital_signs_are_not() -> None:
    log = ListLog()
    with ActorSystem(mode="simulated", log=log) as system:
        system.spawn(partial(Keeper, []), name="keeper", mailbox=1)
        heard: list[Event] = []
        system.subscribe("agent.backpressure", heard.append)
        for n in range(10):
            system.publish("work", {"n": n})
        system.wait_idle(5)
    types = [event.type for event in log.events]
    assert types.count("work") == 10
    assert types.count("agent.online") == 1
    assert len({event.id for event in log.events}) == len(log.events)
    assert heard
    assert "agent.backpressure" not in types


# -- lagging and refilling ------------------------------------------------------------------------


@pytest.mark.parametrize("capacity", [1, 2, 3, 4])
def test_a_slow_agent_lags_and_costs_no_more_than_its_window(
    system: ActorSystem, capacity: int
) -> None:
    kept, feed = keeper(system, mailbox=capacity)
    for n in range(capacity):
        system.publish("work", {"n": n})
    assert not feed.lagging()
    for n in range(capacity, 2_000):
        system.publish("work", {"n": n})
    assert feed.lagging()
    assert len(feed.mailbox) == capacity
    finish(system)
    assert not feed.lagging()
    assert kept == list(range(2_000))
    assert feed.mailbox.high_water == capacity
    assert feed.mailbox.overflowed == feed.mailbox.dropped == 0


@pytest.mark.parametrize("others", [0, 1, READ - 1, READ, READ + 1, 3 * READ])
def test_refilling_reads_past_what_is_for_others(system: ActorSystem, others: int) -> None:
    kept, _ = keeper(system, mailbox=2)
    for n in range(5):
        system.publish("work", {"n": n})
        for _ in range(others):
            system.publish("work", {"n": -1})  # the filter lets it not through
    finish(system)
    assert kept == list(range(5))
    system.publish("work", {"n": 5})
    system.wait_idle(5)
    assert kept == list(range(6))


def test_the_mailbox_is_refilled_when_half_of_it_is_worked_off(system: ActorSystem) -> None:
    sizes: list[int] = []
    window: list[Mailbox] = []

    class Looks(Keeper):
        @on("work", filter={"payload.n": {"$gte": 0}})
        def work(self, event: Event) -> None:
            sizes.append(len(window[0]))

    system.spawn(lambda: Looks([]), name="keeper", mailbox=8)
    system.pause("keeper")
    system.wait_idle(5)
    window.append(system._roster.cell("keeper").mailbox)
    for n in range(20):
        system.publish("work", {"n": n})
    finish(system)
    # Taken: 7, 6, 5 are left; at half of it, full again: 8.
    assert sizes[:8] == [7, 6, 5, 8, 7, 6, 5, 8]
    assert sizes[-1] == 0


def test_the_cursor_follows_what_is_handled_and_the_window_what_is_fetched(
    system: ActorSystem,
) -> None:
    _, feed = keeper(system, mailbox=2)
    before = feed.cursor
    for n in range(4):
        system.publish("work", {"n": n})
    assert (feed.cursor, len(feed.mailbox)) == (before, 2)
    positions = [r.position for r in list(feed.mailbox.items or ()) if isinstance(r, Recorded)]
    assert feed.fetched == positions[-1]
    finish(system)
    last = max(r.position for r in feed._bus.log.read(0, 100) if r.event.type == "work")
    assert feed.cursor == last > positions[-1]
    assert feed.fetched >= last


def test_a_dead_letter_is_done_with_too(system: ActorSystem) -> None:
    class Fails(Agent):
        @on("work")
        def work(self, event: Event) -> None:
            raise ValueError

    system.spawn(Fails, name="keeper", mailbox=1)
    feed = system._roster.cell("keeper").feed
    assert isinstance(feed, LogFeed)
    system.publish("work", {"n": 1})
    system.wait_idle(20)
    assert [letter.agent for letter in system.dead_letters()] == ["keeper"]
    assert feed.cursor == feed.fetched


def test_a_new_agent_starts_at_the_head(system: ActorSystem) -> None:
    for n in range(5):
        system.publish("work", {"n": n})
    kept, _ = keeper(system, mailbox=1)
    for n in range(5, 8):
        system.publish("work", {"n": n})
    finish(system)
    assert kept == [5, 6, 7]


def test_lagging_is_in_flight_and_is_said_to_be(system: ActorSystem) -> None:
    keeper(system, mailbox=1)
    for n in range(3):
        system.publish("work", {"n": n})
    with pytest.raises(TimeoutError, match=r"keeper: paused, 1 queued, lagging"):
        system.wait_idle(0.01)
    finish(system)


def test_an_agent_that_lags_raises_backpressure_once(system: ActorSystem) -> None:
    heard: list[Event] = []
    system.subscribe("agent.backpressure", heard.append)
    keeper(system, mailbox=4)
    for n in range(100):
        system.publish("work", {"n": n})
    finish(system)
    system.wait_idle(5)
    payload = heard[0].payload
    assert (payload["agent"], payload["capacity"]) == ("keeper", 4)
    assert (payload["policy"], payload["dropped"]) == ("park", 0)
    assert len(heard) < 100 / 2  # at most once for each time half of it was worked off


# -- messages -------------------------------------------------------------------------------------


def test_told_messages_and_events_share_the_mailbox_and_neither_starves(
    system: ActorSystem, until: Until
) -> None:
    """A teller that never stops, and a log that never ends."""
    kept, feed = keeper(system, mailbox=2)
    ref = system.ref("keeper")
    for n in range(100):
        system.publish("work", {"n": n})

    class Tells(Agent):
        @on("tell")
        def tell(self, event: Event) -> None:
            for n in range(100):
                ref.tell(f"told-{n}")

    for number in range(3):
        system.spawn(Tells, name=f"tells-{number}")
    system.publish("tell")
    until(system, lambda: feed.mailbox.waiting and len(feed.mailbox.waiting) == 3)
    finish(system)
    assert [n for n in kept if isinstance(n, int)] == list(range(100))
    told = [n for n in kept if isinstance(n, str)]
    assert sorted(told) == sorted([f"told-{n}" for n in range(100)] * 3)
    assert feed.mailbox.high_water == 2
    # Neither had to wait until the other was through.
    first_told, last_event = kept.index("told-0"), kept.index(99)
    assert first_told < 20
    assert last_event < len(kept) - 20


@threads_only
@pytest.mark.parametrize("capacity", [1, 2, 4])
def test_tellers_that_give_up_and_publishers_race_and_nothing_is_lost(
    make: Make, in_threads: InThreads, capacity: int
) -> None:
    system = make(workers=2)
    kept: list[Any] = []
    ref = system.spawn(partial(Keeper, kept), name="keeper", mailbox=capacity)
    told: list[Any] = []

    def run(number: int) -> None:
        for n in range(150):
            if number < 3:
                ref.tell((number, n))
                told.append((number, n))
            elif number == 3:
                assert ref.ask((number, n), timeout=20) == (number, n)
                told.append((number, n))
            else:
                system.publish("work", {"n": 1_000 * number + n})

    in_threads(7, run)
    system.wait_idle(20)
    assert sorted(n for n in kept if isinstance(n, tuple)) == sorted(told)
    for number in (4, 5, 6):
        mine = [n % 1_000 for n in kept if isinstance(n, int) and n // 1_000 == number]
        assert mine == list(range(150))


@threads_only
def test_a_publisher_is_never_blocked_by_a_slow_agent(make: Make) -> None:
    system = make()
    keeper(system, mailbox=1)
    done = threading.Event()

    def publish() -> None:
        for n in range(500):
            assert system.try_publish("work", {"n": n})
            system.publish("work", {"n": n}, timeout=0)
        done.set()

    thread = threading.Thread(target=publish)
    thread.start()
    assert done.wait(20)
    thread.join()


def test_an_agents_end_lets_go_of_its_window_and_the_log_keeps_it(system: ActorSystem) -> None:
    kept, feed = keeper(system, mailbox=2)
    for n in range(5):
        system.publish("work", {"n": n})
    system.kill("keeper")
    system.wait_idle(5)
    assert kept == []
    assert not [letter for letter in system.dead_letters() if letter.agent == "keeper"]
    log = feed._bus.log
    assert sum(r.event.type == "work" for r in log.read(0, 1_000)) == 5
