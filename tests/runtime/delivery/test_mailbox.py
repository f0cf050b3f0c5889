"""The mailbox: bounded and strict, whatever puts into it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, MailboxFull, on
from choreia.runtime.delivery.mailbox import CLOSED, HELD, OWNED, Mailbox

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import InThreads, Make

threads_only = pytest.mark.parametrize("mode", ["threads"])
memory_only = pytest.mark.parametrize("feed", ["memory"])


class Worker(Agent):
    """Handles events, answers asks, and holds still when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.handled: list[object] = []

    @on("work")
    def work(self, event: Event) -> None:
        self.handled.append(event.payload["n"])

    def on_receive(self, message: Any) -> Any:
        self.handled.append(message)
        return message


# -- the mailbox by itself ------------------------------------------------------------------------


class Owner:
    """Whose mailbox it is; notes that it was given a turn, and whether under the lock."""

    def __init__(self, capacity: int) -> None:
        self.turns: list[bool] = []
        self.box = Mailbox(capacity, self)

    def schedule(self, owner: object) -> None:
        assert owner is self
        self.turns.append(self.box.lock.locked())


def mailbox(capacity: int = 5, *items: str) -> Mailbox:
    box = Owner(capacity).box
    for item in items:
        box.push(item)
    return box


def test_an_empty_mailbox_keeps_no_queue() -> None:
    box = mailbox()
    assert box.items is None
    assert len(box) == 0
    assert not box.full


def test_the_first_item_of_an_idle_agent_schedules_it_under_the_lock_and_further_ones_do_not() -> (
    None
):
    owner = Owner(5)
    for item in "ab":
        with owner.box.lock:
            owner.box.push(item)
    assert owner.box.state == OWNED
    assert owner.turns == [True]


@pytest.mark.parametrize("state", [OWNED, HELD])
def test_an_agent_that_will_look_for_itself_is_not_scheduled(state: int) -> None:
    owner = Owner(5)
    owner.box.state = state
    owner.box.push("a")
    assert owner.box.state == state
    assert owner.turns == []


def test_high_water_is_the_most_that_ever_waited_at_once() -> None:
    box = mailbox(5, "a", "b", "c")
    assert box.items is not None
    box.items.popleft()
    box.items.popleft()
    box.push("d")
    assert (len(box), box.high_water, box.overflowed) == (2, 3, 0)


def test_every_item_above_capacity_is_counted_as_overflowed() -> None:
    box = mailbox(2, "a", "b", "c", "d")
    assert (box.high_water, box.overflowed) == (4, 2)
    assert box.items is not None
    box.items.popleft()
    box.push("e")  # again the fourth: no new high water, and an overflow all the same
    assert (box.high_water, box.overflowed) == (4, 3)


def test_it_is_full_at_capacity_or_while_others_wait_in_line() -> None:
    box = mailbox(2, "a")
    assert not box.full
    box.push("b")
    assert box.full
    assert box.items is not None
    box.items.popleft()
    assert not box.full
    box.waiting = deque(["somebody"])
    assert box.full


@pytest.mark.parametrize(("capacity", "low_water"), [(1, 0), (2, 1), (8, 7), (16, 14), (1000, 875)])
def test_room_is_given_away_in_eighths(capacity: int, low_water: int) -> None:
    assert mailbox(capacity).low_water == low_water


def test_a_closed_mailbox_hands_over_what_waited_and_is_full_for_ever() -> None:
    box = mailbox(3, "a", "b")
    assert box.close() == ["a", "b"]
    assert (box.state, len(box), box.full) == (CLOSED, 0, True)
    assert box.close() == []


# -- never above capacity -------------------------------------------------------------------------


@threads_only
@memory_only
@pytest.mark.parametrize("capacity", [1, 7, 64])
def test_eight_threads_fill_a_mailbox_that_nobody_empties_exactly(
    make: Make, in_threads: InThreads, capacity: int
) -> None:
    system = make()
    system.spawn(Worker, mailbox=capacity)
    system.pause("worker")
    system.wait_idle(5)
    got_in: list[bool] = []

    def put(number: int) -> None:
        got_in.extend(system.try_publish("work", {"n": n}) for n in range(200))

    in_threads(8, put)
    view = system.inspect().agent("worker")
    assert sum(got_in) == capacity
    assert (view.mailbox_size, view.high_water, view.overflowed) == (capacity, capacity, 0)


@threads_only
@memory_only
@pytest.mark.parametrize("overflow", ["park", "drop_newest", "drop_oldest", "reject", "conflate"])
@pytest.mark.parametrize("capacity", [1, 2, 16])
def test_eight_putting_threads_never_get_a_mailbox_above_its_capacity(
    make: Make, in_threads: InThreads, overflow: str, capacity: int
) -> None:
    system = make(workers=2)
    seen: list[int] = []

    class Looks(Worker):
        @on("work")
        def work(self, event: Event) -> None:
            seen.append(len(self.actor_ref._cell.mailbox))

    system.spawn(Looks, name="worker", mailbox=capacity, overflow=overflow)
    rejected = [0] * 8

    def put(number: int) -> None:
        for n in range(500):
            try:
                system.publish("work", {"n": n}, source=f"thread-{number}")
            except MailboxFull:
                rejected[number] += 1

    in_threads(8, put)
    system.wait_idle(10)
    view = system.inspect().agent("worker")
    assert max(seen) <= capacity
    assert view.high_water <= capacity
    assert view.overflowed == 0
    # Whatever became of an event, it is counted.
    assert view.handled + view.dropped + sum(rejected) == 8 * 500
    assert len(seen) == view.handled


@threads_only
@memory_only
@pytest.mark.parametrize("overflow", ["park", "drop_newest", "drop_oldest", "conflate"])
def test_asks_get_in_beyond_capacity_counted_and_events_do_not_follow_them(
    make: Make, overflow: str
) -> None:
    system = make()
    ref = system.spawn(Worker, mailbox=2, overflow=overflow)
    system.pause("worker")
    system.wait_idle(5)
    for n in range(2):
        system.publish("work", {"n": n}, source=f"source-{n}")
    replies = [ref.ask(n, block=False) for n in range(5)]
    view = system.inspect().agent("worker")
    assert (view.mailbox_size, view.high_water, view.overflowed) == (7, 7, 5)
    if overflow == "park":
        assert not system.try_publish("work", {"n": 3})
    elif overflow != "conflate":
        system.publish("work", {"n": 3})
        assert system.inspect().agent("worker").overflowed == 5
    system.resume("worker")
    assert [reply.get(timeout=5) for reply in replies] == list(range(5))


def test_stop_and_what_the_runtime_says_get_in_beyond_capacity(make: Make) -> None:
    system = make()
    heard: list[str] = []
    system.subscribe("agent.started", lambda e: heard.append(e.payload["agent"]), mailbox=1)
    subscription = next(a.name for a in system.inspect().agents if a.kind == "subscription")
    system.pause(subscription)
    ref = system.spawn(Worker, mailbox=1)
    for n in range(3):
        system.spawn(Worker, name=f"other-{n}")
    if system.inspect().agent(subscription).overflowed:  # memory: the mailbox is all there is
        assert system.inspect().agent(subscription).overflowed == 3
    system.resume(subscription)
    system.pause("worker")
    assert system.try_publish("work", {"n": 1})
    stopped = ref.stop(block=False)
    system.resume("worker")
    assert stopped.get(timeout=5)
    system.wait_idle(5)
    assert sorted(heard) == ["other-0", "other-1", "other-2", "worker"]


# -- one lane for all that pykka knows ------------------------------------------------------------


@memory_only
def test_events_tells_asks_and_stop_share_one_order(system: ActorSystem) -> None:
    worker: list[Worker] = []

    def create() -> Worker:
        worker.append(Worker())
        return worker[0]

    ref = system.spawn(create)
    system.pause("worker")
    system.wait_idle(5)
    system.publish("work", {"n": 1})
    ref.tell(2)
    three = ref.ask(3, block=False)
    system.publish("work", {"n": 4})
    stopped = ref.stop(block=False)
    late = ref.ask(5, block=False)
    system.resume("worker")
    assert three.get(timeout=5) == 3
    assert stopped.get(timeout=5) is True
    assert worker[0].handled == [1, 2, 3, 4]
    with pytest.raises(Exception, match="not found"):
        late.get(timeout=5)
