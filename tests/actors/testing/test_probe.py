"""Probes: what they collect, and what they wait for."""

from __future__ import annotations

import threading

import pytest

from choreia import Agent, Event, InvalidLimit, on
from choreia.testing import EventTestHarness, ExpectationFailed, Probe


class Doubler(Agent):
    @on("number")
    def double(self, event: Event) -> None:
        self.emit("doubled", {"value": 2 * event.payload["value"]})


def numbers(events: list[Event]) -> list[int]:
    return [event.payload["value"] for event in events]


def test_it_collects_from_its_creation_on(harness: EventTestHarness) -> None:
    harness.with_agents(Doubler).simulate_event("number", {"value": 1})
    harness.wait_idle()
    probe = harness.probe("#")
    assert isinstance(probe, Probe)
    harness.simulate_event("number", {"value": 2})
    assert numbers(probe.events) == [2, 4]
    assert len(probe) == 2
    assert numbers(list(probe)) == [2, 4]


def test_it_goes_by_pattern_and_filter(harness: EventTestHarness) -> None:
    harness.with_agents(Doubler)
    probe = harness.probe("doubled", filter={"payload.value": {"$gt": 3}})
    for value in 1, 2, 3:
        harness.simulate_event("number", {"value": value})
    harness.wait_idle()
    assert numbers(probe.events) == [4, 6]


def test_next_gives_one_after_the_other(harness: EventTestHarness) -> None:
    harness.with_agents(Doubler)
    probe = harness.probe("doubled")
    for value in 1, 2:
        harness.simulate_event("number", {"value": value})
    assert numbers([probe.next(), probe.next()]) == [2, 4]
    probe.expect_none()
    with pytest.raises(ExpectationFailed, match=r"2 came before, and next\(\) returned them"):
        probe.next(within=0)
    assert len(probe) == 2


def test_next_waits_in_virtual_time(virtual: EventTestHarness) -> None:
    class Alarm(Agent):
        @on("set")
        def set(self, event: Event) -> None:
            self.after(30, "rang")

    probe = virtual.with_agents(Alarm).probe("rang")
    virtual.simulate_event("set")
    with pytest.raises(ExpectationFailed):
        probe.next()
    probe.expect_none(within=29)
    probe.next(within=10)
    assert virtual.clock.now() == 30


def test_expect_none_fails_with_the_event(harness: EventTestHarness) -> None:
    probe = harness.with_agents(Doubler).probe("doubled")
    harness.simulate_event("number", {"value": 1})
    with pytest.raises(ExpectationFailed, match="not expected within 0 s") as failed:
        probe.expect_none()
    assert isinstance(failed.value.event, Event)
    assert failed.value.event.payload == {"value": 2}


def test_expect_none_waits_for_who_is_at_it() -> None:
    begun, go = threading.Event(), threading.Event()

    class Computes(Agent):
        @on("begin")
        def begin(self, event: Event) -> None:
            begun.set()
            go.wait(10)
            self.emit("ended")

    with EventTestHarness(mode="threads") as harness:
        probe = harness.with_agents(Computes).probe("ended")
        harness.simulate_event("begin")
        begun.wait(10)
        threading.Timer(0.2, go.set).start()
        with pytest.raises(ExpectationFailed):
            probe.expect_none()


def test_the_runtimes_own_events_are_collected_if_named(harness: EventTestHarness) -> None:
    everything, agents = harness.probe("#"), harness.probe("agent.*")
    harness.with_agents(Doubler)
    assert "agent.started" in [event.type for event in agents]
    assert not everything.events


def test_it_needs_a_number_of_seconds(virtual: EventTestHarness) -> None:
    probe = virtual.probe("#")
    for wait in (probe.next, probe.expect_none):
        with pytest.raises(InvalidLimit):
            wait(within=-1)
