"""Events that older code has recorded, read by newer code.

Declarations are global to the process, so each test has event types of its own: an old run records
them as they are, then the class and its upcaster are declared, and a new run reads on.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreia import (
    ActorSystem,
    Agent,
    Event,
    EventSourcedAgent,
    GiveUp,
    IncompatibleVersion,
    MemoryStore,
    PayloadMismatch,
    Retry,
    SqliteStore,
    applies,
    event_type,
    on,
    upcaster,
)
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.unit import KeepLetter, Unit

NUMBERS = itertools.count()
BROKEN: set[int] = set()
"""Orders over which the upcaster raises."""


@pytest.fixture
def type() -> str:
    return f"tests.evolution.t{next(NUMBERS)}"


@pytest.fixture(autouse=True)
def _nothing_is_broken() -> None:
    BROKEN.clear()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    store: EventStore = MemoryStore()
    if request.param == "sqlite":
        store = SqliteStore(tmp_path / "events.db")
    yield store
    store.close()


@pytest.fixture
def run(mode: Any, store: EventStore) -> Callable[[], ActorSystem]:
    """A run of a system on the test's store, and then the next."""
    return lambda: ActorSystem(mode=mode, store=store)


def record(run: Callable[[], ActorSystem], type: str, *numbers: int, **options: Any) -> None:
    """What the old code has said: ``{"n": …}``, at version 1.0.0."""
    with run() as system:
        for n in numbers:
            system.publish(type, {"n": n}, **options)


def deploy(type: str) -> Any:
    """The new code: its class, at 2.0.0 with a currency, to which 1.0.0 leads by 1.1.0."""

    @event_type(type, version="2.0.0")
    @attrs.frozen
    class Order:
        n: int
        currency: str

    @upcaster(type, "1.0.0", "1.1.0")
    def price(payload: dict[str, Any]) -> dict[str, Any]:
        if payload["n"] in BROKEN:
            raise ValueError("no such price")
        return {**payload, "money": "EUR"}

    @upcaster(type, "1.1.0", "2.0.0")
    def rename(payload: dict[str, Any]) -> dict[str, Any]:
        return {"n": payload["n"], "currency": payload["money"]}

    assert price is not rename
    return Order


def reader(order: Any, filter: dict[str, object] | None = None) -> Any:
    """A class of agents that takes orders, typed, and keeps what it saw."""

    class Reader(Agent):
        seen: ClassVar[list[tuple[int, str, str]]] = []
        heard: ClassVar[list[Event]] = []
        retry = Retry(attempts=4, delay=0.01)

        @on(order, filter)
        def take(self, order: Any) -> None:
            assert self.event is not None
            Reader.seen.append((order.n, order.currency, self.event.metadata.version))

    return Reader


# -- read from the log ----------------------------------------------------------------------------


@pytest.mark.parametrize("mailbox", [2, 1_000])
def test_stored_events_come_in_the_newest_version(
    type: str, run: Callable[[], ActorSystem], store: EventStore, mailbox: int
) -> None:
    record(run, type, *range(20))
    Reader = reader(deploy(type))
    with run() as system:
        system.spawn(Reader, start="beginning", mailbox=mailbox)
        system.publish(type, {"n": 20})
        system.wait_idle(10)
    assert Reader.seen == [(n, "EUR", "2.0.0") for n in range(21)]
    recorded = [one.event for one in store.read(pattern=type)]
    assert [event.metadata.version for event in recorded] == ["1.0.0"] * 20 + ["2.0.0"]
    assert recorded[0].payload == {"n": 0}
    assert store.verify().whole


def test_filters_and_plain_handlers_see_the_newest_version(
    type: str, run: Callable[[], ActorSystem]
) -> None:
    record(run, type, 1)
    order = deploy(type)
    Typed, Other = (
        reader(order, {"payload.currency": "EUR"}),
        reader(order, {"payload.money": "EUR"}),
    )
    heard: list[Event] = []

    class Plain(Agent):
        @on(type, {"metadata.version": "2.0.0"})
        def take(self, event: Event) -> None:
            assert self.event is event
            heard.append(event)

    with run() as system:
        for agent, name in (Typed, "typed"), (Other, "other"), (Plain, "plain"):
            system.spawn(agent, name=name, start="beginning")
        system.wait_idle(10)
    assert Typed.seen == [(1, "EUR", "2.0.0")]
    assert Other.seen == []
    assert [event.payload for event in heard] == [{"n": 1, "currency": "EUR"}]


def test_an_agent_goes_on_at_its_cursor(type: str, run: Callable[[], ActorSystem]) -> None:
    with run() as system:
        ref = system.spawn(reader_of_the_old(type), name="reader")
        system.publish(type, {"n": 1})
        system.wait_idle(10)
        ref.stop()
        system.publish(type, {"n": 2})
    Reader = reader(deploy(type))
    with run() as system:
        system.spawn(Reader, name="reader")
        system.wait_idle(10)
    assert Reader.seen == [(2, "EUR", "2.0.0")]


def reader_of_the_old(type: str) -> Any:
    class Old(Agent):
        @on(type)
        def take(self, event: Event) -> None:
            pass

    return Old


def test_lag_is_counted_in_the_newest_version(type: str, store: EventStore) -> None:
    record(lambda: ActorSystem(store=store), type, 1, 2, 3, 4)
    go_on, begun = threading.Event(), threading.Event()

    class Slow(Agent):
        @on(deploy(type), {"payload.currency": "EUR"})
        def take(self, order: Any) -> None:
            begun.set()
            go_on.wait(20)

    with ActorSystem(store=store) as system:
        system.spawn(Slow, start="beginning", max_lag=3)
        assert begun.wait(20)
        assert not system.try_publish(type, {"n": 5}), "four are before it, and three allowed"
        go_on.set()
        system.wait_idle(10)
        assert system.try_publish(type, {"n": 6})


def test_what_filters_refuse_in_the_newest_version_is_no_lag(
    type: str, run: Callable[[], ActorSystem]
) -> None:
    record(run, type, 1, 2, 3, 4)
    order = deploy(type)
    Reader = reader(order, {"payload.currency": "USD"})
    with run() as system:
        system.spawn(Reader, start="beginning", max_lag=3)
        system.wait_idle(10)
        assert system.try_publish(order(5, "USD"))
        system.wait_idle(10)
    assert Reader.seen == [(5, "USD", "2.0.0")]


def test_what_was_erased_is_lifted_for_nobody(
    type: str, run: Callable[[], ActorSystem], store: EventStore
) -> None:
    record(run, type, 1, 2, correlation_id="case")
    store.erase(correlation_id="case", reason="asked to", now=1.0)
    lifted: list[object] = []

    @upcaster(type, "1.0.0", "2.0.0")
    def lift(payload: dict[str, Any]) -> dict[str, Any]:
        lifted.append(payload)
        return payload

    assert lift({}) == {}
    with run() as system:
        system.spawn(reader_of_the_old(type), name="reader", start="beginning")
        system.wait_idle(10)
    assert lifted == [{}], "the one here"


# -- what cannot be lifted, or read ----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["typed", "filtered", "plain"])
def test_an_upcaster_that_raises_makes_a_dead_letter_and_stops_nothing(
    type: str, run: Callable[[], ActorSystem], kind: str
) -> None:
    record(run, type, 1, 2, 3)
    order = deploy(type)
    seen: list[int] = []
    topic = type if kind == "plain" else order

    class Reader(Agent):
        retry = Retry(attempts=4, delay=0.01)

        @on(topic, {"payload.currency": "EUR"} if kind == "filtered" else None)
        def take(self, given: Any) -> None:
            assert self.event is not None
            seen.append(self.event.payload["n"])

    BROKEN.add(2)
    with run() as system:
        system.spawn(Reader, start="beginning")
        system.wait_idle(10)
        [letter] = system.dead_letters()
        assert seen == [1, 3]
        assert isinstance(letter.error, PayloadMismatch)
        assert (letter.agent, letter.reason, letter.attempts) == ("reader", "gave_up", 1)
        assert letter.event is not None
        assert letter.event.metadata.version == "1.0.0"
        BROKEN.clear()
        system.redeliver(letter)
        system.wait_idle(10)
        assert seen == [1, 3, 2]
        assert system.dead_letters() == []


@pytest.mark.parametrize(
    ("version", "payload", "error"),
    [
        ("3.0.0", {"n": 1, "currency": "EUR"}, IncompatibleVersion),
        ("2.1.0", {"n": "one", "currency": "EUR"}, PayloadMismatch),
    ],
)
def test_what_the_code_cannot_read_is_not_tried_again(
    type: str, run: Callable[[], ActorSystem], version: str, payload: dict[str, Any], error: Any
) -> None:
    with run() as system:
        system.publish(type, payload, version=version)
        system.publish(type, {"n": 2})
    Reader = reader(deploy(type))
    with run() as system:
        system.spawn(Reader, start="beginning")
        system.wait_idle(10)
        [letter] = system.dead_letters()
        assert isinstance(letter.error, error)
        assert (letter.reason, letter.attempts) == ("gave_up", 1)
    assert Reader.seen == [(2, "EUR", "2.0.0")]


OLD, BAD, NEW, NEWER = "1.0.0", "1.0.0 that fails", "2.0.0", "3.0.0"


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from([OLD, BAD, NEW, NEWER]), max_size=30),
    st.integers(1, 6),
    st.integers(0, 2**32),
    st.booleans(),
)
def test_whatever_is_stored_is_handled_or_a_dead_letter_in_order(
    versions: list[str], mailbox: int, seed: int, plain: bool
) -> None:
    type, store = f"tests.evolution.t{next(NUMBERS)}", MemoryStore()
    with ActorSystem(mode="simulated", store=store) as system:
        for n, version in enumerate(versions):
            payload = {"n": n} if version in (OLD, BAD) else {"n": n, "currency": "EUR"}
            system.publish(type, payload, version=version.split()[0])
    order = deploy(type)
    seen: list[int] = []

    class Reader(Agent):
        @on(type if plain else order, {"payload.currency": "EUR"})
        def take(self, given: Any) -> None:
            assert self.event is not None
            assert self.event.metadata.version != OLD
            seen.append(self.event.payload["n"])

    BROKEN.clear()
    BROKEN.update(n for n, version in enumerate(versions) if version == BAD)
    with ActorSystem(mode="simulated", seed=seed, store=store) as system:
        system.spawn(Reader, start="beginning", mailbox=mailbox)
        system.wait_idle()
        died = [one.event.payload["n"] for one in system.dead_letters() if one.event is not None]
    lost = {BAD} if plain else {BAD, NEWER}  # a plain handler takes any version, as it comes
    assert seen == [n for n, version in enumerate(versions) if version not in lost]
    assert died == [n for n, version in enumerate(versions) if version in lost]


# -- state ----------------------------------------------------------------------------------------


def writer(order: Any, type: str, versions: list[str]) -> Any:
    @attrs.frozen
    class Total:
        orders: tuple[int, ...] = ()
        currencies: tuple[str, ...] = ()

        @applies(order)
        def ordered(self, order: Any) -> Total:
            return attrs.evolve(self, orders=(*self.orders, order.n))

        @applies(type)
        def heard(self, event: Event) -> Total:
            versions.append(event.metadata.version)
            return attrs.evolve(self, currencies=(*self.currencies, event.payload["currency"]))

    class Writer(EventSourcedAgent[Total]):  # type: ignore[valid-type,unused-ignore]
        def on_start(self) -> None:
            self.emit("tests.evolution.total", {"of": list(self.state.currencies)})

        @on("tests.evolution.order")
        def order(self, event: Event) -> None:
            self.emit(order(event.payload["n"], "USD"))
            self.emit("tests.evolution.total", {"of": list(self.state.currencies)})

    return Writer


def old_writer(type: str) -> Any:
    class Writer(Agent):
        @on("tests.evolution.order")
        def order(self, event: Event) -> None:
            self.emit(type, event.payload)

    return Writer


def test_a_state_is_folded_from_the_newest_version(
    type: str, run: Callable[[], ActorSystem], store: EventStore
) -> None:
    with run() as system:
        system.spawn(old_writer(type), name="writer")
        system.publish("tests.evolution.order", {"n": 1})
        system.wait_idle(10)
    versions: list[str] = []
    Writer = writer(deploy(type), type, versions)
    with run() as system:
        system.spawn(Writer, name="writer")
        system.publish("tests.evolution.order", {"n": 2})
        system.wait_idle(10)
        assert system.dead_letters() == []
    totals = [one.event.payload["of"] for one in store.read(pattern="tests.evolution.total")]
    assert totals == [["EUR"], ["EUR", "USD"]]
    assert set(versions) == {"2.0.0"}


def test_an_agent_without_its_state_does_not_begin(
    type: str, run: Callable[[], ActorSystem], store: EventStore
) -> None:
    """A state with a gap would be wrong, and so would all that is decided by it."""
    with run() as system:
        ref = system.spawn(old_writer(type), name="writer")
        system.publish("tests.evolution.order", {"n": 1})
        system.wait_idle(10)
        ref.stop()
        system.publish("tests.evolution.order", {"n": 2})
    Writer = writer(deploy(type), type, [])
    BROKEN.add(1)
    failed: list[Event] = []
    with run() as system:
        system.subscribe("agent.failed", failed.append)
        system.spawn(Writer, name="writer")
        system.wait_idle(10)
    assert "no such price" in failed[0].payload["error"]
    assert store.letters() == []
    BROKEN.clear()
    with run() as system:
        system.spawn(Writer, name="writer")
        system.wait_idle(10)
    totals = [one.event.payload["of"] for one in store.read(pattern="tests.evolution.total")]
    assert totals == [["EUR"], ["EUR", "USD"]]


# -- dead letters ---------------------------------------------------------------------------------


def failing(type: str) -> Any:
    class Reader(Agent):
        @on(type)
        def take(self, event: Event) -> None:
            raise GiveUp("not today")

    return Reader


def die(run: Callable[[], ActorSystem], type: str) -> None:
    """An order becomes a dead letter of the old code."""
    with run() as system:
        system.spawn(failing(type), name="reader")
        system.publish(type, {"n": 1})
        system.wait_idle(10)
        assert len(system.dead_letters()) == 1


def test_a_stored_dead_letter_is_redelivered_in_the_newest_version(
    type: str, run: Callable[[], ActorSystem]
) -> None:
    die(run, type)
    Reader = reader(deploy(type), {"payload.currency": "EUR"})
    with run() as system:
        system.spawn(Reader, name="reader")
        [letter] = system.dead_letters()
        system.redeliver(letter)
        system.wait_idle(10)
        assert system.dead_letters() == []
    assert Reader.seen == [(1, "EUR", "2.0.0")]


def test_a_dead_letter_on_its_way_comes_back_in_the_newest_version(
    type: str, run: Callable[[], ActorSystem], store: EventStore
) -> None:
    die(run, type)
    [letter] = store.letters("reader")
    store.commit([Unit(changes=[KeepLetter(attrs.evolve(letter, waiting=True))])], letter.time)
    Reader = reader(deploy(type), {"payload.currency": "EUR"})
    with run() as system:
        system.spawn(Reader, name="reader")
        system.wait_idle(10)
        assert system.dead_letters() == []
    assert Reader.seen == [(1, "EUR", "2.0.0")]
    assert store.letters() == []


def test_a_dead_letter_that_cannot_be_lifted_stays_one(
    type: str, run: Callable[[], ActorSystem]
) -> None:
    die(run, type)
    Reader = reader(deploy(type))
    BROKEN.add(1)
    with run() as system:
        system.spawn(Reader, name="reader")
        [letter] = system.dead_letters()
        system.redeliver(letter)
        system.wait_idle(10)
        [again] = system.dead_letters()
        assert isinstance(again.error, PayloadMismatch)
        assert (again.reason, again.attempts) == ("gave_up", 1)
    assert Reader.seen == []


def test_without_a_store_a_redelivery_is_lifted_too(type: str, mode: Any) -> None:
    with ActorSystem(mode=mode) as system:
        ref = system.spawn(failing(type), name="reader")
        system.publish(type, {"n": 1})
        system.wait_idle(10)
        ref.stop()
        Reader = reader(deploy(type))
        system.spawn(Reader, name="reader")
        [letter] = system.dead_letters()
        system.redeliver(letter)
        system.wait_idle(10)
    assert Reader.seen == [(1, "EUR", "2.0.0")]


# -- timers ---------------------------------------------------------------------------------------


def set_timer(store: EventStore, type: str) -> None:
    """The old code has a timer that is due in ten seconds, after a restart."""

    class Waiter(Agent):
        @on("tests.evolution.wait")
        def wait(self, event: Event) -> None:
            self.after(10, type, {"n": 1}, key="later")

    with ActorSystem(mode="simulated", store=store) as system:
        system.spawn(Waiter, name="waiter")
        system.publish("tests.evolution.wait", {})
        system.wait_idle()
    assert [timer.event.metadata.version for timer in store.timers()] == ["1.0.0"]


def new_run(store: EventStore, type: str, filter: dict[str, object] | None) -> Any:
    """Both the agent with the timer and a reader, in the new code; ten seconds later."""
    Reader = reader(deploy(type), filter)
    system = ActorSystem(mode="simulated", store=store)
    system.spawn(reader_of_the_old("tests.evolution.wait"), name="waiter")
    system.spawn(Reader, name="reader")
    system.subscribe(type, Reader.heard.append)  # it hears what is live, and nothing else
    system.advance(11)
    return system, Reader


def test_a_timer_fires_in_the_newest_version(type: str, store: EventStore) -> None:
    set_timer(store, type)
    system, Reader = new_run(store, type, {"payload.currency": "EUR"})
    with system:
        assert Reader.seen == [(1, "EUR", "2.0.0")]
        assert [event.metadata.version for event in Reader.heard] == ["2.0.0"]
        assert store.timers() == []
    [fired] = store.read(pattern=type)
    assert fired.event.payload == {"n": 1, "currency": "EUR"}


@pytest.mark.parametrize("filter", [None, {"payload.currency": "EUR"}])
def test_a_timer_that_cannot_be_lifted_is_a_dead_letter_of_who_listens(
    type: str, store: EventStore, filter: dict[str, object] | None
) -> None:
    set_timer(store, type)
    BROKEN.add(1)
    system, Reader = new_run(store, type, filter)
    with system:
        letter, live = sorted(system.dead_letters(), key=lambda one: one.agent)
        assert (live.agent.partition("-")[0], live.reason) == ("subscription", "gave_up")
        assert (letter.agent, letter.reason, letter.attempts) == ("reader", "gave_up", 1)
        assert isinstance(letter.error, PayloadMismatch)
        assert store.timers() == []
        BROKEN.clear()
        system.redeliver(letter)
        system.wait_idle()
    assert Reader.seen == [(1, "EUR", "2.0.0")]
    assert Reader.heard == []
