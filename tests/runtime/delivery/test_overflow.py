"""What happens to an event when the mailbox it is meant for is full."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, InvalidAgent, MailboxFull, on
from choreia.runtime.delivery.overflow import (
    POLICIES,
    ConflatingQueue,
    DroppingQueue,
    check_capacity,
    check_policy,
    queue_for,
)

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import FeedKind, InThreads, Make, Until


@pytest.fixture
def feed() -> FeedKind:
    """Only the memory feed has policies: a log keeps everything."""
    return "memory"


class Keeper(Agent):
    """Keeps what it handled; ``Keeper.of(list)`` keeps it where the test can see it."""

    def __init__(self, kept: list[Any]) -> None:
        super().__init__()
        self.kept = kept

    @on("work.#")
    def work(self, event: Event) -> None:
        self.kept.append(event.payload["n"])

    def on_receive(self, message: Any) -> Any:
        self.kept.append(message)
        return message


def paused(system: ActorSystem, **options: Any) -> list[Any]:
    """A paused `Keeper`, named ``keeper``; what it will keep."""
    kept: list[Any] = []
    system.spawn(lambda: Keeper(kept), name="keeper", **options)
    system.pause("keeper")
    system.wait_idle(5)
    return kept


def publish(system: ActorSystem, *numbers: int, topic: str = "work") -> None:
    for n in numbers:
        system.publish(topic, {"n": n}, source=f"source-{n}")


def finish(system: ActorSystem) -> None:
    system.resume("keeper")
    system.wait_idle(5)


# -- each policy ----------------------------------------------------------------------------------


def test_drop_newest_keeps_what_came_first(system: ActorSystem) -> None:
    kept = paused(system, mailbox=3, overflow="drop_newest")
    publish(system, *range(10))
    assert system.inspect().agent("keeper").dropped == 7
    finish(system)
    assert kept == [0, 1, 2]


def test_drop_oldest_keeps_what_came_last(system: ActorSystem) -> None:
    kept = paused(system, mailbox=3, overflow="drop_oldest")
    publish(system, *range(10))
    assert system.inspect().agent("keeper").dropped == 7
    finish(system)
    assert kept == [7, 8, 9]


def test_drop_oldest_drops_tells_too_but_no_ask_and_no_stop(system: ActorSystem) -> None:
    kept = paused(system, mailbox=2, overflow="drop_oldest")
    ref = system.ref("keeper")
    asked = ref.ask("asked", block=False)
    ref.tell("told")
    publish(system, 1, 2)
    stopped = ref.stop(block=False)
    publish(system, 3)
    assert system.inspect().agent("keeper").dropped == 4  # told, 1, 2, and 3 itself
    system.resume("keeper")
    assert asked.get(timeout=5) == "asked"
    assert stopped.get(timeout=5)
    assert kept == ["asked"]


def test_a_full_mailbox_of_asks_drops_the_newest_instead(system: ActorSystem) -> None:
    kept = paused(system, mailbox=2, overflow="drop_oldest")
    asked = [system.ref("keeper").ask(n, block=False) for n in "ab"]
    publish(system, 1)
    assert system.inspect().agent("keeper").dropped == 1
    system.resume("keeper")
    assert [reply.get(timeout=5) for reply in asked] == ["a", "b"]
    assert kept == ["a", "b"]


def test_reject_fails_an_outside_publish_at_once(system: ActorSystem) -> None:
    kept = paused(system, mailbox=2, overflow="reject")
    publish(system, 1, 2)
    with pytest.raises(MailboxFull, match="'keeper' is full") as caught:
        publish(system, 3)
    assert (caught.value.agent, caught.value.capacity) == ("keeper", 2)
    assert system.try_publish("work", {"n": 4}) is False
    with pytest.raises(MailboxFull):
        system.ref("keeper").tell("told")
    finish(system)
    assert kept == [1, 2]


@pytest.mark.parametrize("say", ["emit", "emit_now"])
def test_reject_makes_a_dead_letter_of_an_agents_emission(
    system: ActorSystem, until: Until, say: str
) -> None:
    class Speaker(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            getattr(self, say)("work", {"n": 2})
            getattr(self, say)("other", {})

    kept = paused(system, mailbox=1, overflow="reject")
    heard: list[Event] = []
    system.subscribe("other", heard.append)
    system.spawn(Speaker)
    publish(system, 1)
    system.publish("go")
    until(system, lambda: heard)
    assert system.inspect().agent("speaker").failed == 0
    [letter] = system.dead_letters()
    assert (letter.agent, letter.reason, letter.attempts) == ("keeper", "rejected", 0)
    assert letter.event is not None
    assert letter.event.payload == {"n": 2}
    finish(system)
    assert kept == [1]


def test_park_blocks_an_outside_publisher_until_its_time_is_out(system: ActorSystem) -> None:
    kept = paused(system, mailbox=1)
    publish(system, 1)
    with pytest.raises(MailboxFull, match="found no room in time"):
        system.publish("work", {"n": 2}, timeout=0.01)
    finish(system)
    assert kept == [1]
    assert system.inspect().agent("keeper").dropped == 0


# -- conflate -------------------------------------------------------------------------------------


def test_conflate_keeps_the_newest_of_each_type_and_source_in_the_older_ones_place(
    system: ActorSystem,
) -> None:
    kept = paused(system, mailbox=10, overflow="conflate")
    for n, (topic, source) in enumerate(
        [("work.a", "x"), ("work.b", "x"), ("work.a", "y"), ("work.a", "x"), ("work.b", "x")]
    ):
        system.publish(topic, {"n": n}, source=source)
    view = system.inspect().agent("keeper")
    assert (view.mailbox_size, view.dropped) == (3, 2)
    finish(system)
    assert kept == [3, 4, 2]


def test_conflate_with_a_key_of_ones_own(system: ActorSystem) -> None:
    kept = paused(
        system, mailbox=10, overflow="conflate", conflate_key=lambda event: event.payload["n"] % 2
    )
    publish(system, 1, 2, 3, 4, 5)
    finish(system)
    assert kept == [5, 4]


def test_conflate_takes_a_known_key_into_a_full_mailbox_and_parks_a_new_one(
    system: ActorSystem,
) -> None:
    kept = paused(system, mailbox=1, overflow="conflate")
    system.publish("work", {"n": 1}, source="x")
    system.publish("work", {"n": 2}, source="x")
    assert system.try_publish("work", {"n": 3}, source="y") is False
    finish(system)
    assert kept == [2]


@pytest.mark.parametrize(
    "key",
    [lambda event: event.payload["missing"], lambda event: [], lambda event: 1 / 0],
    ids=["KeyError", "unhashable", "ZeroDivisionError"],
)
def test_a_conflate_key_that_raises_hurts_nobody_and_counts_for_none(
    system: ActorSystem, key: Callable[[Event], object]
) -> None:
    kept = paused(system, mailbox=10, overflow="conflate", conflate_key=key)
    for n in range(3):
        system.publish("work", {"n": n}, source="x")
    system.publish("work", {"n": 3}, source="y")
    finish(system)
    assert kept == [2, 3]  # by type and source


def test_messages_are_never_conflated(system: ActorSystem) -> None:
    kept = paused(system, mailbox=10, overflow="conflate")
    ref = system.ref("keeper")
    ref.tell("same")
    ref.tell("same")
    replies = [ref.ask("same", block=False) for _ in range(2)]
    finish(system)
    assert kept == ["same"] * 4
    assert [reply.get(timeout=5) for reply in replies] == ["same", "same"]


def test_what_conflates_while_its_sender_waited_in_line_is_counted_too(
    system: ActorSystem, until: Until
) -> None:
    class Speaker(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            self.emit("work.go", {"n": event.payload["n"]})

    kept = paused(system, mailbox=2, overflow="conflate", conflate_key=lambda event: event.type)
    publish(system, 0, topic="work.x")
    publish(system, 1, topic="work.y")
    for n in range(2):
        system.spawn(Speaker, name=f"speaker-{n}")
    system.publish("go", {"n": 2})
    until(system, lambda: system.inspect().agent("keeper").parked == 2)
    finish(system)
    view = system.inspect().agent("keeper")
    assert view.handled + view.dropped == 4
    assert len(kept) == view.handled


# -- counted, and announced -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["threads"])
@pytest.mark.parametrize("overflow", ["drop_newest", "drop_oldest", "conflate"])
@pytest.mark.parametrize("capacity", [1, 3])
def test_with_asks_among_the_events_every_one_is_handled_or_counted(
    make: Make, in_threads: InThreads, overflow: str, capacity: int
) -> None:
    """Senders and the agent take from the same queue at the same time."""
    system = make()
    kept: list[Any] = []
    ref = system.spawn(lambda: Keeper(kept), name="keeper", mailbox=capacity, overflow=overflow)

    def send(number: int) -> None:
        for n in range(400):
            if number == 0:
                assert ref.ask(f"ask-{n}", timeout=20) == f"ask-{n}"
            else:
                system.publish("work", {"n": n}, source=f"thread-{number}")

    in_threads(6, send)
    system.wait_idle(10)
    view = system.inspect().agent("keeper")
    assert view.handled == len(kept)
    assert view.handled + view.dropped == 6 * 400
    assert [n for n in kept if isinstance(n, str)] == [f"ask-{n}" for n in range(400)]


def test_no_policy_drops_anything_while_there_is_room(system: ActorSystem) -> None:
    for number, policy in enumerate(POLICIES):
        kept: list[Any] = []
        system.spawn(partial(Keeper, kept), name=f"keeper-{number}", mailbox=5, overflow=policy)
    publish(system, *range(5))
    system.wait_idle(5)
    for number in range(len(POLICIES)):
        view = system.inspect().agent(f"keeper-{number}")
        assert (view.handled, view.dropped, view.overflowed) == (5, 0, 0)


# -- the parts ------------------------------------------------------------------------------------


def test_unknown_policies_are_refused_with_the_list_of_them() -> None:
    with pytest.raises(InvalidAgent, match="park, drop_newest, drop_oldest, reject, conflate"):
        check_policy("drop")
    assert [check_policy(policy) for policy in POLICIES] == list(POLICIES)


@pytest.mark.parametrize("capacity", [0, -1, 1.0, "5", None, True])
def test_what_is_no_capacity_is_refused(capacity: object) -> None:
    with pytest.raises(InvalidAgent, match="a whole number of items, 1 or more"):
        check_capacity(capacity)


def test_only_two_policies_need_a_queue_of_their_own() -> None:
    lock = threading.Lock()
    kinds = {policy: type(queue_for(policy, None, lock)) for policy in POLICIES}
    assert kinds == {
        "park": type(None),
        "drop_newest": type(None),
        "drop_oldest": DroppingQueue,
        "reject": type(None),
        "conflate": ConflatingQueue,
    }


def test_taking_from_an_empty_queue_raises_what_a_deque_raises() -> None:
    for queue in (DroppingQueue(threading.Lock()), ConflatingQueue(None, threading.Lock())):
        with pytest.raises(IndexError):
            queue.popleft()


def test_a_conflating_queue_keeps_its_order() -> None:
    queue = ConflatingQueue(lambda event: event.type, threading.Lock())
    first, other, newer = (Event(type=t, source="s") for t in ("a", "b", "a"))
    assert not queue.append(first)
    assert not queue.append(other)
    assert queue.has_place_for(newer)
    assert queue.append(newer)
    assert list(queue) == [newer, other]
    assert len(queue) == 2
    assert [queue.popleft(), queue.popleft()] == [newer, other]
    assert not queue.has_place_for(newer)
    assert not queue.replace(newer)
    queue.append(first)
    queue.clear()
    assert not len(queue)


def test_a_sender_that_drops_and_the_agent_that_takes_take_turns() -> None:
    """While a sender holds the mailbox's lock to drop something, nothing can be taken."""
    lock = threading.Lock()
    for queue in (DroppingQueue(lock), ConflatingQueue(None, lock)):
        queue.append(Event(type="a", source="s"))
        taken: list[object] = []
        with lock:
            thread = threading.Thread(target=lambda q=queue, t=taken: t.append(q.popleft()))
            thread.start()
            thread.join(0.05)
            assert len(queue) == 1
        thread.join()
        assert len(taken) == 1
