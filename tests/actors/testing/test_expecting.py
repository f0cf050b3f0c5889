"""What `expect`, `expect_no` and `expect_sequence` hold to be so, and what counts for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from choreia import Agent, ChoreiaError, Event, InvalidLimit, on
from choreia.actors.testing.waiting import PATIENCE
from choreia.runtime.simulation.clock import SimulatedClock
from choreia.testing import EventTestHarness, ExpectationFailed

DELAY = 0.05
"""Seconds, real ones on threads."""


class Payments(Agent):
    @on("order.placed")
    def take(self, event: Event) -> None:
        self.emit("payment.taken", event.payload)


class Shipping(Agent):
    @on("payment.taken")
    def pack(self, event: Event) -> None:
        self.after(DELAY, "shipment.created", event.payload)


class SlowShipping(Agent):
    @on("payment.taken")
    async def pack(self, event: Event) -> None:
        await asyncio.sleep(30)
        self.emit("shipment.created", event.payload)


class TimedShipping(Agent):
    @on("payment.taken")
    def pack(self, event: Event) -> None:
        self.after(30, "shipment.created", event.payload)


# -- expect -----------------------------------------------------------------------------------


def test_what_was_published_is_found_at_once(harness: EventTestHarness) -> None:
    harness.with_agents(Payments).simulate_event("order.placed", {"order": 7})
    harness.wait_idle()
    assert harness.expect("payment.taken", {"order": 7}, within=0).payload == {"order": 7}


def test_what_is_published_in_time_is_found(harness: EventTestHarness) -> None:
    harness.with_agents(Payments, Shipping).simulate_event("order.placed", {"order": 7})
    event = harness.expect("shipment.created", {"order": 7}, within=20)
    assert event.source == "did:choreia:local:shipping"


@pytest.mark.parametrize("shipping", [SlowShipping, TimedShipping])
def test_virtual_time_stops_at_the_moment_of_the_match(
    virtual: EventTestHarness, shipping: type[Agent]
) -> None:
    virtual.with_agents(Payments, shipping)
    virtual.simulate_event("order.placed", {"order": 7})
    virtual.expect_no("shipment.*")
    assert virtual.clock.now() == 0
    virtual.expect("shipment.created", {"order": 7}, within=60)
    assert virtual.clock.now() == 30


def test_what_comes_at_the_very_end_is_in_time(virtual: EventTestHarness) -> None:
    class Ticker(Agent):
        @on("begin")
        def begin(self, event: Event) -> None:
            for tick in range(1, 10):  # each wakes the one who waits, who has to wait on
                self.after(tick / 10, "tick", {"tick": tick})
            self.after(1.1, "rang")

    virtual.with_agents(Ticker).advance(0.7)  # so that sums of floats are not exact
    virtual.simulate_event("begin")
    virtual.expect("rang", within=1.1)
    assert virtual.clock.now() == 0.7 + 1.1


def test_what_comes_after_the_time_is_late(virtual: EventTestHarness) -> None:
    virtual.with_agents(Payments, TimedShipping).simulate_event("order.placed", {"order": 7})
    with pytest.raises(ExpectationFailed):
        virtual.expect("shipment.created", within=29.999)
    assert virtual.clock.now() == 29.999


def test_an_expectation_that_was_met_leaves_no_trace_in_time(virtual: EventTestHarness) -> None:
    virtual.with_agents(Payments).simulate_event("order.placed")
    virtual.expect("payment.taken", within=60)
    assert isinstance(virtual.clock, SimulatedClock)
    assert virtual.clock.next_timer() != 60


def test_an_expectation_ends_with_the_system() -> None:
    harness = EventTestHarness(mode="threads")
    threading.Timer(0.1, harness.system.stop).start()
    with pytest.raises(ExpectationFailed):
        harness.expect("nothing", within=1_000)


def test_by_default_virtual_time_stands_still(virtual: EventTestHarness) -> None:
    virtual.with_agents(Payments, TimedShipping).simulate_event("order.placed", {"order": 7})
    virtual.expect("payment.taken")
    with pytest.raises(ExpectationFailed):
        virtual.expect("shipment.created")
    assert virtual.clock.now() == 0


def test_on_threads_the_default_is_to_wait() -> None:
    go = threading.Event()

    class Waits(Agent):
        @on("begin")
        def begin(self, event: Event) -> None:
            go.wait(10)
            self.emit("ended")

    with EventTestHarness(mode="threads") as harness:
        harness.with_agents(Waits).simulate_event("begin")
        threading.Timer(0.1, go.set).start()
        harness.expect("ended")


@pytest.mark.parametrize("within", [-1, float("inf"), float("nan"), "60", True])
def test_a_time_that_is_none_is_refused(virtual: EventTestHarness, within: float) -> None:
    for check in (virtual.expect, virtual.expect_no, virtual.expect_sequence):
        with pytest.raises(InvalidLimit, match="0 or more"):
            check("order.*", within=within)


def test_a_filter_looks_inside(harness: EventTestHarness) -> None:
    harness.with_agents(Payments)
    for amount in 1, 10, 100:
        harness.simulate_event("order.placed", {"amount": amount})
    event = harness.expect("payment.*", filter={"payload.amount": {"$gt": 5}})
    assert event.payload["amount"] == 10
    harness.expect_no("payment.*", filter={"payload.amount": {"$gt": 100}})


def test_the_first_that_fits_is_returned(harness: EventTestHarness) -> None:
    harness.with_agents(Payments)
    for order in 1, 2:
        harness.simulate_event("order.placed", {"order": order})
    assert harness.expect("payment.taken").payload["order"] == 1
    assert harness.expect("payment.taken", {"order": 2}).payload["order"] == 2


def test_simulated_events_satisfy_nothing(harness: EventTestHarness) -> None:
    harness.with_agents(Payments).simulate_event("order.placed", {"order": 7})
    with pytest.raises(ExpectationFailed, match="1 that was simulated would fit"):
        harness.expect("order.placed", within=0)
    with pytest.raises(ExpectationFailed):
        harness.expect_sequence("order.placed", "payment.taken", within=0)
    harness.expect_no("order.*")


def test_the_runtimes_own_events_count_if_they_are_named(harness: EventTestHarness) -> None:
    harness.with_agents(Payments)
    harness.expect_no("#")
    harness.expect_no("*.started")
    harness.expect("agent.started", {"agent": "payments"})
    harness.expect("agent.*", filter={"payload.name": "payments"})
    with pytest.raises(ExpectationFailed):
        harness.expect_no("agent.started")


# -- what was returned already ----------------------------------------------------------------


def test_several_matchers_may_look_at_one_event(harness: EventTestHarness) -> None:
    harness.with_agents(Payments).simulate_event("order.placed", {"order": 7})
    first = harness.expect("payment.taken")
    assert harness.expect("payment.*", {"order": 7}) is first


def test_after_a_second_stimulus_the_first_answer_does_not_count(
    harness: EventTestHarness,
) -> None:
    harness.with_agents(Payments).simulate_event("order.placed", {"order": 7})
    harness.expect("payment.taken")
    harness.simulate_event("order.cancelled", {"order": 7})
    with pytest.raises(ExpectationFailed) as failed:
        harness.expect("payment.taken", within=0)
    assert "1 more was returned by an earlier expect, and something was simulated since" in str(
        failed.value
    )
    harness.expect_no("payment.taken")


def test_what_no_expectation_returned_counts_after_any_stimulus(
    harness: EventTestHarness,
) -> None:
    harness.with_agents(Payments)
    for order in 1, 2, 3:
        harness.simulate_event("order.placed", {"order": order})
    harness.wait_idle()
    for order in 1, 2, 3:
        assert harness.expect("payment.taken").payload["order"] == order
        harness.simulate_event("something.else")


# -- expect_no --------------------------------------------------------------------------------


def test_expect_no_lets_the_present_instant_happen(virtual: EventTestHarness) -> None:
    virtual.with_agents(Payments, TimedShipping).simulate_event("order.placed", {"order": 7})
    with pytest.raises(ExpectationFailed) as failed:
        virtual.expect_no("payment.*")
    assert isinstance(failed.value.event, Event)
    assert failed.value.event.type == "payment.taken"
    assert virtual.clock.now() == 0


def test_expect_no_lets_the_time_pass(virtual: EventTestHarness) -> None:
    virtual.with_agents(Payments, TimedShipping).simulate_event("order.placed", {"order": 7})
    virtual.expect_no("shipment.*", within=29)
    assert virtual.clock.now() == 29
    with pytest.raises(ExpectationFailed):
        virtual.expect_no("shipment.*", within=10)
    assert virtual.clock.now() == 30


def test_on_threads_expect_no_waits_for_who_is_at_it() -> None:
    begun, go = threading.Event(), threading.Event()

    class Computes(Agent):
        @on("begin")
        def begin(self, event: Event) -> None:
            begun.set()
            go.wait(10)
            self.emit("ended")

    harness = EventTestHarness(mode="threads")
    harness.with_agents(Computes).simulate_event("begin")
    begun.wait(10)
    threading.Timer(0.2, go.set).start()
    with pytest.raises(ExpectationFailed):
        harness.expect_no("ended")
    harness.close()


def test_on_threads_expect_no_does_not_wait_for_who_only_waits() -> None:
    with EventTestHarness(mode="threads", allow=("in_flight",)) as harness:
        harness.with_agents(Payments, SlowShipping).simulate_event("order.placed", {"order": 7})
        harness.expect("payment.taken")
        before = harness.clock.monotonic()
        harness.expect_no("shipment.*")
        assert harness.clock.monotonic() - before < PATIENCE


def test_a_question_that_fails_is_no_answer_no(harness: EventTestHarness) -> None:
    harness.with_agents(Payments).simulate_event("order.placed", {"order": 7})
    with pytest.raises(ExpectationFailed, match=r"cannot be told .* raised KeyError: 'oder'"):
        harness.expect_no("payment.taken", lambda event: event.payload["oder"] == 8)


# -- expect_sequence --------------------------------------------------------------------------


def test_a_sequence_may_have_others_between(harness: EventTestHarness) -> None:
    class Talks(Agent):
        @on("begin")
        def begin(self, event: Event) -> Iterator[tuple[str, dict[str, int]]]:
            for number in range(6):
                yield f"said.{'ab'[number % 2]}", {"number": number}

    harness.with_agents(Talks).simulate_event("begin")
    found = harness.expect_sequence("said.a", ("said.b", {"number": 3}), "said.*")
    assert [event.payload["number"] for event in found] == [0, 3, 4]
    with pytest.raises(ExpectationFailed):
        harness.expect_sequence("said.b", ("said.a", {"number": 0}), within=0)
    with pytest.raises(ExpectationFailed):  # one event is one step
        harness.expect_sequence(("said.a", {"number": 4}), "said.a", within=0)


def test_a_sequence_has_its_time_as_a_whole(virtual: EventTestHarness) -> None:
    virtual.with_agents(Payments, TimedShipping).simulate_event("order.placed", {"order": 7})
    virtual.advance(10)
    virtual.simulate_event("order.placed", {"order": 8})
    with pytest.raises(ExpectationFailed):
        virtual.expect_sequence("shipment.created", "shipment.created", within=29)
    assert virtual.clock.now() == 39
    first, second = virtual.expect_sequence("shipment.created", "shipment.created", within=1)
    assert (first.payload["order"], second.payload["order"]) == (7, 8)
    assert virtual.clock.now() == 40


def test_a_sequence_looks_at_all_that_was_recorded(harness: EventTestHarness) -> None:
    harness.with_agents(Payments).simulate_event("order.placed", {"order": 7})
    harness.expect("payment.taken")
    harness.simulate_event("order.placed", {"order": 8})
    first, second = harness.expect_sequence("payment.taken", "payment.taken")
    assert (first.payload["order"], second.payload["order"]) == (7, 8)


def test_what_a_sequence_returned_is_taken_too(harness: EventTestHarness) -> None:
    harness.with_agents(Payments).simulate_event("order.placed", {"order": 7})
    harness.expect_sequence("payment.taken")
    harness.simulate_event("something.else")
    harness.expect_no("payment.taken")


def test_a_sequence_of_nothing_is_refused(virtual: EventTestHarness) -> None:
    with pytest.raises(ChoreiaError, match="would always hold"):
        virtual.expect_sequence()
    with pytest.raises(ChoreiaError, match="not 3 things"):
        virtual.expect_sequence(("a", {}, {}))
