"""What is remembered of a case, while its events move."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from choreia import ActorSystem, Agent, Event, MemoryStore, on
from choreia.runtime.insight.memory import Memory
from choreia.runtime.insight.story import State
from choreia.runtime.insight.verdict import Word
from choreia.runtime.simulation.faults import Unreliable


class Hears(Agent):
    @on("go")
    def go(self, event: Event) -> None:
        self.emit("gone")


class Looks(Agent):
    passive = True

    @on("go")
    def go(self, event: Event) -> None:
        """Nothing."""


@pytest.fixture
def system() -> Any:
    with ActorSystem(mode="simulated", seed=0, heartbeat=None) as system:
        system.spawn(Hears)
        system.spawn(Looks)
        system.wait_idle()
        yield system


def counts(system: ActorSystem) -> Any:
    return system._engine.cases


def test_what_cannot_be_found_though_it_is_in_flight_is_on_its_way(system: ActorSystem) -> None:
    event = system.publish("go")
    system.wait_idle()
    assert system.case(event).verdict.over
    counts(system).more(event)  # between a mailbox and a hand
    verdict = system.case(event).verdict
    assert verdict.word is Word.RUNNING
    assert [(one.event_id, one.agent, one.state) for one in verdict.in_flight] == [
        (event.id, "hears", State.QUEUED)
    ]
    assert [one.verdict.word for one in system.cases()] == [Word.RUNNING]
    counts(system).ended([event])
    assert system.case(event).verdict.over


def test_so_it_is_when_nothing_at_all_is_known_of_its_events(system: ActorSystem) -> None:
    event = system.publish("go")
    system.wait_idle()
    counts(system)._trail.clear()
    counts(system).more(event)
    verdict = system.case(event.id).verdict
    assert verdict.word is Word.RUNNING
    assert verdict.reason == "in flight: something that cannot be found just now"
    counts(system).ended([event])


def test_who_only_looks_on_is_not_on_its_way_for_it(system: ActorSystem) -> None:
    system.pause("looks")
    event = system.publish("go")
    system.advance(1)
    verdict = system.case(event).verdict
    assert (verdict.over, verdict.in_flight) == (True, ())
    states = {one.agent: (one.state, one.passive) for one in system.case(event).story.deliveries}
    assert states == {"hears": (State.HANDLED, False), "looks": (State.QUEUED, True)}
    system.resume("looks")


def test_of_one_case_or_of_all(system: ActorSystem) -> None:
    one, other = system.publish("go"), system.publish("go")
    cells = system._roster.all()
    alone = Memory(system._engine, cells, one.id)
    both = Memory(system._engine, cells)
    assert list(alone.by_case) == [one.id]
    assert {one.id, other.id} <= set(both.by_case)
    assert alone.flying(one.id)
    assert both.flying(other.id)
    system.wait_idle()


def test_an_event_that_was_said_twice_is_one_and_nothing_is_missing() -> None:
    with ActorSystem(mode="simulated", seed=0, heartbeat=None) as system:
        Unreliable(double=1).begin(system._engine)
        system.spawn(Hears)
        event = system.publish("go")
        system.wait_idle()
        assert counts(system).find(event.id).events == 3  # what it says is the same both times
        assert [one.type for one in system.case(event).events] == ["go", "gone"]
        assert system.case(event).verdict.whole


def test_what_has_been_forgotten_is_not_whole() -> None:
    with ActorSystem(mode="simulated", seed=0, heartbeat=None, remember=2) as system:
        first = system.publish("go", correlation_id="case")
        assert system.case(first).verdict.whole
        for _ in range(2):
            system.publish("go", correlation_id="case")
        assert not system.case("case").verdict.whole


# -- beside a log ----------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [True, False])
def test_who_has_no_cursor_holds_a_case_open(store: bool) -> None:
    begun, hold = threading.Event(), threading.Event()

    def handle(event: Event) -> None:
        begun.set()
        hold.wait(20)

    with ActorSystem(store=MemoryStore() if store else None, heartbeat=None) as system:
        system.subscribe("go", handle, name="live", durable=False if store else None)
        event = system.publish("go")
        assert begun.wait(20)
        try:
            verdict = system.case(event).verdict
            assert verdict.word is Word.RUNNING
            assert [(one.agent, one.state) for one in verdict.in_flight] == [
                ("live", State.IN_HAND)
            ]
        finally:
            hold.set()
        assert system.case(event).wait(20).word is Word.DIED


def test_what_was_told_holds_it_open_too() -> None:
    with ActorSystem(mode="simulated", store=MemoryStore(), heartbeat=None) as system:
        ref = system.spawn(Hears)
        event = system.publish("else")
        system.wait_idle()
        assert system.case(event).verdict.over
        system.pause("hears")
        system.wait_idle()
        ref.tell(event)
        verdict = system.case(event).verdict
        assert verdict.word is Word.STUCK
        assert verdict.reason.endswith("it is paused")
        system.resume("hears")
        system.wait_idle()
        assert system.case(event).verdict.over


@pytest.mark.parametrize("passive", [False, True])
@pytest.mark.parametrize("store", [True, False])
def test_what_was_dropped_is_named_with_a_store_too(store: bool, passive: bool) -> None:
    log = MemoryStore() if store else None
    with ActorSystem(mode="simulated", store=log, heartbeat=None) as system:
        system.subscribe(
            "go",
            lambda event: None,
            name="small",
            mailbox=1,
            overflow="drop_newest",
            passive=passive,
            durable=False if store else None,
        )
        system.wait_idle()
        system.publish("go", correlation_id="kept")
        system.publish("go", correlation_id="dropped")
        system.wait_idle()
        lost = [(one.agent, one.state) for one in system.case("dropped").verdict.lost]
        assert lost == ([] if passive else [("small", State.DROPPED)])
        assert system.case("kept").verdict.lost == ()


def test_what_a_fault_lost_is_named_with_a_store_too() -> None:
    with ActorSystem(mode="simulated", store=MemoryStore(), heartbeat=None) as system:
        system.spawn(Hears)
        system.spawn(Looks)
        system.wait_idle()
        Unreliable(lose=1).begin(system._engine)
        event = system.publish("go")
        system.wait_idle()
        verdict = system.case(event).verdict
        assert verdict.word is Word.DIED
        assert [(one.agent, one.state) for one in verdict.lost] == [("hears", State.LOST)]
