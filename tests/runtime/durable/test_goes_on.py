"""With a store every agent goes on where it stopped, whatever ended the process.

Most of it in simulation, where a crash is: the old system gets no turn any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from choreia import (
    ActorSystem,
    Agent,
    ChoreiaError,
    DuplicateId,
    Event,
    GiveUp,
    InvalidAgent,
    InvalidStore,
    MailboxFull,
    MemoryStore,
    Retry,
    SqliteStore,
    StoreLocked,
    StoreUnavailable,
    every,
    on,
)
from choreia.runtime.durable.bus import SWEEP
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.unit import Outcome

Start = Callable[..., ActorSystem]
heard: list[Any] = []
dead: list[ActorSystem] = []


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    heard.clear()
    yield
    for system in dead:  # their threads, not more: nothing of them ends in order
        system._engine.clock.stop()
        system._dispatcher.stop(5)
    dead.clear()


@contextmanager
def running(store: EventStore | Path, **options: Any) -> Iterator[ActorSystem]:
    with ActorSystem(mode="simulated", store=store, **options) as system:
        yield system


def crashed(store: MemoryStore, **options: Any) -> ActorSystem:
    """A system over `store` that will never end in order."""
    system = ActorSystem(mode="simulated", store=store, **options)
    dead.append(system)
    return system


def types(store: EventStore, pattern: str = "#") -> list[str]:
    found = store.read(pattern=pattern)
    return [one.event.type for one in found if not one.event.type.startswith(("agent.", "system."))]


class Keeper(Agent):
    @on("work")
    def keep(self, event: Event) -> None:
        heard.append(event.payload["n"])
        self.emit("kept", {"n": event.payload["n"]})


# -- the log is the truth --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("mode", ["simulated", "threads"])
def test_an_agent_goes_on_where_it_stopped(
    kind: str, mode: Literal["simulated", "threads"], tmp_path: Path
) -> None:
    store: Any = MemoryStore() if kind == "memory" else tmp_path / "events.db"
    with ActorSystem(mode=mode, store=store) as system:
        system.spawn(Keeper, name="keeper")
        system.publish("work", {"n": 1})
    with ActorSystem(mode=mode, store=store) as system:
        system.publish("work", {"n": 2})  # while it is not there
        assert heard == [1]
    with ActorSystem(mode=mode, store=store) as system:
        system.spawn(Keeper, name="keeper")
        system.publish("work", {"n": 3})
        system.wait_idle(5)
        kept = [one.event.payload["n"] for one in system.store.read(pattern="kept")]
    assert heard == [1, 2, 3]
    assert kept == [1, 2, 3]


def test_publish_returns_when_the_event_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with ActorSystem(store=path) as system:
        event = system.publish("work", {"n": 1})
        reader = SqliteStore(path, readonly=True)
        found = reader.find(event.id)
        reader.close()
        assert found is not None
        assert found.event == event


def test_nobody_sees_an_event_that_is_not_on_disk() -> None:
    class Watching(MemoryStore):
        def commit(self, units: Any, now: float) -> list[Outcome]:
            assert heard == [event.type for event in seen_before], "not before the commit"
            outcomes = super().commit(units, now)
            seen_before.extend(e for unit in units for e in unit.events if e.type == "work")
            return outcomes

    seen_before: list[Event] = []
    with running(Watching()) as system:
        system.subscribe("work", lambda event: heard.append(event.type))
        for _ in range(3):
            system.publish("work")
            system.wait_idle()
    assert heard == ["work"] * 3


def test_events_are_committed_together_or_not_at_all() -> None:
    store = MemoryStore()
    with running(store) as system:
        made = system.publish_many([("a", {"n": 1}), ("b", None), Event("c", "me", id="given")])
        assert [event.type for event in made] == ["a", "b", "c"]
        with pytest.raises(DuplicateId):
            system.publish_many([("d", None), Event("c", "me", {"other": 1}, id="given")])
        with pytest.raises(ChoreiaError):
            system.publish_many([("fine", None), ("not..fine", None)])
        assert system.publish_many([]) == []
    assert types(store) == ["a", "b", "c"]


def test_an_id_names_one_event_over_restarts() -> None:
    store = MemoryStore()
    with running(store) as system:
        first = system.publish("work", {"n": 1}, id="mine")
    with running(store) as system:
        assert system.publish("work", {"n": 1}, id="mine") == first
        with pytest.raises(DuplicateId, match="stands in the log as 'work' with another body"):
            system.publish("work", {"n": 2}, id="mine")
    assert types(store) == ["work"]


def test_where_a_new_name_begins() -> None:
    store = MemoryStore()
    with running(store) as system:
        position = 0
        for n in (1, 2, 3):
            system.publish("work", {"n": n})
            position = position or system.store.head
        for name, start in (("now", "now"), ("all", "beginning"), ("some", position)):
            system.subscribe(
                "work",
                lambda event, name=name: heard.append((name, event.payload["n"])),
                name=name,
                start=start,  # type: ignore[arg-type]
            )
        system.publish("work", {"n": 4})
        system.wait_idle()
    assert [n for name, n in heard if name == "now"] == [4]
    assert [n for name, n in heard if name == "all"] == [1, 2, 3, 4]
    assert [n for name, n in heard if name == "some"] == [2, 3, 4]
    with running(store) as system, pytest.raises(InvalidAgent, match="start="):
        system.spawn(Keeper, start="yesterday")


def test_who_is_not_durable_hears_only_what_happens_while_it_is_there() -> None:
    store = MemoryStore()
    for n in (1, 2):
        with running(store) as system:
            system.spawn(Keeper, name="keeper", durable=False, overflow="drop_oldest")
            system.publish("work", {"n": n})
        with running(store) as system:
            system.publish("work", {"n": 10 * n})
    assert heard == [1, 2]
    assert store.cursors() == []
    refused = pytest.raises(InvalidAgent, match=r"loses no events.*durable=False")
    with running(store) as system, refused:
        system.spawn(Keeper, overflow="drop_oldest")


def test_a_slow_agent_lags_and_gets_everything_in_order() -> None:
    with running(MemoryStore()) as system:
        system.spawn(Keeper, name="keeper", mailbox=3)
        system.pause("keeper")
        system.wait_idle()
        for n in range(500):
            system.publish("work", {"n": n})
        view = system.inspect().agent("keeper")
        assert view.high_water <= 3
        system.resume("keeper")
        system.wait_idle()
    assert heard == list(range(500))


def test_the_runtimes_own_news_are_recorded_and_delivered_in_their_run_only() -> None:
    store = MemoryStore()
    for _ in range(2):
        with running(store) as system:
            system.spawn(Keeper, name="keeper")
            ears = system.subscribe(
                "agent.online", lambda e: heard.append(e.payload["name"]), name="ears",
                start="beginning",
            )  # fmt: skip
            system.wait_idle()
            assert ears.name == "ears"
            assert heard in (["keeper"], ["keeper", "keeper"])
    assert heard == ["keeper", "keeper"]
    assert len(list(store.read(pattern="agent.online"))) == 2
    assert list(store.read(pattern="agent.heartbeat")) == []


def test_the_cursor_of_an_agent_that_has_nothing_to_do_moves_on_all_the_same() -> None:
    store = MemoryStore()
    system = crashed(store)
    system.spawn(Keeper, name="keeper")
    system.wait_idle()
    system.publish_many([("others.business", None)] * (2 * SWEEP))
    system.wait_idle()
    [cursor] = store.cursors()
    assert cursor.position >= SWEEP, "so that it need not read all that when it begins again"


# -- a turn ----------------------------------------------------------------------------------------


def test_a_handler_that_raises_halfway_leaves_nothing() -> None:
    class Clumsy(Agent):
        retry = Retry(attempts=2, delay=0.01)

        @on("work")
        def work(self, event: Event) -> None:
            self.emit("half", {"n": event.payload["n"]})
            self.after(1, "later")
            if event.payload["n"] == 2:
                raise RuntimeError("halfway")

    store = MemoryStore()
    with running(store) as system:
        system.spawn(Clumsy, name="clumsy")
        system.publish_many([("work", {"n": n}) for n in (1, 2, 3)])
        system.wait_idle()
        halves = [one.event.payload["n"] for one in store.read(pattern="half")]
        assert halves == [1, 3]
        assert len(store.timers()) == 2
        [letter] = system.dead_letters()
        assert (letter.reason, letter.attempts) == ("failed", 2)
    [cursor] = store.cursors()
    assert cursor.position >= 3


def test_a_crash_takes_back_the_whole_turn_and_it_is_done_again_once() -> None:
    class Dies(MemoryStore):
        dying = False

        def commit(self, units: Any, now: float) -> list[Outcome]:
            if self.dying and any(unit.move is not None for unit in units):
                raise StoreUnavailable("the process dies here")
            return super().commit(units, now)

    store = Dies()
    system = crashed(store)
    system.spawn(Keeper, name="keeper")
    store.dying = True
    system.publish_many([("work", {"n": n}) for n in (1, 2)])
    system.advance(0.01)
    assert types(store) == ["work", "work"]
    assert heard != []
    store.crash()
    store.dying = False
    heard.clear()
    with running(store) as system:
        system.spawn(Keeper, name="keeper")
        system.wait_idle()
    assert heard == [1, 2]
    assert types(store) == ["work", "work", "kept", "kept"]


def test_what_turns_have_done_waits_while_the_store_fails_and_publishers_are_told() -> None:
    class Fails(MemoryStore):
        failing = False

        def commit(self, units: Any, now: float) -> list[Outcome]:
            if self.failing:
                raise StoreUnavailable("the disk is full")
            return super().commit(units, now)

    store = Fails()
    with running(store) as system:
        system.spawn(Keeper, name="keeper")
        system.publish("work", {"n": 1})
        store.failing = True
        system.advance(0.5)
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            system.publish("work", {"n": 2})
        assert types(store) == ["work"]
        store.failing = False
        system.wait_idle(30)
        system.publish("work", {"n": 3})
        system.wait_idle(5)
        assert types(store) == ["work", "kept", "work", "kept"]
    assert heard == [1, 3]


def test_an_answer_is_given_when_what_it_says_is_on_disk() -> None:
    class Teller(Agent):
        def on_receive(self, message: object) -> object:
            self.emit("told", {"n": 1})
            return "done"

    class Looks(MemoryStore):
        def commit(self, units: Any, now: float) -> list[Outcome]:
            if any(event.type == "told" for unit in units for event in unit.events):
                heard.append(replies[0].answered)
            return super().commit(units, now)

    store, replies = Looks(), list[Any]()
    with running(store) as system:
        replies.append(system.spawn(Teller).ask("?", block=False))
        system.wait_idle()
        assert replies[0].get(timeout=1) == "done"
    assert types(store) == ["told"]
    assert heard == [False]


def test_an_agent_that_says_something_else_under_the_same_id_is_told_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Forgetful(Agent):
        said = 0

        @on("never")
        def never(self, event: Event) -> None: ...

        @on("work")
        def work(self, event: Event) -> None:
            Forgetful.said += 1
            self.emit("said", {"n": Forgetful.said})

    store = MemoryStore()
    with running(store) as system, caplog.at_level(logging.ERROR):
        ref = system.spawn(Forgetful, name="forgetful")
        event = Event("work", "me", id="w")
        ref.tell(event)
        ref.tell(event)
        system.wait_idle()
        assert [letter.reason for letter in system.dead_letters()] == ["duplicate"]
    assert "with another body than stands in the log" in caplog.text
    assert [one.event.payload["n"] for one in store.read(pattern="said")] == [1]


# -- what outlives a restart -----------------------------------------------------------------------


def test_dead_letters_and_their_way_back() -> None:
    class Moody(Agent):
        fine = False

        @on("work")
        def work(self, event: Event) -> None:
            if not Moody.fine:
                raise GiveUp("not today")
            heard.append(event.payload["n"])

    store = MemoryStore()
    with running(store) as system:
        system.spawn(Moody, name="moody")
        system.publish("work", {"n": 1})
        system.publish("work", {"n": 2})
    with running(store) as system:
        first, second = system.dead_letters()
        assert (first.agent, first.reason, first.said) == ("moody", "gave_up", "GiveUp: not today")
        assert "not today" in first.traceback
        system.spawn(Moody, name="moody")
        system.redeliver(first)
        system.wait_idle()
        assert {letter.event for letter in system.dead_letters()} == {first.event, second.event}
        Moody.fine = True
        again = next(one for one in system.dead_letters() if one.event == first.event)
        system.redeliver(again)
        system.wait_idle()
        assert heard == [1]
        assert [letter.event for letter in system.dead_letters()] == [second.event]
        with pytest.raises(ChoreiaError, match="redelivered before"):
            system.redeliver(again)
    assert [letter.event.payload["n"] for letter in store.letters()] == [2]


def test_a_letter_that_was_on_its_way_back_when_the_process_died_arrives() -> None:
    class Refuses(Agent):
        @on("work")
        def work(self, event: Event) -> None:
            raise GiveUp

    store = MemoryStore()
    system = crashed(store)
    system.spawn(Refuses, name="it")
    system.publish("work", {"n": 1})
    system.wait_idle()
    system.pause("it")
    system.redeliver(system.dead_letters()[0])
    store.crash()
    with running(store) as system:
        assert system.dead_letters() == []
        system.spawn(Keeper, name="it")
        system.wait_idle()
    assert heard == [1]
    assert store.letters() == []


def test_no_call_is_made_twice_over_a_restart() -> None:
    calls: list[str] = []

    class Caller(Agent):
        retry = Retry(attempts=3, delay=10_000)

        @on("work")
        def work(self, event: Event) -> None:
            def call() -> dict[str, object]:
                calls.append("paid")
                return {"words": (1, 2)}

            answer = self.once("model", call)
            heard.append(answer)
            if len(heard) < 2:
                raise RuntimeError("after the call")
            self.emit("answered", answer)

        @on("async.work")
        async def other(self, event: Event) -> None:
            async def call() -> str:
                calls.append("async")
                return "x"

            heard.append(await self.once("model", call))
            if len(heard) < 4:
                raise RuntimeError("after the call")

    store = MemoryStore()
    system = crashed(store)
    system.spawn(Caller, name="caller")
    system.publish("work")
    system.advance(1)
    assert heard == [{"words": [1, 2]}], "as it will be read again: a tuple is a list in JSON"
    assert len(store.results("caller")) == 1
    store.crash()
    with running(store) as system:
        system.spawn(Caller, name="caller")
        system.wait_idle()
        assert store.results("caller") == [], "nobody needs it any more"
        system.publish("async.work")
        system.wait_idle()
    assert heard == [{"words": [1, 2]}, {"words": [1, 2]}, "x", "x"]
    assert calls == ["paid", "async"]


def test_attempts_are_counted_over_restarts() -> None:
    class Fails(Agent):
        retry = Retry(attempts=3, delay=10_000, jitter=0)

        @on("work")
        def work(self, event: Event) -> None:
            heard.append("tried")
            raise RuntimeError

    store = MemoryStore()
    for tries in (1, 2):
        system = crashed(store)
        system.spawn(Fails, name="fails")
        if tries == 1:
            system.publish("work")
        system.advance(1)
        assert len(heard) == tries
        store.crash()
    with running(store) as system:
        system.spawn(Fails, name="fails")
        system.wait_idle()
        [letter] = system.dead_letters()
        assert (letter.attempts, letter.reason) == (3, "failed")
    assert store.attempts("fails") in ([], [a for a in store.attempts("fails") if not a.failed])


class Mortal(MemoryStore):
    """Nothing of a dead process is written."""

    dead = False

    def commit(self, units: Any, now: float) -> list[Outcome]:
        if self.dead:
            raise StoreUnavailable("the process is dead")
        return super().commit(units, now)

    def in_hand(self, deliveries: frozenset[tuple[str, str]]) -> None:
        if not self.dead:
            super().in_hand(deliveries)

    def crash(self) -> None:
        super().crash()
        self.dead = False


def test_an_event_that_kills_its_process_is_a_dead_letter_after_max_crashes() -> None:
    store = Mortal()

    class Bomb(Agent):
        @on("work")
        def work(self, event: Event) -> None:
            if event.payload["n"] == 2:
                heard.append("died")
                store.dead = True
                raise SystemExit
            self.emit("done", {"n": event.payload["n"]})

    for _ in range(10):
        system = crashed(store, max_crashes=3)
        system.spawn(Bomb, name="bomb", start="beginning")
        if not list(store.read(pattern="work")):
            system.publish_many([("work", {"n": n}) for n in (1, 2, 3)])
        system.advance(0.001)
        alive = not store.dead
        store.crash()
        if alive:
            break
    assert heard == ["died"] * 4, "once without anybody looking, and three times alone"
    [letter] = store.letters()
    assert (letter.reason, letter.event.payload["n"]) == ("crashed", 2)
    assert [one.event.payload["n"] for one in store.read(pattern="done")] == [1, 3]


# -- timers ----------------------------------------------------------------------------------------


class Alarmist(Agent):
    @on("set")
    def set(self, event: Event) -> None:
        self.after(event.payload["in"], "ring", {"n": event.payload["n"]}, key=event.payload["key"])

    @on("unset")
    def unset(self, event: Event) -> None:
        self.cancel(event.payload["key"])

    @on("ring")
    def ring(self, event: Event) -> None:
        heard.append((event.payload["n"], event.metadata.hops))


def test_timers_outlive_a_restart_and_fire_once() -> None:
    store = MemoryStore()
    system = crashed(store)
    system.spawn(Alarmist, name="a")
    system.publish_many(
        [
            ("set", {"in": 10, "n": 1, "key": "x"}),
            ("set", {"in": 20, "n": 2, "key": "x"}),  # replaces it
            ("set", {"in": 5, "n": 3, "key": "y"}),
            ("set", {"in": 30, "n": 4, "key": "z"}),
            ("unset", {"key": "z"}),
        ]
    )
    system.advance(6)
    assert heard == [(3, 0)]
    store.crash()
    with running(store) as system:
        system.advance(100)
        assert heard == [(3, 0)], "its agent is not there"
        system.spawn(Alarmist, name="a")
        system.wait_idle()
        system.advance(1)
    assert heard == [(3, 0), (2, 0)]
    assert store.timers() == []


def test_an_agent_that_comes_again_in_the_same_run_has_its_timers_again() -> None:
    store = MemoryStore()
    with running(store) as system:
        ref = system.spawn(Alarmist, name="a")
        system.wait_idle()
    with running(store) as system:
        ref = system.spawn(Alarmist, name="a")
        system.publish("set", {"in": 10, "n": 1, "key": "x"})
        system.wait_idle()
        ref.stop()
        system.advance(20)
        assert heard == []
        system.spawn(Alarmist, name="a")
        system.advance(1)
    assert heard == [(1, 0)]


def test_a_timer_that_fires_as_it_is_cancelled_does_one_of_both() -> None:
    for seed in range(30):
        heard.clear()
        store = MemoryStore()
        with ActorSystem(mode="simulated", seed=seed, store=store) as system:
            system.spawn(Alarmist, name="a")
            system.publish("set", {"in": 1, "n": 1, "key": "x"})
            system.advance(1)
            system.publish("unset", {"key": "x"})
            system.advance(1)
        assert heard in ([], [(1, 0)])
        assert store.timers() == []


@pytest.mark.parametrize(
    ("catch_up", "missed"), [("skip", []), ("one", [120.0]), ("all", [120.0, 180.0])]
)
def test_schedules_go_on_over_restarts(catch_up: Any, missed: list[float]) -> None:
    class Clockwork(Agent):
        @every(60, catch_up=catch_up)
        def tick(self, tick: Event) -> None:
            heard.append(tick.payload["due"])
            assert tick.metadata.correlation_id == tick.id, "a case of its own"

    store = MemoryStore()
    system = crashed(store)
    system.spawn(Clockwork, name="clock")
    system.advance(100)
    assert heard == [60.0]
    store.crash()
    with running(store) as system:
        system.advance(150)
        system.spawn(Clockwork, name="clock")
        system.advance(60)
    # Time went on from the last event of the run before: from 60.
    assert heard == [60.0, *missed, 240.0]


def test_a_method_that_is_not_scheduled_any_more_is_not_called_any_more() -> None:
    class Was(Agent):
        @every(60)
        def tick(self, tick: Event) -> None: ...

    store = MemoryStore()
    with running(store) as system:
        system.spawn(Was, name="it")
        system.wait_idle()
    assert len(store.timers()) == 1
    with running(store) as system:
        system.spawn(Keeper, name="it")
        system.wait_idle()
    assert store.timers() == []


# -- backpressure at the edge ----------------------------------------------------------------------


def test_publishers_wait_for_an_agent_that_lags_too_much() -> None:
    with ActorSystem(store=MemoryStore(), max_lag=5) as system:
        system.spawn(Keeper, name="keeper", mailbox=2)
        system.wait_idle(5)
        cell = system._roster.cell("keeper")
        cell.hold(1)  # it gets no turn, and is not paused
        for n in range(5):
            system.publish("work", {"n": n})
        with pytest.raises(MailboxFull, match="more than max_lag=5 events before it"):
            system.publish("work", {"n": 5}, timeout=0.05)
        assert not system.try_publish("work", {"n": 5})
        system.publish("nobody.minds")
        cell.release(1)
        system.publish("work", {"n": 5}, timeout=20)
        system.wait_idle(5)
    assert heard == list(range(6))


# -- being told what is wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"store": 7},
        {"store": MemoryStore(), "max_lag": 0},
        {"store": MemoryStore(), "max_crashes": 0},
        {"store": MemoryStore(), "store_wait": -1},
        {"store": "/tmp/x.db", "durability": "maybe"},
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidStore):
        ActorSystem(**options)


def test_a_system_without_a_store_says_so() -> None:
    with ActorSystem(mode="simulated") as system, pytest.raises(InvalidStore, match="no store"):
        system.store  # noqa: B018


def test_one_system_at_a_time(tmp_path: Path) -> None:
    store = MemoryStore()
    with running(store), pytest.raises(StoreLocked):
        ActorSystem(store=store)
    with running(tmp_path / "events.db"), pytest.raises(StoreLocked, match="store_wait"):
        ActorSystem(store=tmp_path / "events.db")
    with running(tmp_path / "events.db"):
        pass


async def _in_a_loop(path: Path) -> None:
    async with ActorSystem(store=path) as system:

        class Co(Agent):
            @on("work")
            async def work(self, event: Event) -> None:
                await self.emit_now_async("at.once", {"n": event.payload["n"]})
                self.emit("kept", {"n": event.payload["n"]})

        system.spawn(Co, name="co")
        await system.publish_async("work", {"n": 1})
        await system.publish_many_async([("work", {"n": 2}), ("work", {"n": 3})])
        await system.wait_idle_async(5)


def test_coroutines_and_generators(tmp_path: Path) -> None:
    import asyncio

    class Gen(Agent):
        @on("kept")
        def say(self, event: Event) -> Iterator[tuple[str, dict[str, int]]]:
            yield "first", {"n": event.payload["n"]}
            yield "second", {"n": event.payload["n"]}

    asyncio.run(_in_a_loop(tmp_path / "events.db"))
    with ActorSystem(store=tmp_path / "events.db") as system:
        system.spawn(Gen, name="gen", start="beginning")
        system.wait_idle(5)
        store = system.store
        assert [one.event.payload["n"] for one in store.read(pattern="at.once")] == [1, 2, 3]
        assert [one.event.payload["n"] for one in store.read(pattern="kept")] == [1, 2, 3]
        found = store.read(pattern=["first", "second"])
        said = [(one.event.type, one.event.payload["n"]) for one in found]
        assert said == [(type, n) for n in (1, 2, 3) for type in ("first", "second")]
