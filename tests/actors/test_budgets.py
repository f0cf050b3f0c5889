"""What a case may use: events and money, counted once, and what happens beyond it."""

from __future__ import annotations

from typing import Literal

import pytest

from choreia import (
    ActorSystem,
    Agent,
    BudgetExceeded,
    CaseLimits,
    Event,
    InvalidLimit,
    MemoryStore,
    Retry,
    RetryAfter,
    on,
)
from choreia.runtime.stores.base import EventStore

Mode = Literal["threads", "simulated"]


@pytest.fixture(params=["threads", "simulated"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


@pytest.fixture(params=["memory", "store"])
def store(request: pytest.FixtureRequest) -> EventStore | None:
    return MemoryStore() if request.param == "store" else None


class Loop(Agent):
    @on("turn")
    def go(self, event: Event) -> None:
        self.emit("turn", {"n": event.payload["n"] + 1})


class Spender(Agent):
    retry = Retry(attempts=3, delay=0)

    @on("ask")
    def ask(self, event: Event) -> None:
        self.spend(usd=1.0)
        self.spend(usd=0.5)
        if event.payload.get("fails"):
            raise ValueError("once more")


def excess(system: ActorSystem) -> list[Event]:
    told: list[Event] = []
    system.subscribe("case.budget_exceeded", told.append)
    return told


def test_a_case_of_more_events_than_it_may_have_is_stopped_and_said_once(
    mode: Mode, store: EventStore | None
) -> None:
    with ActorSystem(mode=mode, store=store, limits=CaseLimits(events=5)) as system:
        told = excess(system)
        system.spawn(Loop)
        first = system.publish("turn", {"n": 1})
        other = system.publish("other", {})
        system.wait_idle(20)
        letters = system.dead_letters()
        assert [letter.reason for letter in letters] == ["budget"]
        assert isinstance(letters[0].error, BudgetExceeded)
        assert letters[0].event is not None
        assert letters[0].event.payload["n"] == 6
        assert [event.payload["correlation_id"] for event in told] == [first.id]
        assert told[0].metadata.correlation_id == first.id
        assert system.case(first).verdict.word == "died"
        assert system.case(other).verdict.word == "died"
        assert len(letters) == 1


def test_what_waits_in_mailboxes_when_the_money_is_spent_stops_there_too(
    mode: Mode, store: EventStore | None
) -> None:
    with ActorSystem(mode=mode, store=store, limits=CaseLimits(spend=3.0)) as system:
        told = excess(system)
        system.spawn(Spender)
        for _ in range(4):  # 1.50 each: the third is one too many, and the fourth stays unpaid
            system.publish("ask", {}, correlation_id="c")
        system.publish("ask", {}, correlation_id="d")
        system.wait_idle(20)
        assert [letter.reason for letter in system.dead_letters()] == ["budget"]
        assert [event.payload["spent"] for event in told] in ([4.0], [4.5])


def test_an_attempt_more_spends_nothing_more(mode: Mode, store: EventStore | None) -> None:
    with ActorSystem(mode=mode, store=store, limits=CaseLimits(spend=1.5)) as system:
        told = excess(system)
        system.spawn(Spender)
        system.publish("ask", {"fails": True})
        system.wait_idle(20)
        [letter] = system.dead_letters()
        assert (letter.reason, letter.attempts) == ("failed", 3)
        system.redeliver(letter)
        system.wait_idle(20)
        assert [letter.reason for letter in system.dead_letters()] == ["failed"]
        assert told == []


def test_a_restart_does_not_forget_what_was_used() -> None:
    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store, limits=CaseLimits(spend=3.0)) as system:
        system.spawn(Spender)
        system.publish("ask", {}, correlation_id="c")
        system.publish("ask", {}, correlation_id="c")
        system.wait_idle()
        assert system.dead_letters() == []
    with ActorSystem(mode="simulated", store=store, limits=CaseLimits(spend=3.0)) as system:
        told = excess(system)
        system.spawn(Spender)
        system.publish("ask", {}, correlation_id="c")
        system.wait_idle()
        system.publish("ask", {}, correlation_id="c")
        system.wait_idle()
        assert [letter.reason for letter in system.dead_letters()] == ["budget"]
        assert len(told) == 1
    with ActorSystem(mode="simulated", store=store, limits=CaseLimits(spend=3.0)) as system:
        told = excess(system)
        system.spawn(Spender)
        system.publish("ask", {}, correlation_id="c")
        system.wait_idle()
        assert len(system.dead_letters()) == 2
        assert told == []  # that was said by an earlier run


def test_what_is_begun_again_after_a_broken_run_is_paid_for_once() -> None:
    store, runs = MemoryStore(), 0

    class Caller(Agent):
        @on("ask")
        def ask(self, event: Event) -> None:
            self.spend(usd=1.0)
            self.emit_now("paid")  # so what was spent is on record, though the handler is not done
            if runs == 1:
                raise RetryAfter(3_600)

    for runs in (1, 2):
        limits = CaseLimits(spend=1.5)
        system = ActorSystem(mode="simulated", store=store, limits=limits)
        told = excess(system)
        system.spawn(Caller)
        system.publish("ask", {}, id="once")
        system.advance(1)
        assert told == []
        assert system.dead_letters() == []
        view = system.inspect().agent("caller")
        assert view.handled == runs - 1  # the second run has it anew, and ends it
        system.stop(drain=False)


@pytest.mark.parametrize("usd", [-1, float("nan"), float("inf"), True, "1"])
def test_what_is_no_amount_is_refused(usd: object) -> None:
    class Careless(Agent):
        retry = None

        @on("ask")
        def ask(self, event: Event) -> None:
            self.spend(usd=usd)  # type: ignore[arg-type]

    with ActorSystem(mode="simulated") as system:
        system.spawn(Careless)
        system.publish("ask")
        system.wait_idle()
        assert isinstance(system.dead_letters()[0].error, InvalidLimit)
