"""What is done above a family's mark is not done again, whatever ended the process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from choreia import (
    ActorSystem,
    Agent,
    Event,
    EventSourcedAgent,
    GiveUp,
    MailboxFull,
    MemoryStore,
    Retry,
    applies,
    on,
)
from choreia.runtime.durable.members.feeds import WINDOW

handled: list[tuple[str, int]] = []
dead: list[ActorSystem] = []


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    handled.clear()
    yield
    for system in dead:
        system._engine.clock.stop()
        system._dispatcher.stop(5)
    dead.clear()


class Slow(Agent):
    retry = Retry(attempts=3, delay=1000)

    @on("said")
    def hear(self, event: Event) -> None:
        payload = event.payload
        if payload["user"] == "bad" and len(dead) == 0:
            raise RuntimeError("not in this life")
        handled.append((payload["user"], payload["n"]))


KINDS: list[dict[str, Any]] = [{"key": "payload.user"}, {"group": "slow", "count": 2}]


def started(store: MemoryStore, **options: Any) -> ActorSystem:
    system = ActorSystem(mode="simulated", store=store)
    system.spawn(Slow, **options)
    return system


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("crash", [True, False])
def test_what_was_done_out_of_order_is_done_once(options: dict[str, Any], crash: bool) -> None:
    store = MemoryStore()
    system = started(store, **options)
    system.publish("said", {"user": "bad", "n": 0})
    for n in range(1, 40):
        system.publish("said", {"user": f"u{n % 3}", "n": n})
    system.advance(1)
    assert sorted(n for _, n in handled) == list(range(1, 40)), "one that backs off holds up nobody"
    [cursor] = store.cursors()
    above = [one.position for one in store.completed("slow")]
    assert cursor.position < min(above)
    assert len(above) >= 38
    if crash:
        store.crash()
    else:
        system.stop(drain=False)
    dead.append(system)
    system = started(store, **options)
    system.advance(1)
    system.wait_idle()
    assert sorted(n for _, n in handled) == list(range(40))
    assert store.completed() == [], "at once, and not with the next event"
    system.stop()
    assert store.cursors()[0].position == store.head or store.cursors()[0].position >= max(above)


def test_the_group_goes_on_where_its_mark_is_though_it_is_of_another_size() -> None:
    store = MemoryStore()
    system = started(store, group="slow", count=4)
    for n in range(10):
        system.publish("said", {"user": "u", "n": n})
    system.stop(drain=False)
    system = started(store, group="slow", count=1)
    system.wait_idle()
    assert sorted(n for _, n in handled) == list(range(10))
    system.stop()


def test_a_key_that_cannot_go_on_holds_up_no_other_however_far_it_lags() -> None:
    store = MemoryStore()
    system = started(store, key="payload.user", mailbox=10)
    for n in range(WINDOW + 1_000):
        system.publish("said", {"user": "bad", "n": n})
    for n in range(50):
        system.publish("said", {"user": f"u{n % 5}", "n": n})
    system.advance(1)
    assert len(handled) == 50
    assert system.inspect().agent("slow:bad").mailbox_size <= 10
    dead.append(system)
    system.advance(2000)
    system.wait_idle()
    assert [n for user, n in handled if user == "bad"] == list(range(WINDOW + 1_000))
    system.stop()


def test_many_keys_are_dealt_no_faster_than_they_are_done() -> None:
    """The front waits for its members: what it has not dealt stays in the log."""
    store = MemoryStore()
    system = started(store, key="payload.user")
    system.wait_idle()
    for n in range(WINDOW + 2_000):
        system.publish("said", {"user": f"u{n}", "n": n})
    awake = len(system.inspect().agents)
    assert awake < WINDOW + 1_000
    system.wait_idle()
    assert len(handled) == WINDOW + 2_000
    system.stop()


@pytest.mark.parametrize("options", KINDS)
def test_from_the_beginning(options: dict[str, Any]) -> None:
    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store) as system:
        for n in range(20):
            system.publish("said", {"user": f"u{n % 3}", "n": n})
    with started(store, start="beginning", **options):
        pass
    assert sorted(n for _, n in handled) == list(range(20))


@pytest.mark.parametrize("options", KINDS)
def test_who_is_not_durable_hears_what_happens_while_it_is_there(options: dict[str, Any]) -> None:
    store = MemoryStore()
    for life in range(2):
        with started(store, durable=False, **options) as system:
            for n in range(10):
                system.publish("said", {"user": f"u{n % 3}", "n": 10 * life + n})
        with ActorSystem(mode="simulated", store=store) as system:
            system.publish("said", {"user": "nobody", "n": -1})
    assert sorted(n for _, n in handled) == list(range(20))
    assert "slow" not in {cursor.agent for cursor in store.cursors()}
    assert store.completed() == []


@attrs.frozen
class Sum:
    total: int = 0

    @applies("added")
    def added(self, event: Event) -> Sum:
        return Sum(self.total + event.payload["n"])


class Adder(EventSourcedAgent[Sum]):
    key = "payload.user"
    snapshot_every = 10

    @on("add")
    def add(self, event: Event) -> None:
        self.emit("added", {"n": event.payload["n"]})


def test_a_member_begins_from_its_snapshot(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    for life in range(3):
        with ActorSystem(mode="simulated", store=store) as system:
            system.spawn(Adder)
            for n in range(60):
                system.publish("add", {"user": f"u{n % 2}", "n": n})
            system.wait_idle()
            cell = system._roster.cell("adder:u1")
            system.wait_idle()
            fold: Any = cell.turn.fold
            assert fold.kept.total == (life + 1) * sum(range(1, 60, 2))
    kept = store.snapshot("did:choreia:local:adder:u1")
    assert kept is not None
    assert kept.position > 100


def test_the_lag_of_a_family_holds_up_publishers() -> None:
    for options in KINDS:
        dead.clear()
        with started(MemoryStore(), max_lag=5, **options) as system:
            for n in range(5):
                system.publish("said", {"user": "bad", "n": n})
            with pytest.raises(MailboxFull, match="max_lag=5"):
                system.publish("said", {"user": "x", "n": 9}, timeout=0)
            dead.append(system)
            system.advance(2_000)
            system.publish("said", {"user": "x", "n": 10}, timeout=0)
            dead.clear()


def test_what_a_killed_instance_had_not_fetched_is_for_the_next_one_in_order() -> None:
    store = MemoryStore()
    system = started(store, key="payload.user", mailbox=2)
    for n in range(20):
        system.publish("said", {"user": "bad", "n": n})
    system.advance(1)  # it backs off over the first, has two more, and lags
    system.kill("slow:bad")
    dead.append(system)  # the next one can do it
    system.advance(1)
    assert len(handled) >= 16, "though nobody says anything to it"
    system.publish("said", {"user": "bad", "n": 20})
    system.wait_idle()
    buried = sorted(letter.event.payload["n"] for letter in system.dead_letters() if letter.event)
    done = [n for _, n in handled]
    assert done == sorted(done)
    assert sorted([*buried, *done]) == list(range(21))
    assert len(buried) <= 4, "what it had in hand and in its mailbox"
    system.stop()
    assert store.completed() == []


class Reminding(EventSourcedAgent[Sum]):
    key = "payload.user"

    @on("add")
    def add(self, event: Event) -> None:
        self.emit("added", {"n": event.payload["n"]})
        self.after(1, "added", {"n": 100})


def test_one_that_a_timer_wakes_before_the_family_has_its_seat_gets_what_is_due() -> None:
    store = MemoryStore()
    system = ActorSystem(mode="simulated", store=store)
    system.spawn(Reminding)
    system.publish("add", {"user": "ann", "n": 1})
    system.wait_idle()
    for n in range(2, 6):
        system.publish("add", {"user": "ann", "n": n})
    store.crash()
    dead.append(system)
    held: list[Any] = []
    with ActorSystem(mode="simulated", store=store) as system:
        journal = system._engine.bus.journal  # type: ignore[attr-defined]
        submit, journal.submit = journal.submit, held.append
        system.spawn(Reminding)
        early = system._roster.cell("reminding:ann")  # as a timer does that is due
        assert early.feed.fetched > 1  # type: ignore[attr-defined]
        journal.submit = submit
        for entry in held:
            submit(entry)
        system.advance(10)
        system.wait_idle()
        assert system.state("reminding", key="ann") == Sum(15 + 5 * 100)


class Patient(Agent):
    @on("said")
    async def hear(self, event: Event) -> None:
        if not dead:
            raise GiveUp("not in this life")
        await asyncio.sleep(1)  # the others begin meanwhile
        handled.append((event.payload["user"], event.payload["n"]))


@pytest.mark.parametrize("options", [{"key": "payload.user"}, {"group": "slow", "count": 5}])
def test_a_dead_letter_on_its_way_back_comes_back_once(options: dict[str, Any]) -> None:
    """Whatever ends the process in between, and however many members there are to take it."""
    store = MemoryStore()
    system = ActorSystem(mode="simulated", store=store)
    system.spawn(Patient, **options)
    system.publish("said", {"user": "bad", "n": 7})
    system.wait_idle()
    [letter] = system.dead_letters()
    dead.append(system)  # from now on it can be done
    system.redeliver(letter)
    store.crash()
    assert handled == []
    with ActorSystem(mode="simulated", store=store) as system:
        system.spawn(Patient, **options)
        system.wait_idle()
        assert handled == [("bad", 7)]
        assert system.dead_letters() == []
