"""Dead letters: what is kept of an event that could not be handled, and how it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from choreia import (
    ActorSystem,
    Agent,
    CaseLimits,
    ChoreiaError,
    Event,
    MailboxFull,
    Retry,
    Unhandled,
    UnknownAgent,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode

ONCE = Retry(attempts=1)


class Oops(Exception):
    """A handler's fault, in these tests."""


class Fails(Agent):
    retry = ONCE

    @on("go")
    def go(self, event: Event) -> None:
        raise Oops("no luck")


class Works(Agent):
    def __init__(self) -> None:
        super().__init__()
        self.handled: list[str] = []

    @on("go")
    def go(self, event: Event) -> None:
        self.handled.append(event.id)

    def on_receive(self, message: object) -> object:
        return message


# -- what is kept ---------------------------------------------------------------------------------


def test_a_dead_letter_has_event_agent_error_traceback_attempts_and_reason(
    sim: ActorSystem,
) -> None:
    sim.spawn(Fails, name="fails", retry=Retry(attempts=2, delay=5, jitter=0))
    event = sim.publish("go", {"n": 1})
    sim.wait_idle()
    (letter,) = sim.dead_letters()
    assert letter.event is event
    assert letter.agent == "fails"
    assert isinstance(letter.error, Oops)
    assert "Traceback (most recent call last)" in letter.traceback
    assert 'raise Oops("no luck")' in letter.traceback
    assert (letter.attempts, letter.reason, letter.time) == (2, "failed", 5.0)


def test_dead_letters_are_oldest_first_and_one_per_agent(system: ActorSystem) -> None:
    system.spawn(Fails, name="a")
    system.spawn(Fails, name="b")
    events = []
    for _ in range(3):
        events.append(system.publish("go"))
        system.wait_idle(5)
    letters = system.dead_letters()
    assert [letter.event for letter in letters] == [event for event in events for _ in range(2)]
    assert {letter.agent for letter in letters} == {"a", "b"}
    assert system.inspect().dead_letters == 6


def test_a_told_message_that_fails_is_a_dead_letter_without_an_event(system: ActorSystem) -> None:
    class Fails(Agent):
        def on_receive(self, message: object) -> object:
            raise Oops("no luck")

    ref = system.spawn(Fails)
    ref.tell({"a": "message"})
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert (letter.event, letter.message, letter.reason) == (None, {"a": "message"}, "failed")
    assert 'raise Oops("no luck")' in letter.traceback
    with pytest.raises(ChoreiaError, match="told message, which cannot be redelivered"):
        system.redeliver(letter)


def test_an_asked_message_that_fails_is_the_askers(system: ActorSystem) -> None:
    class Fails(Agent):
        def on_receive(self, message: object) -> object:
            raise Oops("no luck")

    with pytest.raises(Oops, match="no luck"):
        system.spawn(Fails).ask("please", timeout=5)
    assert system.dead_letters() == []


def test_an_event_told_to_an_agent_without_a_handler_is_unhandled(system: ActorSystem) -> None:
    ref = system.spawn(Works)
    ref.tell(Event("other", "me"))
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert isinstance(letter.error, Unhandled)
    assert (letter.reason, letter.attempts) == ("unhandled", 1)
    assert "agent 'works' has no handler that matches 'other'" in str(letter.error)
    with pytest.raises(Unhandled):
        ref.ask(Event("other", "me"), timeout=5)


def test_an_error_that_cannot_be_shown_does_no_harm(system: ActorSystem, hear: Hear) -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

        __repr__ = __str__

    class Surrogate(Exception):
        def __str__(self) -> str:
            return "\ud800" * 5_000

    class Fails(Agent):
        retry = Retry(attempts=2, delay=0)

        @on("unspeakable")
        def unspeakable(self, event: Event) -> None:
            raise Unspeakable

        @on("surrogate")
        def surrogate(self, event: Event) -> None:
            raise Surrogate

        def on_receive(self, message: object) -> object:
            raise Unspeakable

    dead = hear("event.dead_lettered")
    ref = system.spawn(Fails)
    system.publish("unspeakable")
    system.publish("surrogate")
    system.wait_idle(5)
    assert [letter.attempts for letter in system.dead_letters()] == [2, 2]
    assert dead[0].payload["error"] == "Unspeakable"
    assert dead[1].payload["error"].startswith("Surrogate: ??")
    assert len(dead[1].payload["error"]) == 2_000
    ref.tell("x")
    with pytest.raises(Unspeakable):
        ref.ask("x", timeout=5)


def test_the_oldest_of_very_many_are_let_go_and_counted(
    sim: ActorSystem, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim._engine.letters, "_kept", 5)
    fails = sim.spawn(Fails)
    for n in range(8):
        fails.tell(Event("go", "me", {"n": n}))
    sim.wait_idle()
    events = [letter.event for letter in sim.dead_letters()]
    assert [event.payload["n"] for event in events if event] == [3, 4, 5, 6, 7]
    assert sim.inspect().dead_letters == 8
    said = [record for record in caplog.records if record.name == "choreia.deadletters"]
    assert len(said) == 1, "once, not for each"


# -- event.dead_lettered --------------------------------------------------------------------------


def test_event_dead_lettered_is_caused_by_the_event_and_of_its_case(
    system: ActorSystem, hear: Hear
) -> None:
    dead = hear("event.dead_lettered")
    system.spawn(Fails, name="fails")
    event = system.publish("go", {"n": 1}, correlation_id="case-7")
    system.wait_idle(5)
    (said,) = dead
    assert said.source == "did:choreia:local:fails"
    assert said.metadata.causation_id == event.id
    assert said.metadata.correlation_id == "case-7"
    assert said.metadata.hops == 1
    assert said.payload == {
        "event_id": event.id,
        "event_type": "go",
        "agent": "fails",
        "agent_id": "did:choreia:local:fails",
        "reason": "failed",
        "error": "Oops: no luck",
        "attempts": 1,
        "payload": {"n": 1},
    }


def test_it_is_said_even_of_a_payload_at_the_limit_of_size(system: ActorSystem, hear: Hear) -> None:
    dead = hear("event.dead_lettered")
    system.spawn(Fails)
    text = "x" * (1_048_576 - len('{"x":""}'))
    system.publish("go", {"x": text})
    deep: dict[str, Any] = {}
    for _ in range(63):
        deep = {"x": deep}
    system.publish("go", deep)
    system.wait_idle(5)
    assert [event.payload["payload"]["x"] for event in dead] == [text, deep["x"]]


def test_a_handler_of_dead_letters_that_fails_ends_there(system: ActorSystem) -> None:
    class Undertaker(Agent):
        retry = ONCE

        @on("event.dead_lettered")
        def bury(self, event: Event) -> None:
            raise Oops("the undertaker too")

    system.spawn(Fails)
    system.spawn(Undertaker)
    system.publish("go")
    system.wait_idle(5)
    assert [letter.agent for letter in system.dead_letters()] == ["fails", "undertaker"]


@pytest.mark.parametrize("early", [False, True])
def test_a_circle_through_dead_letters_ends_at_the_hop_limit(mode: Mode, early: bool) -> None:
    """Its handler says something of which somebody else makes a dead letter, and so on."""

    class Undertaker(Agent):
        @on("event.dead_lettered")
        def bury(self, event: Event) -> None:
            if early:
                self.emit_now("go")
            else:
                self.emit("go")

    with ActorSystem(mode=mode, limits=CaseLimits(hops=20)) as system:
        system.spawn(Fails)
        system.spawn(Undertaker)
        system.publish("go")
        system.wait_idle(10)
        reasons = [letter.reason for letter in system.dead_letters()]
    assert 10 <= reasons.count("failed") <= 12
    assert 1 <= reasons.count("hops") <= 2


# -- redelivery -----------------------------------------------------------------------------------


def test_redelivery_is_to_that_agent_alone(system: ActorSystem) -> None:
    class Recovers(Works):
        retry = ONCE
        broken = True

        @on("go")
        def go(self, event: Event) -> None:
            if self.broken:
                raise Oops
            self.handled.append(event.id)

    ref, other = system.spawn(Recovers), system.spawn(Works)
    event = system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    ref.proxy().broken = False
    system.redeliver(letter)
    system.wait_idle(5)
    assert system.dead_letters() == []
    assert ref.proxy().handled.get(timeout=5) == [event.id]
    assert other.proxy().handled.get(timeout=5) == [event.id], "it had it once already"


def test_a_letter_is_redelivered_once_and_may_die_again(system: ActorSystem) -> None:
    system.spawn(Fails)
    system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    system.redeliver(letter)
    system.wait_idle(5)
    (again,) = system.dead_letters()
    assert again is not letter
    assert again.event is letter.event
    with pytest.raises(ChoreiaError, match="was redelivered before"):
        system.redeliver(letter)


def test_redelivery_gets_the_full_number_of_attempts(sim: ActorSystem) -> None:
    sim.spawn(Fails, retry=Retry(attempts=3, delay=1, jitter=0))
    sim.publish("go")
    sim.wait_idle()
    (letter,) = sim.dead_letters()
    sim.redeliver(letter)
    sim.wait_idle()
    (again,) = sim.dead_letters()
    assert (again.attempts, again.time) == (3, 6.0)


def test_redelivery_to_one_who_is_gone_names_it_and_keeps_the_letter(system: ActorSystem) -> None:
    ref = system.spawn(Fails, name="fails")
    system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    ref.stop(timeout=5)
    with pytest.raises(UnknownAgent, match="no agent named 'fails' is alive") as caught:
        system.redeliver(letter)
    assert caught.value.name == "fails"
    assert system.dead_letters() == [letter]
    system.spawn(Works, name="fails")  # its successor takes it
    system.redeliver(letter)
    system.wait_idle(5)
    assert system.dead_letters() == []


def test_redelivery_that_finds_no_room_in_time_keeps_the_letter(system: ActorSystem) -> None:
    system.spawn(Fails, name="fails", mailbox=1)
    system.publish("go")
    system.wait_idle()
    (letter,) = system.dead_letters()
    system.pause("fails")
    system.wait_idle()
    system.publish("go")
    with pytest.raises(MailboxFull):
        system.redeliver(letter, timeout=0.05)
    assert system.dead_letters() == [letter]
    system.resume("fails")
    system.redeliver(letter, timeout=30)
    system.wait_idle()
    assert len(system.dead_letters()) == 2


def test_redelivery_that_is_rejected_keeps_the_letter(system: ActorSystem) -> None:
    system.spawn(Fails, name="fails", mailbox=1, overflow="reject")
    system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    system.pause("fails")
    system.wait_idle(5)
    system.publish("go")
    with pytest.raises(MailboxFull, match="the mailbox of agent 'fails' is full"):
        system.redeliver(letter)
    assert system.dead_letters() == [letter]


@pytest.mark.parametrize("how", ["plain", "async", "generator", "stream"])
def test_redelivery_from_a_handler_of_event_dead_lettered(system: ActorSystem, how: str) -> None:
    """Somebody repairs the cause, and redelivers: in a plain handler or in a coroutine."""
    repaired: list[str] = []

    class Broken(Agent):
        retry = ONCE

        @on("go")
        def go(self, event: Event) -> None:
            if not repaired:
                raise Oops
            repaired.append("handled")

    def redeliver(agent: Agent, event: Event) -> None:
        repaired.append("repaired")
        system.redeliver(system.dead_letters()[0])

    async def redeliver_async(agent: Agent, event: Event) -> None:
        repaired.append("repaired")
        await system.redeliver_async(system.dead_letters()[0])

    def generator(agent: Agent, event: Event) -> Iterator[Any]:
        redeliver(agent, event)
        yield "repaired", {}

    async def stream(agent: Agent, event: Event) -> AsyncIterator[Any]:
        await redeliver_async(agent, event)
        yield "repaired", {}

    handlers: dict[str, Callable[..., Any]] = {
        "plain": redeliver,
        "async": redeliver_async,
        "generator": generator,
        "stream": stream,
    }
    system.spawn(Broken)
    system.spawn(type("Repairs", (Agent,), {"go": on("event.dead_lettered")(handlers[how])}))
    system.publish("go")
    system.wait_idle(5)
    assert repaired == ["repaired", "handled"]
    assert system.dead_letters() == []


def test_redelivery_waits_for_room_and_awaits_it(mode: Mode) -> None:
    async def main() -> None:
        async with ActorSystem(mode=mode) as system:
            ref = system.spawn(Works, mailbox=1)
            fails = system.spawn(Fails, name="fails", mailbox=1)
            system_event = await system.publish_async("go")
            await system.wait_idle_async(5)
            (letter,) = system.dead_letters()
            assert letter.event is system_event
            await system.redeliver_async(letter)
            await system.wait_idle_async(5)
            assert len(system.dead_letters()) == 1
            assert fails.is_alive()
            assert await ref.ask_async("hello", timeout=5) == "hello"

    asyncio.run(main())
