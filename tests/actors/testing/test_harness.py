"""The harness as a whole: agents, stimuli, time, and looking at what was said."""

from __future__ import annotations

import asyncio

import pytest
from attrs import frozen

from choreia import (
    Agent,
    CaseLimits,
    ChoreiaError,
    DuplicateName,
    Event,
    InvalidAgent,
    UnknownAgent,
    event_type,
    on,
)
from choreia.testing import EventTestHarness, ExpectationFailed


@event_type("tea.ordered")
@frozen
class TeaOrdered:
    cups: int


class Kitchen(Agent):
    def __init__(self, sugar: bool = False) -> None:
        super().__init__()
        self.sugar = sugar

    @on("tea.ordered")
    def brew(self, event: Event) -> None:
        self.emit("tea.brewed", {**event.payload, "sugar": self.sugar})


class Waiter(Agent):
    @on("tea.brewed")
    def serve(self, event: Event) -> None:
        self.emit("tea.served", event.payload)


# -- agents -----------------------------------------------------------------------------------


def test_classes_and_factories_become_agents_named_for_their_class(
    harness: EventTestHarness,
) -> None:
    assert harness.with_agents(lambda: Kitchen(sugar=True), Waiter) is harness
    harness.simulate_event(TeaOrdered(cups=2))
    served = harness.expect("tea.served", {"cups": 2, "sugar": True})
    assert served.source == "did:choreia:local:waiter"


def test_more_agents_may_come_later(harness: EventTestHarness) -> None:
    harness.with_agents(Kitchen).simulate_event(TeaOrdered(cups=1))
    harness.expect("tea.brewed")
    ref = harness.with_agents(Waiter).spawn(Waiter, name="second", mailbox=5)
    assert ref.name == "second"
    harness.simulate_event(TeaOrdered(cups=2))
    harness.wait_idle()
    assert len(harness.published_events("tea.served")) == 2
    with pytest.raises(DuplicateName):
        harness.with_agents(Waiter)


def test_the_options_of_the_system_are_given_first(virtual: EventTestHarness) -> None:
    virtual.with_agents(node="here", limits=CaseLimits(hops=3))
    assert virtual.system.node == "here"
    with pytest.raises(ChoreiaError, match=r"with_agents\(…, node, seed\).* begun already"):
        virtual.with_agents(Kitchen, seed=7, node="there")
    assert not virtual.published_events("agent.*")


def test_the_first_use_of_anything_begins_an_empty_system() -> None:
    with EventTestHarness() as harness:
        harness.expect_no("#")
        harness.simulate_event("tea.ordered", {"cups": 1})
        assert harness.clock is harness.system.clock
        harness.with_agents(Kitchen)
    with EventTestHarness() as unused:
        assert unused.report() == "no system was started"


def test_what_with_agents_says_goes_before_what_the_harness_was_made_with() -> None:
    with EventTestHarness(mode="threads") as harness:
        harness.with_agents(Kitchen, mode="simulated", seed=7)
        harness.advance(1_000)
        assert harness.clock.now() == 1_000
        assert "seed 7 (to repeat it: the test gives it)" in harness.report()


def test_the_seed_decides_the_order() -> None:
    class Voice(Agent):
        @on("begin")
        def speak(self, event: Event) -> None:
            self.emit(f"said.{self.name}")

    def order(seed: int) -> list[str]:
        with EventTestHarness(seed=seed) as harness:
            for name in "abcdef":
                harness.spawn(Voice, name=name)
            harness.simulate_event("begin")
            return [event.type[-1] for event in harness.published_events()]

    assert order(3) == order(3)
    assert len({tuple(order(seed)) for seed in range(5)}) > 1


# -- stimuli ----------------------------------------------------------------------------------


def test_an_event_is_simulated_in_three_ways(harness: EventTestHarness) -> None:
    harness.with_agents(Kitchen)
    whole = Event("tea.ordered", "table-4", {"cups": 3})
    assert harness.simulate_event("tea.ordered", {"cups": 1}).payload == {"cups": 1}
    assert harness.simulate_event(TeaOrdered(cups=2)).payload == {"cups": 2}
    assert harness.simulate_event(whole).id == whole.id
    harness.wait_idle()
    assert [e.payload["cups"] for e in harness.published_events()] == [1, 2, 3]


def test_what_an_event_comes_with_can_be_given(harness: EventTestHarness) -> None:
    event = harness.simulate_event(
        "tea.ordered",
        {"cups": 1},
        source="table-4",
        correlation_id="evening",
        causation_id="thirst",
        version="1.1.0",
        id="tea-1",
        extensions={"tenant": "a"},
    )
    assert (event.source, event.id, event.metadata.version) == ("table-4", "tea-1", "1.1.0")
    assert event.metadata.correlation_id == "evening"
    assert event.metadata.causation_id == "thirst"
    assert event.metadata.extensions == {"tenant": "a"}


# -- time -------------------------------------------------------------------------------------


class Oven(Agent):
    @on("bread.kneaded")
    async def bake(self, event: Event) -> None:
        await asyncio.sleep(0.05)
        self.emit("bread.baked")


def test_time_passes_in_virtual_steps(virtual: EventTestHarness) -> None:
    virtual.with_agents(Oven).simulate_event("bread.kneaded")
    virtual.advance(0.04)
    assert not virtual.published_events()
    virtual.advance(0.01)
    assert [event.type for event in virtual.published_events()] == ["bread.baked"]
    assert virtual.clock.now() == 0.05


def test_time_passes_on_threads() -> None:
    with EventTestHarness(mode="threads") as harness:
        harness.with_agents(Oven).simulate_event("bread.kneaded")
        before = harness.clock.monotonic()
        harness.advance(0.1)
        assert harness.clock.monotonic() - before >= 0.1
        harness.wait_idle(20)
        assert harness.published_events("bread.*")


def test_waiting_for_idleness_lets_time_pass(virtual: EventTestHarness) -> None:
    virtual.with_agents(Oven).simulate_event("bread.kneaded")
    virtual.wait_idle()
    assert virtual.clock.now() == 0.05


@pytest.mark.parametrize("seconds", [-1, float("inf"), "1"])
def test_no_other_time_passes(virtual: EventTestHarness, seconds: float) -> None:
    with pytest.raises(ChoreiaError, match=f"seconds={seconds!r}: give a number"):
        virtual.advance(seconds)


# -- looking ----------------------------------------------------------------------------------


def test_published_events_are_what_the_agents_said(harness: EventTestHarness) -> None:
    harness.with_agents(Kitchen, Waiter).simulate_event(TeaOrdered(cups=2))
    said = [event.type for event in harness.published_events()]
    assert said == ["tea.brewed", "tea.served"]
    assert [event.type for event in harness.published_events("#.served")] == ["tea.served"]
    assert not harness.published_events("tea.ordered")


def test_published_events_settles_and_lets_no_time_pass(virtual: EventTestHarness) -> None:
    virtual.with_agents(Kitchen, Oven).simulate_event(TeaOrdered(cups=2))
    virtual.simulate_event("bread.kneaded")
    assert [event.type for event in virtual.published_events()] == ["tea.brewed"]
    assert virtual.clock.now() == 0
    virtual.advance(1)


def test_the_runtimes_own_events_are_left_out_unless_they_are_named(
    harness: EventTestHarness,
) -> None:
    harness.with_agents(Kitchen)
    assert not harness.published_events()
    assert not harness.published_events("*.started")
    assert "agent.started" in [event.type for event in harness.published_events("agent.*")]


# -- pausing ----------------------------------------------------------------------------------


def test_an_agent_is_paused_and_resumed_by_name_ref_or_class(harness: EventTestHarness) -> None:
    harness.with_agents(Kitchen)
    for agent in ("kitchen", Kitchen, harness.system.ref("kitchen")):
        harness.pause(agent)
        harness.simulate_event(TeaOrdered(cups=2))
        harness.expect_no("tea.brewed")
        harness.resume(agent)
        harness.expect("tea.brewed")


def test_a_class_must_say_which_agent_is_meant(virtual: EventTestHarness) -> None:
    virtual.spawn(Kitchen, name="first")
    virtual.pause(Kitchen)
    virtual.expect("agent.paused", {"agent": "first"})
    virtual.spawn(Kitchen, name="second")
    with pytest.raises(InvalidAgent, match="Kitchen is the class of first, second"):
        virtual.pause(Kitchen)
    with pytest.raises(UnknownAgent):
        virtual.pause(Waiter)
    virtual.resume("first")


# -- crashing and restarting ------------------------------------------------------------------


class Counter(Agent):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @on("counted")
    def add(self, event: Event) -> None:
        self.count += 1
        self.emit("sum", {"count": self.count})


@pytest.mark.parametrize("at_once", [True, False])
def test_a_crashed_agent_is_dead_until_it_is_restarted(
    harness: EventTestHarness, at_once: bool
) -> None:
    ref = harness.with_agents(Counter).system.ref("counter")
    harness.simulate_event("counted")
    harness.expect("sum", {"count": 1})
    harness.crash(Counter)
    if not at_once:
        harness.simulate_event("counted")
        harness.expect_no("sum", {"count": 2})
        harness.expect_no("sum", {"count": 1})
    harness.restart(ref)
    harness.expect("agent.restarted", filter={"payload.agent": "counter"})
    if at_once:
        harness.simulate_event("counted")
    harness.expect("sum", {"count": 1})  # by a new instance, from the same mailbox
    assert harness.system.ref("counter") == ref
    harness.close()


def test_a_crashed_agent_leaves_its_queue_in_flight(harness: EventTestHarness) -> None:
    harness.with_agents(Counter).crash("counter")
    harness.simulate_event("counted")
    with pytest.raises(ExpectationFailed, match="still in flight:\n  counter: dead, 1 queued"):
        harness.close()


def test_a_healthy_agent_is_restarted_too(harness: EventTestHarness) -> None:
    harness.with_agents(Counter)
    for _ in range(2):
        harness.simulate_event("counted")
        harness.expect("sum", {"count": 1})
        harness.restart("counter")
    harness.expect_no("event.dead_lettered")
    harness.close()


def test_who_is_not_there_can_neither_crash_nor_restart(virtual: EventTestHarness) -> None:
    for do in (virtual.crash, virtual.restart):
        with pytest.raises(UnknownAgent):
            do("nobody")


# -- in a `with` ------------------------------------------------------------------------------


def test_an_exception_in_the_block_is_not_hidden(harness: EventTestHarness) -> None:
    class Breaks(Agent):
        retry = None

        @on("begin")
        def begin(self, event: Event) -> None:
            raise ValueError("broken")

    harness.with_agents(Breaks).simulate_event("begin")
    harness.wait_idle()
    with pytest.raises(ZeroDivisionError), harness:
        raise ZeroDivisionError
    assert not harness.system.inspect().agents


def test_what_failed_in_the_block_is_told_once(harness: EventTestHarness) -> None:
    with pytest.raises(ExpectationFailed, match="but it was not published"), harness:
        harness.expect("nothing", within=0)
    harness.close()  # and does nothing more
