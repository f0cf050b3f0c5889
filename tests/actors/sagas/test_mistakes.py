"""What is written wrongly inside a step says so when it runs."""

from __future__ import annotations

import logging

import pytest

from choreia import ActorSystem, Event, SagaParticipant, StepFailed, step
from tests.actors.sagas.conftest import States, types


class Payment(SagaParticipant):
    @step("shelf.reserved", emits=("till.charged", "till.free"), fails="till.refused")
    def charge(self, event: Event) -> None:
        how = event.payload["how"]
        if how == "error":
            raise StepFailed(ValueError("no such card"))
        if how == "number":
            raise StepFailed(3)
        if how == "nothing":
            raise StepFailed("no reason")

    @step("shelf.asked", emits="till.told", fails="till.silent", awaits="gateway.answered")
    def ask(self, event: Event) -> None: ...

    @step("shelf.waits", emits="till.done", fails="till.late", deadline=3)
    def wait(self, event: Event) -> None: ...

    def failure(self, step: str, event: Event, reason: str) -> object:
        return None if event.payload["how"] == "nothing" else {"reason": reason}


def charge(system: ActorSystem, how: str) -> None:
    system.spawn(Payment)
    system.publish("shelf.reserved", {"how": how}, correlation_id="case")
    system.wait_idle(5)


def test_an_error_is_a_reason(system: ActorSystem, said: list[Event]) -> None:
    charge(system, "error")
    assert types(said) == ["shelf.reserved", "till.refused"]
    assert said[1].payload == {"reason": "ValueError: no such card"}


@pytest.mark.parametrize(("how", "what"), [("number", "a int"), ("nothing", "a NoneType")])
def test_what_cannot_say_that_a_step_has_failed_is_named(
    system: ActorSystem, how: str, what: str
) -> None:
    charge(system, how)
    [letter] = system.dead_letters()
    assert f"step charge: {what} cannot say that it has failed" in str(letter.error)
    assert "'till.refused'" in str(letter.error)


def test_a_step_that_says_nothing_and_awaits_nothing_is_told_of(
    system: ActorSystem, states: States, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        charge(system, "forgets")
        assert states() == {"payment/charge": "doing"}
        [warning] = caplog.messages
        assert "step charge has returned, and has said none of till.charged, till.free" in warning
        caplog.clear()
        system.publish("shelf.asked")
        system.publish("shelf.waits")
        system.wait_idle(5)
        assert caplog.messages == []
