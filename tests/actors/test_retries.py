"""Retries: when, how often, and with the same ids; what happens once over all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from choreia import (
    ActorSystem,
    Agent,
    ChoreiaError,
    Event,
    GiveUp,
    InvalidAgent,
    Retry,
    RetryAfter,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Feed, Hear, Mode


@pytest.fixture(params=["memory", "log"])
def feed(request: pytest.FixtureRequest) -> Feed:
    """Turns know mailbox and feed, not which."""
    chosen: Feed = request.param
    return chosen


class Oops(Exception):
    """A handler's fault, in these tests."""


class Times(Agent):
    """Fails at every attempt, and keeps the times of all."""

    def __init__(self, error: Callable[[], BaseException] = Oops) -> None:
        super().__init__()
        self.times: list[float] = []
        self.error = error

    @on("go")
    def go(self, event: Event) -> None:
        self.times.append(self.clock.monotonic())
        raise self.error()


def attempts(
    sim: ActorSystem, retry: Retry, error: Callable[[], BaseException] = Oops
) -> list[float]:
    """When an always failing handler is tried, in seconds since the first time."""
    ref = sim.spawn(lambda: Times(error), retry=retry)
    sim.publish("go")
    sim.wait_idle()
    times: list[float] = ref.proxy().times.get()
    return [round(time - times[0], 9) for time in times]


# -- when -----------------------------------------------------------------------------------------


def test_the_schedule_is_delay_times_factor_up_to_max_delay(sim: ActorSystem) -> None:
    retry = Retry(attempts=6, delay=1, factor=3, max_delay=10, jitter=0)
    assert attempts(sim, retry) == [0, 1, 4, 13, 23, 33]


def test_the_defaults_are_the_documented_ones() -> None:
    assert Retry() == Retry(
        attempts=3, delay=0.1, factor=2, max_delay=30, jitter=0.1, give_up_on=()
    )


def test_by_default_three_tries_with_a_growing_and_jittered_wait(sim: ActorSystem) -> None:
    times = attempts(sim, Retry())
    assert len(times) == 3
    assert 0.1 <= times[1] <= 0.11
    assert 0.2 <= times[2] - times[1] <= 0.22


def test_jitter_only_lengthens_and_stays_within_its_share() -> None:
    waits = set()
    for seed in range(30):
        with ActorSystem(mode="simulated", seed=seed) as system:
            waits.add(attempts(system, Retry(attempts=2, delay=10, jitter=0.5))[1])
    assert all(10 <= wait <= 15 for wait in waits)
    assert len(waits) > 20, "agents that failed together come back together"
    assert max(waits) > 13


def test_one_attempt_is_no_retry(sim: ActorSystem) -> None:
    assert attempts(sim, Retry(attempts=1)) == [0]


def test_a_factor_of_one_keeps_the_delay_and_no_delay_waits_for_nothing(sim: ActorSystem) -> None:
    assert attempts(sim, Retry(attempts=4, delay=2, factor=1, jitter=0)) == [0, 2, 4, 6]


def test_without_a_delay_all_tries_come_at_once(sim: ActorSystem) -> None:
    assert attempts(sim, Retry(attempts=4, delay=0)) == [0, 0, 0, 0]


def test_a_thousand_tries_overflow_nothing(sim: ActorSystem) -> None:
    retry = Retry(attempts=1200, delay=1, factor=10, max_delay=2, jitter=0)
    assert attempts(sim, retry)[-1] == 2 * 1199 - 1


def test_retry_after_times_the_next_try_and_counts_as_one(sim: ActorSystem) -> None:
    times = attempts(sim, Retry(attempts=3, delay=1, jitter=0), lambda: RetryAfter(7))
    assert times == [0, 7, 14]
    (letter,) = sim.dead_letters()
    assert (letter.reason, letter.attempts) == ("failed", 3)
    assert isinstance(letter.error, RetryAfter)
    assert letter.error.seconds == 7


def test_retry_after_a_time_that_is_past_is_at_once(sim: ActorSystem) -> None:
    assert attempts(sim, Retry(attempts=2, delay=5), lambda: RetryAfter(-1)) == [0, 0]


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), "soon", None])
def test_retry_after_what_is_no_time_is_refused_where_it_is_raised(seconds: Any) -> None:
    with pytest.raises(ChoreiaError, match=r"RetryAfter\(.*\): give seconds"):
        RetryAfter(seconds)


def test_give_up_ends_the_tries(sim: ActorSystem) -> None:
    assert attempts(sim, Retry(attempts=5), lambda: GiveUp("no such order")) == [0]
    (letter,) = sim.dead_letters()
    assert (letter.reason, letter.attempts) == ("gave_up", 1)
    assert isinstance(letter.error, GiveUp)
    assert letter.error.reason == "no such order"


def test_errors_to_give_up_on_are_not_tried_again_nor_are_their_kinds(sim: ActorSystem) -> None:
    retry = Retry(attempts=5, give_up_on=(LookupError, OSError))
    assert attempts(sim, retry, KeyError) == [0]
    assert sim.dead_letters()[0].reason == "gave_up"


def test_other_errors_are(sim: ActorSystem) -> None:
    retry = Retry(attempts=2, delay=0, give_up_on=(LookupError,))
    assert attempts(sim, retry, ValueError) == [0, 0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"attempts": 0}, r"Retry\(attempts=0\): give a"),
        ({"attempts": 1.5}, r"Retry\(attempts=1\.5\): give a whole number"),
        ({"attempts": True}, r"Retry\(attempts=True\)"),
        ({"delay": -1}, r"Retry\(delay=-1\): give a number, 0 or more"),
        ({"delay": float("nan")}, r"Retry\(delay=nan\)"),
        ({"delay": float("inf")}, r"Retry\(delay=inf\)"),
        ({"factor": 0.5}, r"Retry\(factor=0\.5\): give a number, 1 or more"),
        ({"max_delay": "30"}, r"Retry\(max_delay='30'\)"),
        ({"max_delay": float("inf")}, r"Retry\(max_delay=inf\)"),
        ({"jitter": -0.1}, r"Retry\(jitter=-0\.1\)"),
        ({"give_up_on": ValueError}, r"Retry\(give_up_on=.*\): give a tuple of exception classes"),
        ({"give_up_on": (5,)}, r"Retry\(give_up_on=.*\): give a tuple of exception classes"),
        ({"give_up_on": 5}, r"Retry\(give_up_on=.*\): give a tuple of exception classes"),
    ],
)
def test_a_senseless_retry_is_refused_by_name(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidAgent, match=says):
        Retry(**wrong)


def test_spawns_retry_overrides_the_classs(sim: ActorSystem) -> None:
    class Patient(Times):
        retry = Retry(attempts=4, delay=1, jitter=0)

    patient = sim.spawn(Patient)
    hasty = sim.spawn(Patient, name="hasty", retry=Retry(attempts=1))
    sim.publish("go")
    sim.wait_idle()
    assert len(patient.proxy().times.get()) == 4
    assert len(hasty.proxy().times.get()) == 1


def test_each_attempt_sees_its_number_in_a_warning_and_the_end_in_an_error(
    system: ActorSystem, caplog: pytest.LogCaptureFixture
) -> None:
    system.spawn(Times, name="fails", retry=Retry(attempts=3, delay=0))
    event = system.publish("go")
    system.wait_idle(5)
    records = [record for record in caplog.records if record.name == "choreia.agent.fails"]
    assert [record.levelname for record in records] == ["WARNING", "WARNING", "ERROR"]
    first, second, last = [record.getMessage() for record in records]
    assert f"attempt 1 of 3 at go {event.id} failed" in first
    assert "attempt 2 of 3" in second
    assert "Oops" in second
    assert "is a dead letter after 3 of 3 attempts" in last
    assert "Traceback" in last
    assert "raise self.error()" in last


def test_failure_is_loud_without_any_configuration(
    system: ActorSystem, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has set up logging: Python's last resort prints warnings and errors."""
    loggers = [logging.getLogger(), logging.getLogger("choreia")]
    kept = [logger.handlers for logger in loggers]
    for logger in loggers:
        logger.handlers = []
    try:
        system.spawn(Times, retry=Retry(attempts=1))
        system.publish("go")
        system.wait_idle(5)
    finally:
        for logger, handlers in zip(loggers, kept, strict=True):
            logger.handlers = handlers
    assert "dead letter" in capsys.readouterr().err


# -- without a thread -----------------------------------------------------------------------------


def test_a_hundred_agents_that_back_off_hold_up_nobody(mode: Mode) -> None:
    """With one worker: were a thread held for an hour, the other agent would never be heard."""
    patience = Retry(attempts=2, delay=3600, max_delay=3600)
    system = ActorSystem(mode=mode, workers=1)
    try:
        for n in range(100):
            system.spawn(Times, name=f"fails-{n}", retry=patience)
        ref = system.spawn(Echo)
        system.publish("go")
        states = ["?"]
        while set(states) != {"backoff"}:
            assert ref.ask("here", timeout=60) == "here"
            agents = system.inspect().agents
            states = [agent.state for agent in agents if agent.name.startswith("fails")]
        assert len(states) == 100
        assert [letter for letter in system.dead_letters() if letter.reason == "failed"] == []
    finally:
        system.stop(drain=False)


class Echo(Agent):
    def on_receive(self, message: object) -> object:
        return message


def test_no_other_event_is_taken_during_backoff_but_others_are_served(sim: ActorSystem) -> None:
    order: list[str] = []

    class Fails(Agent):
        retry = Retry(attempts=2, delay=10, jitter=0)
        failed = False

        @on("go")
        def go(self, event: Event) -> None:
            order.append(f"{event.payload['n']} at {self.clock.monotonic():g}")
            if not self.failed:
                self.failed = True
                raise Oops

    class Works(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            order.append(f"other {event.payload['n']} at {self.clock.monotonic():g}")

    sim.spawn(Fails)
    sim.spawn(Works)
    for n in (1, 2):
        sim.publish("go", {"n": n})
    sim.wait_idle()
    fails = [line for line in order if not line.startswith("other")]
    assert fails == ["1 at 0", "1 at 10", "2 at 10"]
    assert [line for line in order if line.startswith("other")] == ["other 1 at 0", "other 2 at 0"]


# -- the same again -------------------------------------------------------------------------------


class Repeats(Agent):
    """Says everything in every way; the first `failing` attempts fail at the end."""

    retry = Retry(attempts=3, delay=0)

    def __init__(self, failing: int = 2) -> None:
        super().__init__()
        self.left = failing
        self.ids: list[list[str]] = []
        self.calls: list[str] = []

    def fail_or_not(self, ids: list[str]) -> None:
        self.ids.append(ids)
        self.left -= 1
        if self.left >= 0:
            raise Oops

    def compute(self, what: str) -> str:
        self.calls.append(what)
        return f"{what} {len(self.calls)}"


class RepeatsPlain(Repeats):
    @on("go")
    def go(self, event: Event) -> None:
        ids = [self.emit_now("said.early", {"n": n % 2}).id for n in range(4)]
        ids += [self.emit("said.late", {"n": n}).id for n in range(2)]
        ids.append(self.after(0, "said.timer"))
        assert self.once("a", self.compute, "a") == "a 1"
        assert self.once("b", self.compute, "b") == "b 2"
        self.fail_or_not(ids)


class RepeatsAwaiting(Repeats):
    async def compute_slowly(self, what: str) -> str:
        await asyncio.sleep(0.001)
        return self.compute(what)

    @on("go")
    async def go(self, event: Event) -> None:
        ids = [(await self.emit_now_async("said.early", {"n": n % 2})).id for n in range(4)]
        ids += [self.emit("said.late", {"n": n}).id for n in range(2)]
        ids.append(self.after(0, "said.timer"))
        assert await self.once("a", self.compute_slowly, "a") == "a 1"
        assert await self.once("b", self.compute_slowly, "b") == "b 2"
        self.fail_or_not(ids)


class RepeatsGenerating(Repeats):
    @on("go")
    def go(self, event: Event) -> Iterator[Any]:
        for n in range(4):
            yield "said.early", {"n": n % 2}
        ids = [self.emit("said.late", {"n": n}).id for n in range(2)]
        ids.append(self.after(0, "said.timer"))
        self.once("a", self.compute, "a")
        self.once("b", self.compute, "b")
        self.fail_or_not(ids)


class RepeatsStreaming(Repeats):
    @on("go")
    async def go(self, event: Event) -> AsyncIterator[Any]:
        for n in range(4):
            yield "said.early", {"n": n % 2}
        ids = [self.emit("said.late", {"n": n}).id for n in range(2)]
        ids.append(self.after(0, "said.timer"))
        self.once("a", self.compute, "a")
        self.once("b", self.compute, "b")
        self.fail_or_not(ids)


REPEATS = [RepeatsPlain, RepeatsAwaiting, RepeatsGenerating, RepeatsStreaming]


@pytest.mark.parametrize("kind", REPEATS)
def test_over_retries_ids_are_equal_and_nothing_is_received_twice(
    sim: ActorSystem, hear: Hear, kind: type[Repeats]
) -> None:
    said = hear("said.*")
    ref = sim.spawn(kind, name="repeats")
    sim.publish("go")
    sim.wait_idle()
    sim.advance(1)
    assert not sim.dead_letters()
    assert_said_once(said)
    ids = ref.proxy().ids.get()
    assert len(ids) == 3
    assert ids[0] == ids[1] == ids[2]
    assert ref.proxy().calls.get() == ["a", "b"]


@pytest.mark.parametrize("kind", REPEATS)
def test_over_redelivery_ids_are_equal_and_nothing_is_received_twice(
    sim: ActorSystem, hear: Hear, kind: type[Repeats]
) -> None:
    said = hear("said.*")
    ref = sim.spawn(lambda: kind(failing=4), name="repeats")
    sim.publish("go")
    sim.wait_idle()
    (letter,) = sim.dead_letters()
    assert [event.type for event in said] == ["said.early"] * 4
    sim.redeliver(letter)
    sim.wait_idle()
    sim.advance(1)
    assert not sim.dead_letters()
    assert_said_once(said)
    ids = ref.proxy().ids.get()
    assert len(ids) == 5
    assert all(these == ids[0] for these in ids)
    assert ref.proxy().calls.get() == ["a", "b"]


def assert_said_once(said: list[Event]) -> None:
    """Four early ones, two of which say the same as the other two; two late ones; a timer."""
    assert len({event.id for event in said}) == 7
    spoken = [(event.type, event.payload.get("n")) for event in said]
    assert spoken == [
        *[("said.early", n) for n in (0, 1, 0, 1)],
        *[("said.late", n) for n in (0, 1)],
        ("said.timer", None),
    ]


def test_other_words_at_a_later_attempt_are_a_new_event(system: ActorSystem, hear: Hear) -> None:
    """A language model says it differently each time."""

    class Rambles(Agent):
        retry = Retry(attempts=3, delay=0)
        attempt = 0

        @on("go")
        def go(self, event: Event) -> Iterator[Any]:
            self.attempt += 1
            yield "said", {"words": "let me think"}
            yield "said", {"words": f"attempt {self.attempt}"}
            if self.attempt < 3:
                raise Oops

    said = hear("said")
    system.spawn(Rambles)
    system.publish("go")
    system.wait_idle(5)
    assert [event.payload["words"] for event in said] == [
        "let me think", "attempt 1", "attempt 2", "attempt 3",
    ]  # fmt: skip


def test_once_that_fails_records_nothing(system: ActorSystem) -> None:
    calls: list[int] = []

    class Pays(Agent):
        retry = Retry(attempts=3, delay=0)

        @on("go")
        def go(self, event: Event) -> None:
            self.once("pay", self.pay)

        def pay(self) -> None:
            calls.append(1)
            if len(calls) < 3:
                raise Oops

    system.spawn(Pays)
    system.publish("go")
    system.wait_idle(5)
    assert len(calls) == 3
    assert not system.dead_letters()


def test_once_is_per_event_and_per_name(system: ActorSystem) -> None:
    calls: list[tuple[int, str]] = []

    class Pays(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            for name in ("a", "b", "a"):
                self.once(name, calls.append, (event.payload["n"], name))

    system.spawn(Pays)
    for n in (1, 2):
        system.publish("go", {"n": n})
    system.wait_idle(5)
    assert calls == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]


def test_once_is_shared_by_the_handlers_of_one_delivery(system: ActorSystem) -> None:
    calls: list[str] = []

    class Pays(Agent):
        @on("go")
        def first(self, event: Event) -> None:
            self.once("pay", calls.append, "first")

        @on("go")
        def second(self, event: Event) -> None:
            self.once("pay", calls.append, "second")

    system.spawn(Pays)
    system.publish("go")
    system.wait_idle(5)
    assert calls == ["first"]


def test_once_records_none_as_well(system: ActorSystem) -> None:
    calls: list[None] = []

    class Pays(Agent):
        retry = Retry(attempts=2, delay=0)

        @on("go")
        def go(self, event: Event) -> None:
            assert self.once("pay", calls.append, None) is None
            if len(calls) == 1 and not hasattr(self, "failed"):
                self.failed = True
                raise Oops

    system.spawn(Pays)
    system.publish("go")
    system.wait_idle(5)
    assert len(calls) == 1


def test_two_agents_records_are_their_own(system: ActorSystem) -> None:
    calls: list[str] = []

    class Pays(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            self.once("pay", calls.append, self.name)

    system.spawn(Pays, name="a")
    system.spawn(Pays, name="b")
    system.publish("go")
    system.wait_idle(5)
    assert sorted(calls) == ["a", "b"]
