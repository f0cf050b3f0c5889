"""What a failed expectation says, to the letter."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest
from dirty_equals import IsInt

from choreia import Agent, Event, on
from choreia.testing import EventTestHarness, ExpectationFailed


class Payments(Agent):
    @on("order.placed")
    def take(self, event: Event) -> None:
        self.emit("payment.taken", event.payload)


class Shipping(Agent):
    @on("payment.taken")
    def pack(self, event: Event) -> None:
        self.after(30, "shipment.created", event.payload)


@pytest.fixture
def shop(virtual: EventTestHarness) -> EventTestHarness:
    virtual.with_agents(Payments, Shipping)
    virtual.simulate_event("order.placed", {"order": 8})
    return virtual


def message(check: Callable[[], object]) -> str:
    with pytest.raises(ExpectationFailed) as failed:
        check()
    return str(failed.value)


def text(block: str) -> str:
    return textwrap.dedent(block).strip("\n")


STORY = """
at 60 s of virtual time; seed 0 (to repeat it: EventTestHarness(seed=0))

what happened:
  order.placed {'order': 8}, simulated, at 0 s
    payment.taken {'order': 8}, from payments, at 0 s
      shipment.created {'order': 8}, from shipping, at 30 s"""


def test_a_payload_that_differs(shop: EventTestHarness) -> None:
    told = message(lambda: shop.expect("shipment.created", {"order": 7}, within=60))
    assert told == text("""
        expected within 60 s of virtual time: shipment.created with {'order': 7}
        but it was not published

        nearest:
          shipment.created {'order': 8}, from shipping, at 30 s
            payload.order: expected 7, got 8
        """) + "\n" + STORY  # fmt: skip


def test_the_right_payload_of_another_type(shop: EventTestHarness) -> None:
    told = message(lambda: shop.expect("shipment.delivered", {"order": 8}, within=60))
    assert told == text("""
        expected within 60 s of virtual time: shipment.delivered with {'order': 8}
        but it was not published

        nearest:
          payment.taken {'order': 8}, from payments, at 0 s
            type: expected shipment.delivered, got payment.taken
          shipment.created {'order': 8}, from shipping, at 30 s
            type: expected shipment.delivered, got shipment.created
        """) + "\n" + STORY  # fmt: skip


def test_nothing_near(shop: EventTestHarness) -> None:
    told = message(lambda: shop.expect("invoice.#", within=60))
    assert told == text("""
        expected within 60 s of virtual time: invoice.#
        but it was not published
        """) + "\n" + STORY  # fmt: skip


def test_nothing_at_all(virtual: EventTestHarness) -> None:
    assert message(lambda: virtual.expect("invoice.#")) == text("""
        expected within 0 s of virtual time: invoice.#
        but it was not published

        at 0 s of virtual time; seed 0 (to repeat it: EventTestHarness(seed=0))

        what happened:
          nothing
        """)


def test_what_was_returned_and_what_was_simulated(shop: EventTestHarness) -> None:
    shop.expect("payment.taken")
    shop.simulate_event("payment.taken", {"order": 9})
    told = message(lambda: shop.expect("payment.taken"))
    assert told.startswith(
        text("""
        expected within 0 s of virtual time: payment.taken
        but it was not published
        1 more was returned by an earlier expect, and something was simulated since
        1 that was simulated would fit, but does not count
        """)
    )


def test_a_filter_that_did_not_hold(shop: EventTestHarness) -> None:
    told = message(
        lambda: shop.expect("payment.*", {"order": 8}, filter={"payload.order": {"$lt": 8}})
    )
    assert "where {'payload.order': {'$lt': 8}}" in told
    assert "\n    filter: payload.order must be {'$lt': 8}, found 8\n" in told
    told = message(lambda: shop.expect("payment.*", filter={"payload.tax": 1}))
    assert "\n    filter: payload.tax must be {'$eq': 1}, found nothing\n" in told


def test_a_function_that_said_no_or_raised(shop: EventTestHarness) -> None:
    def is_seven(event: Event) -> bool:
        return bool(event.payload["order"] == 7)

    assert "\n    is_seven() says no\n" in message(lambda: shop.expect("payment.*", is_seven))
    told = message(lambda: shop.expect("payment.*", lambda event: event.payload["oder"] == 8))
    assert "\n    the lambda raised KeyError: 'oder'\n" in told


def test_the_nearest_come_first_and_three_at_most(virtual: EventTestHarness) -> None:
    class Talks(Agent):
        @on("begin")
        def begin(self, event: Event) -> None:
            self.emit("other", {"a": 1, "b": 2, "c": 3})
            self.emit("said", {"a": 9, "b": 9, "c": 9})
            self.emit("said", {"a": 1, "b": 9, "c": 9})
            self.emit("said", {"a": 1, "b": 2, "c": 9})
            self.emit("said", {"a": 1, "b": 2})

    virtual.with_agents(Talks).simulate_event("begin")
    told = message(lambda: virtual.expect("said", {"a": 1, "b": 2, "c": IsInt(lt=5)}))
    near = told.partition("nearest:\n")[2].partition("\n\n")[0]
    assert near == (
        "  said {'a': 1, 'b': 2, 'c': 9}, from talks, at 0 s\n"
        "    payload.c: expected IsInt(lt=5), got 9\n"
        "  said {'a': 1, 'b': 2}, from talks, at 0 s\n"
        "    payload.c: expected IsInt(lt=5), missing\n"
        "  said {'a': 1, 'b': 9, 'c': 9}, from talks, at 0 s\n"
        "    payload.b: expected 2, got 9\n"
        "    payload.c: expected IsInt(lt=5), got 9"
    )


def test_many_faults_of_one_event_are_cut(virtual: EventTestHarness) -> None:
    class Talks(Agent):
        @on("begin")
        def begin(self, event: Event) -> None:
            self.emit("said", {f"k{n}": n for n in range(15)})

    virtual.with_agents(Talks).simulate_event("begin")
    assert "\n    … and 5 more\n" in message(lambda: virtual.expect("said", {}))


def test_what_should_not_have_come_with_its_causes(shop: EventTestHarness) -> None:
    shop.simulate_event("something.else")
    assert message(lambda: shop.expect_no("shipment.*", within=60)) == text("""
        not expected within 60 s of virtual time: shipment.*
        but it was published:
          order.placed {'order': 8}, simulated, at 0 s
            payment.taken {'order': 8}, from payments, at 0 s
              shipment.created {'order': 8}, from shipping, at 30 s

        at 30 s of virtual time; seed 0 (to repeat it: EventTestHarness(seed=0))
        """)


def test_what_cannot_be_told(shop: EventTestHarness) -> None:
    told = message(lambda: shop.expect_no("payment.*", lambda event: event.payload["oder"]))
    assert told.startswith(
        text("""
        not expected within 0 s of virtual time: payment.* that the lambda says yes to
        it cannot be told of this event, since the lambda raised KeyError: 'oder':
          order.placed {'order': 8}, simulated, at 0 s
            payment.taken {'order': 8}, from payments, at 0 s
        """)
    )


def test_how_far_a_sequence_got(shop: EventTestHarness) -> None:
    told = message(
        lambda: shop.expect_sequence(
            "payment.taken", ("shipment.created", {"order": 7}), "invoice.*", within=60
        )
    )
    assert told == text("""
        expected in this order, within 60 s of virtual time:
          ✓ 1. payment.taken  (payment.taken {'order': 8}, from payments, at 0 s)
          ✗ 2. shipment.created with {'order': 7}  (did not come)
            3. invoice.*

        nearest:
          shipment.created {'order': 8}, from shipping, at 30 s
            payload.order: expected 7, got 8

        what came instead:
          shipment.created {'order': 8}, from shipping, at 30 s
        """) + "\n" + STORY  # fmt: skip


def test_a_step_that_came_too_early(shop: EventTestHarness) -> None:
    told = message(lambda: shop.expect_sequence("shipment.*", "payment.*", within=60))
    assert told.partition("\n\n")[0] == text("""
        expected in this order, within 60 s of virtual time:
          ✓ 1. shipment.*  (shipment.created {'order': 8}, from shipping, at 30 s)
          ✗ 2. payment.*  (did not come)
        it did come, but too early: payment.taken {'order': 8}, from payments, at 0 s
        """)
    assert "what came instead:\n  nothing\n" in told


def test_a_step_that_was_met_did_not_come_too_early(shop: EventTestHarness) -> None:
    told = message(lambda: shop.expect_sequence("payment.*", "shipment.*", "payment.*", within=60))
    assert "✗ 3. payment.*" in told
    assert "too early" not in told


def test_the_runtimes_own_are_told_if_they_are_asked_for(virtual: EventTestHarness) -> None:
    virtual.with_agents(Payments)
    told = message(lambda: virtual.expect("agent.paused", {"agent": "payments"}))
    assert "agent.started {'agent': 'payments'}" in told
    assert "agent.started" not in message(lambda: virtual.expect("#.paused"))


def test_threads_have_real_time_and_no_seed() -> None:
    harness = EventTestHarness(mode="threads")
    told = message(lambda: harness.expect("nothing", within=0.01))
    harness.close()
    assert "expected within 0.01 s of real time: nothing" in told
    assert "s of real time; on threads, whose order no seed repeats" in told


def test_what_came_instead_is_cut(virtual: EventTestHarness) -> None:
    class Talks(Agent):
        @on("begin")
        def begin(self, event: Event) -> None:
            for _ in range(15):
                self.emit("said")

    virtual.with_agents(Talks).simulate_event("begin")
    told = message(lambda: virtual.expect_sequence("asked"))
    assert "\n  … and 5 more\n" in told


def test_what_raised_and_what_goes_on_is_told() -> None:
    """With the default patience nothing has come of the error yet, and yet it is why."""

    class Bank(Agent):
        @on("order.placed")
        def charge(self, event: Event) -> None:
            raise ConnectionError("the bank is closed")

    h = EventTestHarness(allow=("handler_errors", "in_flight"))
    with h.with_agents(Bank):
        h.simulate_event("order.placed")
        with pytest.raises(ExpectationFailed) as failed:
            h.expect("payment.taken")
        text = str(failed.value)
        assert (
            "handlers that raised:\n"
            "  charge of bank, attempt 1 at order.placed: ConnectionError: the bank is closed\n"
        ) in text
        assert "still going on:\n  bank: backoff in charge with order.placed" in text
        h.advance(10)
        with pytest.raises(ExpectationFailed) as failed:
            h.expect("payment.taken")
        assert str(failed.value).count("charge of bank, attempt") == 3
        assert "still going on" not in str(failed.value)
        h.expect("event.dead_lettered")
