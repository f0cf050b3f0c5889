"""The rest of history, run again: the same without a change, and with one what follows from it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreia import (
    ActorSystem,
    Agent,
    Event,
    EventSourcedAgent,
    Fork,
    GiveUp,
    InvalidEvent,
    InvalidPayload,
    InvalidStore,
    MemoryStore,
    Retry,
    SqliteStore,
    applies,
    every,
    fork,
    on,
)
from choreia.actors.branching import altered, news
from choreia.demos.orders import build as orders
from choreia.demos.orders.choreography import open_day, place_once
from choreia.demos.orders.generate import generate
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.unit import Unit

Build = Callable[[ActorSystem], object]


def happened(store: Any) -> list[Recorded]:
    return [one for one in store.read() if not news(one)]


def told(result: Fork) -> list[tuple[str, str]]:
    """What differs, apart from the event that was changed."""
    return [
        (one.kind, one.event.type) for one in result.divergences if one.event.id != result.before.id
    ]


def unchanged(store: Any, build: Build, most: int = 40) -> None:
    """From wherever it is run again, the same comes out."""
    events = happened(store)
    for one in random.Random(len(events)).sample(events, min(most, len(events))):
        result = fork(store, one.position, {}, build)
        later = [other for other in events if other.position >= one.position]
        assert (result.divergences, result.states, result.beyond) == ((), (), 0), one
        assert result.same == len(later)
        assert not result.differs


# -- the order saga --------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["threads", "simulated"])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of orders, with races, as the demo's command makes it."""
    path = tmp_path_factory.mktemp("day") / "orders.db"
    with ActorSystem(mode=request.param, seed=7, workers=2, store=path) as system:
        books = orders(system, (made := generate(80, 3)).orders, made.stock, mailbox=8)
        open_day(system, books.day)
        for number in range(0, 80, 10):
            place_once(system, books.day.orders[number : number + 10])
        system.wait_idle(60)
    return path


def test_without_a_change_the_saga_comes_out_the_same(day: Path) -> None:
    store = SqliteStore(day, readonly=True)
    unchanged(store, orders, most=10)
    store.close()


def test_another_quantity_has_another_outcome_and_the_store_stays_as_it_is(day: Path) -> None:
    files = {file: file.read_bytes() for file in day.parent.iterdir() if file.suffix == ".db"}
    store = SqliteStore(day, readonly=True)
    chain = store.info().chain
    completed = _completed(store)
    result = fork(store, completed.position, {"payload.order.quantity": 10_000}, orders)
    id = completed.event.payload["order"]["id"]
    assert ("gone", "order.shipped") in told(result)
    assert ("new", "order.cancelled") in told(result)
    shop = dict(result.states)["did:choreia:local:shop"]
    assert (f"outcomes.{id}[0]", "completed", "out_of_stock") in [
        (one.path, one.before, one.after) for one in shop
    ]
    assert result.differs
    assert result.before == completed.event
    assert result.after.payload["order"]["quantity"] == 10_000
    assert (result.after.id, result.after.metadata) == (
        completed.event.id,
        completed.event.metadata,
    )
    assert store.info().chain == chain
    store.close()
    assert {file: file.read_bytes() for file in files} == files


def _completed(store: SqliteStore) -> Recorded:
    """The placing of an order that was completed."""
    done = next(iter(store.read(pattern="order.completed"))).event.payload["order_id"]
    return next(
        one
        for one in store.read(pattern="order.placed")
        if one.event.payload["order"]["id"] == done
    )


def test_what_an_agent_said_may_be_changed_too(day: Path) -> None:
    store = SqliteStore(day, readonly=True)
    charged = next(iter(store.read(pattern="payment.charged")))
    result = fork(store, charged.event.id, {"payload.order.ship_to": "Atlantis"}, orders)
    store.close()
    assert result.at == charged.position
    assert ("new", "payment.refunded") in told(result) or ("new", "order.cancelled") in told(result)
    assert result.before.payload["order"]["ship_to"] != "Atlantis"


# -- whatever agents do ----------------------------------------------------------------------------


@attrs.frozen
class Count:
    total: int = 0
    heard: tuple[str, ...] = ()

    @applies("count.#")
    def count(self, event: Event) -> Count:
        return Count(self.total + event.payload.get("n", 0), (*self.heard, event.type))


class Counter(EventSourcedAgent[Count]):
    """Answers in every way there is, depending on what it has said so far."""

    retry = Retry(attempts=2, delay=0.5, jitter=0)

    @on("go")
    def go(self, event: Event) -> None:
        n = event.payload["n"]
        self.emit("count.up", {"n": n, "had": self.state.total})
        if n % 2:
            self.emit("count.odd", {"n": 0})
        if n % 5 == 4:
            raise GiveUp("not that one")
        self.after(n / 2 + 0.1, "later", {"n": 1}, key=f"k{n % 3}")

    @on("stream")
    def stream(self, event: Event) -> Iterator[tuple[str, dict[str, int]]]:
        for n in range(event.payload["n"] % 3):
            yield "count.streamed", {"n": n}
        self.emit("count.done", {"n": self.state.total})

    @on("wait")
    async def wait(self, event: Event) -> AsyncIterator[tuple[str, dict[str, int]]]:
        yield "count.awaited", {"n": event.payload["n"]}

    @on("count.up")
    def again(self, event: Event) -> None:
        if event.source != self.id:
            self.emit("count.echo", {"n": self.state.total % 10})
        elif event.payload["n"] == 3:
            self.emit_now("count.at_once", {"n": 1})
            raise GiveUp("though something is said")


class Watcher(EventSourcedAgent[Count]):
    @on("later")
    @on("count.*")
    def watch(self, event: Event) -> None:
        if self.state.total < 40:
            who = event.source.rpartition(":")[2]
            self.emit(f"count.seen.{who}", {"n": event.payload["n"], "of": event.type})

    @on("event.dead_lettered")
    def lament(self, event: Event) -> None:
        self.emit(f"count.sorry.{self.name}", {"n": 1})
        self.emit(f"count.sorry.{self.name}", {"n": 2})


class Clock(EventSourcedAgent[Count]):
    @every(1.5)
    def tick(self, event: Event) -> None:
        self.emit("count.tick", {"n": self.state.total % 2})


def several(system: ActorSystem) -> None:
    system.spawn(Counter, name="one")
    system.spawn(Counter, name="two")
    system.spawn(Watcher, mailbox=2)
    system.spawn(Clock)


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["go", "stream", "wait", "elapse", "rest"]), st.integers(0, 9)),
    min_size=1,
    max_size=12,
)


def lived(actions: list[tuple[str, int]], seed: int, build: Build = several) -> MemoryStore:
    store = MemoryStore()
    with ActorSystem(mode="simulated", seed=seed, store=store, heartbeat=None) as system:
        build(system)
        for action, n in actions:
            if action == "elapse":
                system.advance(n / 3)
            elif action == "rest":
                system.wait_idle()
            else:
                system.publish(action, {"n": n})
        system.wait_idle()
    return store


@settings(max_examples=30, deadline=None)
@given(ACTIONS, st.integers(0, 1000), st.data())
def test_whatever_happened_it_happens_again(
    actions: list[tuple[str, int]], seed: int, data: st.DataObject
) -> None:
    store = lived(actions, seed)
    events = happened(store)
    at = data.draw(st.sampled_from([one.position for one in events])) if events else 0
    if at:
        result = fork(store, at, {}, several)
        assert (result.divergences, result.states, result.beyond) == ((), (), 0)


def test_what_is_changed_has_consequences_in_time_as_well() -> None:
    """A timer that was set by then fires, one that is set otherwise fires at another time."""
    store = lived([("go", 2), ("elapse", 1), ("go", 6), ("elapse", 9), ("elapse", 9)], 1)
    [_, second] = store.read(pattern="go")
    result = fork(store, second.position, {"payload.n": 0}, several)
    assert ("changed", "count.up") in told(result)
    later = [one for one in happened(store) if one.event.type == "later"]
    assert [one.position > second.position for one in later] == [True] * 4, "two stood by then"
    assert not [one for one in told(result) if one[1] == "later"], "all four fire again"
    watched = dict(result.states)["did:choreia:local:watcher"]
    assert watched, "but two of them earlier"


class Flaky(EventSourcedAgent[Count]):
    retry = Retry(attempts=3, delay=0.9, jitter=0)

    @on("try")
    def attempt(self, event: Event) -> None:
        if event.payload["fails"]:
            raise ValueError("no")
        self.emit("count.tried", {"n": self.state.total + 1})


def test_a_handler_that_fails_again_and_again_is_the_same_dead_letter() -> None:
    def build(system: ActorSystem) -> None:
        system.spawn(Flaky)

    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store) as system:
        build(system)
        for fails in (True, False, True, False):
            system.publish("try", {"fails": fails})
        system.wait_idle()
    assert len(list(store.read(pattern="event.dead_lettered"))) == 2
    unchanged(store, build)
    [first, *_] = store.read(pattern="try")
    result = fork(store, first.position, {"payload.fails": False}, build)
    assert ("gone", "event.dead_lettered") in told(result)
    assert ("new", "count.tried") in told(result)


def test_a_handler_that_had_begun_long_before_begins_then() -> None:
    def build(system: ActorSystem) -> None:
        system.spawn(Flaky)
        system.spawn(Clock)
        system.spawn(Watcher)

    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store) as system:
        build(system)
        system.publish("try", {"fails": True}, id="try")
        system.advance(1.7)
        system.wait_idle()
    [dead] = store.read(pattern="event.dead_lettered")
    assert [one.position < dead.position for one in store.read(pattern="count.tick")] == [True]
    result = fork(store, "try", {}, build)
    assert (result.divergences, result.states, result.beyond) == ((), (), 0)
    # From the tick on it takes its 2.7 seconds once more, and the clock goes on ticking.
    [tick] = store.read(pattern="timer.#")
    result = fork(store, tick.position, {}, build)
    assert (result.divergences, result.beyond > 0) == ((), True)


def test_timers_of_one_time_fire_in_their_order() -> None:
    for seed in range(8):
        store = lived([("go", 5), ("go", 0), ("rest", 0), ("elapse", 9), ("elapse", 9)], seed)
        events = happened(store)
        later = [one.position for one in events if one.event.type == "later"]
        at = max(one.position for one in events if one.position < later[0])
        result = fork(store, at, {}, several)
        assert (len(later), result.divergences, result.states) == (4, (), ()), seed


def test_what_was_said_early_is_not_said_twice_though_it_is_another_now() -> None:
    for seed in range(8):
        store = lived([("stream", 5)], seed)
        first = next(iter(store.read(pattern="count.streamed")))
        result = fork(store, first.position, {"payload.n": 90}, several)
        assert not [one for one in told(result) if one[1] == "event.dead_lettered"]
        assert result.states


class Century(EventSourcedAgent[Count]):
    @every(1e8)
    def tick(self, event: Event) -> None: ...


def test_time_begins_when_it_did_though_nothing_was_before() -> None:
    store = MemoryStore()
    event = Event("go", "me", {"n": 1}, timestamp=1e9)
    store.commit([Unit([event], [b'{"n":1}'])], 1e9)
    result = fork(store, 1, {}, lambda system: system.spawn(Century))
    assert (result.divergences, result.same) == ((), 1)


class Asker(Agent):
    """Keeps what it knows in plain attributes."""

    @on("go")
    def go(self, event: Event) -> None:
        if event.payload["n"] > 1:
            self.emit("question", {"n": event.payload["n"]})

    @on("answer")
    def hear(self, event: Event) -> None:
        self.emit("thanks", {})


def asking(system: ActorSystem) -> None:
    system.spawn(Asker)


def test_who_answers_from_outside_answers_only_what_is_asked() -> None:
    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store) as system:
        asking(system)
        system.publish("go", {"n": 5}, id="first")
        system.wait_idle()
        [question] = store.read(pattern="question")
        system.publish("answer", {"yes": True}, causation_id=question.event.id, source="human")
        system.publish("answer", {"yes": False}, causation_id="elsewhere", source="human")
        system.wait_idle()
    unchanged(store, asking)
    result = fork(store, "first", {"payload.n": 0}, asking)
    assert told(result) == [("gone", "question"), ("gone", "answer"), ("gone", "thanks")]
    assert result.same == 2, "the answer to somebody else, and its thanks"
    assert result.anew == (("asker", "Asker"),)
    result = fork(store, "first", {"payload.n": 7}, asking)
    assert told(result) == [("changed", "question")]
    [_, changed] = result.divergences
    assert [(one.path, one.before, one.after) for one in changed.differences] == [
        ("payload.n", 5, 7)
    ]


def test_a_log_that_ends_too_early_is_no_difference() -> None:
    """The process died before anybody had handled what was published last."""
    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store) as system:
        several(system)
        system.publish("go", {"n": 1})
        system.wait_idle()
    with ActorSystem(mode="simulated", store=store) as system:
        system.publish("go", {"n": 2})
    [first, second] = store.read(pattern="go")
    for one in (first, second):
        result = fork(store, one.position, {}, several)
        assert (result.divergences, result.states) == ((), ())
        assert result.beyond >= 2, "what both counters say to it, and what follows"


def test_of_what_was_erased_nobody_knows_what_would_have_come() -> None:
    store = lived([("go", 1), ("rest", 0), ("go", 2)], 0)
    [first, second] = store.read(pattern="go")
    case = second.event.metadata.correlation_id
    store.erase(correlation_id=case, reason="asked", now=0)
    assert fork(store, first.position, {}, several).divergences == ()
    with pytest.raises(InvalidStore, match="was erased"):
        fork(store, second.position, {}, several)


def test_whose_agents_play_is_said_when_several_nodes_wrote() -> None:
    store = MemoryStore()
    for node in ("east", "west"):
        with ActorSystem(mode="simulated", store=store, node=node) as system:
            system.spawn(Counter, name=f"of-{node}")
            system.publish("go", {"n": 1}, id=f"go-{node}")

    def west(system: ActorSystem) -> None:
        system.spawn(Counter, name="of-west")

    with pytest.raises(InvalidStore, match=r"several nodes .*east, west"):
        fork(store, "go-west", {}, west)
    assert not fork(store, "go-west", {}, west, node="west").differs
    assert fork(store, "go-west", {"payload.n": 2}, west, node="west").differs


# -- what cannot be changed ------------------------------------------------------------------------


def test_places_that_cannot_be_changed_are_refused() -> None:
    store = lived([("go", 1)], 0)
    for at in (0, -1, True, 1.5, None):
        with pytest.raises(InvalidStore, match="give the position"):
            fork(store, at, {}, several)  # type: ignore[arg-type]
    for unknown in (10_000, "nonsense"):
        with pytest.raises(InvalidStore, match="no such event"):
            fork(store, unknown, {}, several)
    started = next(one for one in store.read() if news(one))
    with pytest.raises(InvalidStore, match="the runtime's own news"):
        fork(store, started.position, {}, several)


EVENT = Event("go", "me", {"a": {"b": [1, {"c": 2}]}, "n": 3})


@pytest.mark.parametrize(
    ("path", "value", "payload"),
    [
        ("payload.n", None, {"a": {"b": [1, {"c": 2}]}, "n": None}),
        ("payload.a.b.1.c", "x", {"a": {"b": [1, {"c": "x"}]}, "n": 3}),
        ("payload.a.b.0", [], {"a": {"b": [[], {"c": 2}]}, "n": 3}),
        ("payload.new.deep", 1, {"a": {"b": [1, {"c": 2}]}, "n": 3, "new": {"deep": 1}}),
    ],
)
def test_values_are_put_where_the_path_leads(path: str, value: object, payload: object) -> None:
    assert altered(EVENT, {path: value}).payload == payload
    assert altered(EVENT, {path: value}).id == EVENT.id
    assert altered(EVENT, {}) is EVENT


@pytest.mark.parametrize(
    "path",
    ["", "n", "payload", "payload.", "payload..n", "type", "payload.n.x", "payload.n.x.y",
     "payload.a.b.2", "payload.a.b.x", "payload.a.b.-1", "metadata.version"],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidEvent, match="change"):
        altered(EVENT, {path: 1})
    assert EVENT.payload == {"a": {"b": [1, {"c": 2}]}, "n": 3}


def test_a_value_that_is_none_of_jsons_is_refused() -> None:
    with pytest.raises(InvalidPayload):
        altered(EVENT, {"payload.n": object()})


# -- keyed agents and groups -----------------------------------------------------------------------


class Keyed(EventSourcedAgent[Count]):
    key = "payload.of"

    @on("said")
    def said(self, event: Event) -> None:
        of, n = event.payload["of"], event.payload["n"]
        self.emit("count.heard", {"of": of, "n": n, "before": self.state.total})


class Sharing(Agent):
    @on("count.heard")
    def share(self, event: Event) -> None:
        self.emit("shared", {"of": event.payload["of"], "n": event.payload["n"]})


def families(system: ActorSystem) -> None:
    system.spawn(Keyed)
    system.spawn(Sharing, group="sharing", count=2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(0, 2), min_size=3, max_size=12), st.data())
def test_keyed_agents_and_groups_do_again_what_they_did(
    seed: int, keys: list[int], data: st.DataObject
) -> None:
    store = MemoryStore()
    with ActorSystem(mode="simulated", seed=seed, store=store, heartbeat=None) as system:
        families(system)
        for n, key in enumerate(keys):
            system.publish("said", {"of": f"k{key}", "n": n})
            if n % 4 == 3:
                system.wait_idle()
        system.wait_idle()
    at = data.draw(st.sampled_from([one.position for one in happened(store)]))
    result = fork(store, at, {}, families)
    assert (result.divergences, result.states, result.beyond) == ((), (), 0)


def test_what_is_changed_for_one_key_changes_nothing_for_another() -> None:
    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store, heartbeat=None) as system:
        families(system)
        for n in range(6):
            system.publish("said", {"of": f"k{n % 2}", "n": n})
        system.wait_idle()
    first = next(store.read(pattern="said"))
    result = fork(store, first.position, {"payload.n": 50}, families)
    changed = [one.event for one in result.divergences if one.kind == "changed"]
    assert {event.payload["of"] for event in changed} == {"k0"}
    assert [did for did, _ in result.states] == ["did:choreia:local:keyed:k0"]
