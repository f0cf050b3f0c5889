"""The way back: in reverse causal order across participants, parallel branches in parallel."""

from __future__ import annotations

from typing import Any

import pytest

from choreia import (
    ActorSystem,
    Agent,
    Event,
    Retry,
    SagaParticipant,
    StepFailed,
    on,
    step,
)
from tests.actors.conftest import Until
from tests.actors.sagas.conftest import States, records, types

FAILURE = "case.failed"


def participant(name: str, on_: str | tuple[str, ...], **more: Any) -> type[SagaParticipant]:
    """An agent with one step, which is done at once, and undone at once."""

    class One(SagaParticipant):
        compensate_on = (FAILURE,)
        retry = Retry(attempts=2, delay=0)

        @step(on_, emits=f"{name}.done", compensate="undo", **more)
        def do(self, event: Event) -> object:
            return {}

        def undo(self, event: Event) -> None:
            self.emit(f"{name}.undone", {"given": event.type})

    return One


def start(system: ActorSystem, **steps: str) -> None:
    for name, on_ in steps.items():
        system.spawn(participant(name, on_), name=name)
    system.publish("go", correlation_id="case")
    system.wait_idle(5)


def fail(system: ActorSystem) -> None:
    system.publish(FAILURE, correlation_id="case")
    system.wait_idle(5)


def undone(said: list[Event]) -> list[str]:
    return [event.type.partition(".")[0] for event in said if event.type.endswith(".undone")]


def test_a_chain_is_undone_from_its_end(
    system: ActorSystem, said: list[Event], states: States
) -> None:
    start(system, a="go", b="a.done", c="b.done", d="c.done")
    fail(system)
    assert undone(said) == ["d", "c", "b", "a"]
    assert set(states().values()) == {"compensated"}
    assert not any(record["owed"] for record in records(system).values())


def test_who_waits_is_woken_once_and_nobody_else_is(system: ActorSystem, said: list[Event]) -> None:
    start(system, a="go", b="a.done", c="b.done")
    fail(system)
    woken = [event.payload["for"] for event in said if event.type == "saga.compensated"]
    assert sorted(woken) == ["a", "b"]


def test_nobody_is_woken_where_nobody_waits(system: ActorSystem, said: list[Event]) -> None:
    start(system, a="go")
    fail(system)
    assert undone(said) == ["a"]
    assert "saga.compensated" not in types(said)


def test_branches_do_not_wait_for_each_other(
    system: ActorSystem, said: list[Event], until: Until
) -> None:
    start(system, a="go", b="a.done", c="a.done")
    system.pause("b")
    system.publish(FAILURE, correlation_id="case")
    until(lambda: undone(said) == ["c"])
    system.resume("b")
    system.wait_idle(5)
    assert undone(said) == ["c", "b", "a"]


def test_who_passes_an_event_on_passes_on_what_it_stands_on(
    system: ActorSystem, said: list[Event]
) -> None:
    class Plain(Agent):
        @on("a.done")
        def pass_on(self, event: Event) -> None:
            self.emit("a.checked")

    system.spawn(Plain)
    start(system, a="go", b="a.checked")
    fail(system)
    assert undone(said) == ["b", "a"]


def test_the_steps_of_one_agent_are_undone_in_order_too(
    system: ActorSystem, said: list[Event]
) -> None:
    class Two(SagaParticipant):
        compensate_on = (FAILURE,)

        # The second is written first.
        @step("first.done", emits="second.done", compensate="undo_second")
        def second(self, event: Event) -> object:
            return {}

        @step("go", emits="first.done", compensate="undo_first")
        def first(self, event: Event) -> object:
            return {}

        def undo_first(self, event: Event) -> None:
            self.emit("first.undone")

        def undo_second(self, event: Event) -> None:
            self.emit("second.undone")

    system.spawn(Two)
    start(system)
    fail(system)
    assert undone(said) == ["second", "first"]


def test_who_does_not_undo_on_this_failure_is_not_waited_for(
    system: ActorSystem, said: list[Event], states: States
) -> None:
    class Stays(SagaParticipant):
        compensate_on = ("another.failure",)

        @step("a.done", emits="stays.done", compensate="undo")
        def do(self, event: Event) -> object:
            return {}

        def undo(self, event: Event) -> None:
            self.emit("stays.undone")

    system.spawn(Stays)
    start(system, a="go")
    fail(system)
    assert undone(said) == ["a"]
    assert states()["stays/do"] == "done"


def test_what_cannot_be_undone_is_not_waited_for(system: ActorSystem, said: list[Event]) -> None:
    class Mail(SagaParticipant):
        compensate_on = (FAILURE,)

        @step("a.done", emits="mail.done")
        def do(self, event: Event) -> object:
            return {}

    system.spawn(Mail)
    start(system, a="go")
    fail(system)
    assert undone(said) == ["a"]


class Last(SagaParticipant):
    @step("b.done", emits="last.done", fails=FAILURE)
    def do(self, event: Event) -> object:
        raise StepFailed("no")


def test_a_failed_step_turns_the_case_back_by_itself(
    system: ActorSystem, said: list[Event], states: States
) -> None:
    system.spawn(Last)
    start(system, a="go", b="a.done")
    assert undone(said) == ["b", "a"]
    assert states() == {"a/do": "compensated", "b/do": "compensated", "last/do": "failed"}


# -- what cannot be undone --------------------------------------------------------------------


class Stubborn(SagaParticipant):
    compensate_on = (FAILURE,)
    retry = Retry(attempts=3, delay=0)
    works = False

    def __init__(self) -> None:
        super().__init__()
        self.tried = 0

    @step("a.done", emits="stubborn.done", compensate="undo")
    def do(self, event: Event) -> object:
        return {}

    def undo(self, event: Event) -> None:
        self.tried += 1
        self.emit("stubborn.undone")
        if not self.works:
            raise ValueError(f"attempt {self.tried}")


def test_a_compensation_that_fails_is_told_of_and_redelivered(
    system: ActorSystem, said: list[Event], states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.spawn(Stubborn)
    start(system, a="go")
    fail(system)
    [stuck] = [event for event in said if event.type == "saga.stuck"]
    assert stuck.payload["agent"] == "stubborn"
    assert stuck.payload["step"] == "do"
    assert stuck.payload["owed"] == ["undo"]
    assert stuck.payload["error"] == "ValueError: attempt 3"
    assert stuck.payload["event_id"] == next(e.id for e in said if e.type == "a.done")
    assert undone(said) == []  # and what stands before it waits
    assert records(system)["stubborn/do"]["owed"] is True
    [letter] = system.dead_letters()
    assert (letter.agent, letter.reason, letter.attempts) == ("stubborn", "failed", 3)
    monkeypatch.setattr(Stubborn, "works", True)
    system.redeliver(letter)
    system.wait_idle(5)
    assert undone(said) == ["stubborn", "a"]
    assert set(states().values()) == {"compensated"}
    assert not system.dead_letters()


def test_one_that_fails_holds_up_no_other_of_its_agent(
    system: ActorSystem, said: list[Event], states: States
) -> None:
    class Both(SagaParticipant):
        compensate_on = (FAILURE,)
        retry = Retry(attempts=1)

        @step("go", emits="x.done", compensate="undo_x")
        def x(self, event: Event) -> object:
            return {}

        @step("go", emits="y.done", compensate="undo_y")
        def y(self, event: Event) -> object:
            return {}

        def undo_x(self, event: Event) -> None:
            self.emit("x.undone")

        def undo_y(self, event: Event) -> None:
            raise ValueError("never")

    system.spawn(Both)
    start(system)
    fail(system)
    assert undone(said) == ["x"]
    assert states() == {"both/x": "compensated", "both/y": "done"}
    [letter] = system.dead_letters()
    system.redeliver(letter)
    system.wait_idle(5)
    assert undone(said) == ["x"]


# -- a keyed participant ------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["payload.order.id", "metadata.correlationId"])
def test_a_keyed_participant_waits_and_is_woken(
    system: ActorSystem, said: list[Event], key: str
) -> None:
    class Keyed(SagaParticipant):
        compensate_on = (FAILURE,)

        @step("go", emits="keyed.done", compensate="undo")
        def do(self, event: Event) -> object:
            return {"order": {"id": 7}}

        def undo(self, event: Event) -> None:
            self.emit("keyed.undone")

    system.spawn(Keyed, key=key)
    system.spawn(participant("b", "keyed.done"), name="b")
    payload = {"order": {"id": 7}}
    system.publish("go", payload, correlation_id="case")
    system.wait_idle(5)
    system.publish(FAILURE, payload, correlation_id="case")
    system.wait_idle(5)
    assert undone(said) == ["b", "keyed"]
    assert not system.dead_letters()
