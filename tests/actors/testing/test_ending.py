"""What a test may not leave behind, unless it expected it or allows it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Literal

import pytest

from choreia import ActorSystem, Agent, Event, GiveUp, Retry, on
from choreia.actors.testing.leaks import running
from choreia.runtime.delivery.gate import Gate
from choreia.testing import EventTestHarness, ExpectationFailed


class Bank(Agent):
    retry = Retry(attempts=2, delay=0)

    @on("order.placed")
    def charge(self, event: Event) -> None:
        if event.payload.get("broken"):
            raise ConnectionError("the bank is closed")
        if event.payload.get("refused"):
            raise GiveUp("no money")


class Flaky(Agent):
    retry = Retry(attempts=2, delay=0)

    def __init__(self) -> None:
        super().__init__()
        self.failed = False

    @on("order.placed")
    def charge(self, event: Event) -> None:
        if not self.failed:
            self.failed = True
            raise ConnectionError("try again")
        self.emit("payment.taken")


class Sleeper(Agent):
    @on("order.placed")
    async def sleep(self, event: Event) -> None:
        await asyncio.sleep(3_600)


def end(harness: EventTestHarness) -> list[str]:
    """The faults that ending `harness` tells of."""
    try:
        harness.close()
    except ExpectationFailed as failed:
        return list(failed.faults)
    return []


def test_a_test_that_leaves_nothing_passes(harness: EventTestHarness) -> None:
    harness.with_agents(Bank).simulate_event("order.placed")
    assert end(harness) == []
    assert end(harness) == []  # and once more


# -- dead letters and errors ------------------------------------------------------------------


def test_a_dead_letter_that_nobody_expected(harness: EventTestHarness) -> None:
    harness.with_agents(Bank).simulate_event("order.placed", {"broken": True})
    with pytest.raises(ExpectationFailed) as failed:
        harness.close()
    assert isinstance(failed.value, AssertionError)
    told = "order.placed at bank (failed after 2 attempts): ConnectionError: the bank is closed"
    assert failed.value.faults == (told,)  # and not its errors once more
    assert str(failed.value).startswith(
        "the test left 1 fault behind\n\n"
        "dead letters that nobody expected:\n"
        f"  {told}\n"
        "  (to allow them: allow(dead_letters=True), or a type, an agent, a reason, a class of "
        'errors; or expect("event.dead_lettered"))\n'
    )
    assert "what happened:\n  order.placed {'broken': True}, simulated, at " in str(failed.value)


@pytest.mark.parametrize(
    "allowance", [True, "order.*", "bank", "failed", ConnectionError, ("x", "bank")]
)
def test_a_dead_letter_that_is_allowed(harness: EventTestHarness, allowance: Any) -> None:
    harness.allow(dead_letters=allowance)
    harness.with_agents(Bank).simulate_event("order.placed", {"broken": True})
    assert end(harness) == []


@pytest.mark.parametrize("allowance", ["order.paid", "shop", "gave_up", ValueError])
def test_a_dead_letter_that_is_another(harness: EventTestHarness, allowance: Any) -> None:
    harness.allow(dead_letters=allowance)
    harness.with_agents(Bank).simulate_event("order.placed", {"broken": True})
    assert len(end(harness)) == 1


def test_a_dead_letter_that_was_expected(harness: EventTestHarness) -> None:
    harness.with_agents(Bank).simulate_event("order.placed", {"broken": True})
    harness.expect("event.dead_lettered", filter={"payload.agent": "bank"})
    harness.simulate_event("order.placed", {"refused": True})
    assert end(harness) == ["order.placed at bank (gave_up): GiveUp: no money"]


def test_all_ways_to_expect_a_dead_letter(harness: EventTestHarness) -> None:
    probe = harness.probe("event.*")
    harness.with_agents(Bank).simulate_event("order.placed", {"broken": True})
    harness.expect_sequence("event.dead_lettered")
    harness.simulate_event("order.placed", {"refused": True})
    assert [probe.next().payload["reason"] for _ in range(2)] == ["failed", "gave_up"]
    assert end(harness) == []


def test_an_attempt_that_failed_is_told_though_the_next_did_not(
    harness: EventTestHarness,
) -> None:
    harness.with_agents(Flaky).simulate_event("order.placed")
    harness.expect("payment.taken")
    assert end(harness) == ["flaky in charge over order.placed: ConnectionError: try again"]


@pytest.mark.parametrize("allowance", [True, "order.placed", "flaky", ConnectionError])
def test_an_error_that_is_allowed(harness: EventTestHarness, allowance: Any) -> None:
    harness.allow(handler_errors=allowance)
    harness.with_agents(Flaky).simulate_event("order.placed")
    harness.expect("payment.taken")
    assert end(harness) == []


def test_hooks_that_raise(harness: EventTestHarness) -> None:
    class Stumbles(Agent):
        def on_stop(self) -> None:
            raise ValueError("at the end")

    class Never(Agent):
        def on_start(self) -> None:
            raise ValueError("at the start")

    harness.with_agents(Stumbles, Never)
    assert sorted(end(harness)) == [
        "never in on_start: ValueError: at the start",
        "stumbles in on_stop: ValueError: at the end",
    ]


def test_a_told_message_that_fails(harness: EventTestHarness) -> None:
    class Listens(Agent):
        def on_receive(self, message: object) -> None:
            raise ValueError(f"what is {message}?")

    harness.with_agents(Listens).system.ref("listens").tell("it")
    assert end(harness) == ["a told message at listens (failed): ValueError: what is it?"]


def test_errors_of_a_test_are_told_without_what_a_terminal_obeys(
    virtual: EventTestHarness,
) -> None:
    class Rude(Agent):
        retry = None

        @on("said")
        def hear(self, event: Event) -> None:
            raise ValueError("\x1b[2J" + event.payload["text"])

    virtual.with_agents(Rude).simulate_event("said", {"text": "\x1b[31m\nred"})
    assert end(virtual) == ["said at rude (failed): ValueError: [2J[31m red"]


# -- in flight --------------------------------------------------------------------------------


def test_what_is_still_in_flight(harness: EventTestHarness) -> None:
    harness.with_agents(Sleeper).simulate_event("order.placed")
    assert end(harness) == ["sleeper: awaiting in sleep with order.placed"]


def test_the_queue_of_a_paused_agent(harness: EventTestHarness) -> None:
    harness.with_agents(Bank).pause(Bank)
    harness.simulate_event("order.placed")
    assert end(harness) == ["bank: paused, 1 queued"]


@pytest.mark.parametrize("allowance", [True, "sleeper"])
def test_what_is_in_flight_and_allowed(virtual: EventTestHarness, allowance: Any) -> None:
    virtual.allow(in_flight=allowance)
    virtual.with_agents(Sleeper).simulate_event("order.placed")
    assert end(virtual) == []


def test_what_was_simulated_last_is_handled_first(harness: EventTestHarness) -> None:
    class Counts(Agent):
        @on("order.placed")
        def count(self, event: Event) -> None:
            self.emit("order.counted")

    harness.with_agents(Counts)
    for _ in range(100):
        harness.simulate_event("order.placed")
    assert end(harness) == []
    assert len(harness.published_events("order.counted")) == 100


def test_timers_are_not_in_flight(harness: EventTestHarness) -> None:
    class Reminds(Agent):
        @on("order.placed")
        def remind(self, event: Event) -> None:
            self.after(3_600, "order.expired")

    harness.with_agents(Reminds).simulate_event("order.placed")
    assert end(harness) == []


def test_what_is_in_flight_on_threads_may_come_to_its_end() -> None:
    class Naps(Agent):
        @on("order.placed")
        async def nap(self, event: Event) -> None:
            await asyncio.sleep(0.1)

    harness = EventTestHarness(mode="threads")
    harness.with_agents(Naps).simulate_event("order.placed")
    assert end(harness) == []


# -- agents that do not end -------------------------------------------------------------------


def test_an_agent_that_hangs() -> None:
    go = threading.Event()

    class Hangs(Agent):
        @on("order.placed")
        def hang(self, event: Event) -> None:
            go.wait(30)

    harness = EventTestHarness(mode="threads", allow="in_flight")
    harness.with_agents(Hangs, Bank).simulate_event("order.placed")
    assert end(harness) == ["hangs hangs in hang"]
    go.set()


def test_an_agent_that_awaits_its_end_for_ever(harness: EventTestHarness) -> None:
    class Lingers(Agent):
        async def on_stop(self) -> None:  # type: ignore[override]
            await asyncio.Event().wait()

    harness.with_agents(Lingers, Bank)
    assert end(harness) == ["lingers waits for ever in on_stop"]


def test_last_words_are_heard(harness: EventTestHarness) -> None:
    heard: list[Event] = []

    class Leaves(Agent):
        async def on_stop(self) -> None:  # type: ignore[override]
            await asyncio.sleep(0.01 if harness.clock.now() else 1_000)
            self.emit("farewell")

    harness.with_agents(Leaves).system.subscribe("farewell", heard.append)
    assert end(harness) == []
    assert len(heard) == 1


@pytest.mark.parametrize("mode", ["threads", "simulated"])
def test_a_system_of_the_tests_own_that_was_not_stopped(
    mode: Literal["threads", "simulated"],
) -> None:
    used, unused = EventTestHarness(), EventTestHarness()
    used.with_agents(Bank)
    system = ActorSystem(mode=mode)
    system.spawn(Bank)
    system.publish("order.placed")
    system.wait_idle()
    for harness in used, unused:
        [fault] = end(harness)
        assert fault.startswith("a system that was not stopped")
        assert "choreia-" in fault
    system.stop()
    assert end(EventTestHarness()) == []


def test_a_system_that_ran_before_is_no_leak() -> None:
    with ActorSystem() as system:
        system.spawn(Bank)
        system.publish("order.placed")
        system.wait_idle()
        assert running()
        assert end(EventTestHarness()) == []


# -- all of it --------------------------------------------------------------------------------


def test_all_faults_are_told_at_once(virtual: EventTestHarness) -> None:
    virtual.with_agents(Bank, Flaky, Sleeper).simulate_event("order.placed", {"broken": True})
    with pytest.raises(ExpectationFailed) as failed:
        virtual.close()
    text = str(failed.value)
    assert text.startswith("the test left 3 faults behind\n")
    headings = [line for line in text.split("\n") if line.endswith(":") and line[0] != " "]
    assert headings == [
        "dead letters that nobody expected:",
        "errors of handlers and hooks:",
        "still in flight:",
        "what happened:",
    ]
    assert "\n\nat 0 s of virtual time; seed 0 " in text
    assert "stopped" not in text  # what stopping the system led to is not the test's


def test_many_faults_of_a_kind_are_counted(virtual: EventTestHarness) -> None:
    virtual.with_agents(Bank)
    for _ in range(15):
        virtual.simulate_event("order.placed", {"broken": True})
    with pytest.raises(ExpectationFailed, match="\n  … and 5 more\n"):
        virtual.close()


def test_a_test_that_has_failed_is_told_nothing_more(harness: EventTestHarness) -> None:
    harness.with_agents(Bank, Sleeper).simulate_event("order.placed", {"broken": True})
    harness.expect("event.dead_lettered")
    harness.abandon()
    assert end(harness) == []


def test_a_system_that_the_test_stopped(harness: EventTestHarness) -> None:
    harness.with_agents(Bank).simulate_event("order.placed", {"refused": True})
    harness.system.stop()
    assert harness.expect("event.dead_lettered") is harness.published_events("event.*")[0]
    assert end(harness) == []


def test_a_system_that_the_test_stopped_in_vain(virtual: EventTestHarness) -> None:
    virtual.with_agents(Sleeper, Bank).simulate_event("order.placed", {"refused": True})
    virtual.expect_no("nothing")
    virtual.system.stop(drain=False, timeout=0)
    assert end(virtual) == [
        "order.placed at bank (gave_up): GiveUp: no money",
        "order.placed at sleeper (stopped)",
    ]


def test_nothing_is_waited_for_in_a_system_that_was_stopped(harness: EventTestHarness) -> None:
    system = harness.with_agents(Bank).system
    system.stop()
    system._engine.blocked[Gate()] = "whatever was left behind"
    assert end(harness) == []
