"""Deadlines: a step has so many seconds, whatever it waits for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from choreia import ActorSystem, Event, Retry, SagaParticipant, on, pivot, step
from tests.actors.sagas.conftest import States, records, types


class Slow(SagaParticipant):
    retry = Retry(attempts=100, delay=4, factor=1, jitter=0)
    compensate_on = ("case.failed",)

    @step("go.wait", emits="done", fails="failed", deadline=30, compensate="undo")
    def wait_for_answer(self, event: Event) -> None:
        pass

    @on("answer")
    def answered(self, event: Event) -> None:
        self.emit("done")

    @step("go.coroutine", emits="coroutine.done", fails="failed", deadline=30)
    async def coroutine(self, event: Event) -> None:
        await asyncio.sleep(1_000)

    @step("go.retry", emits="retry.done", fails="failed", deadline=30)
    def again(self, event: Event) -> None:
        raise ValueError("not yet")

    @step("go.silent", emits="silent.done", deadline=30)
    def silent(self, event: Event) -> None:
        pass

    def undo(self, event: Event) -> None:
        self.emit("undone")


@pytest.fixture
def slow(sim: ActorSystem, said: list[Event]) -> Any:
    return sim.spawn(Slow)


def go(sim: ActorSystem, what: str) -> None:
    sim.publish(f"go.{what}", correlation_id="case")


@pytest.mark.parametrize("what", ["wait", "coroutine", "retry"])
def test_past_its_deadline_a_step_has_failed(
    sim: ActorSystem, slow: object, said: list[Event], states: States, what: str
) -> None:
    go(sim, what)
    sim.advance(29.9)
    assert "failed" not in types(said)
    sim.advance(0.2)
    [failed] = [event for event in said if event.type == "failed"]
    assert failed.payload["reason"] == "deadline"
    assert list(states().values()) == ["failed"]
    sim.advance(1_000)
    assert types(said).count("failed") == 1
    assert not sim.dead_letters()
    go(sim, "wait")
    sim.advance(1)
    assert sim.ref("slow").is_alive()


def test_an_answer_in_time_calls_the_deadline_off(
    sim: ActorSystem, slow: object, said: list[Event], states: States
) -> None:
    go(sim, "wait")
    sim.advance(29)
    sim.publish("answer", correlation_id="case")
    sim.advance(100)
    assert types(said)[-1] == "done"
    assert states() == {"slow/wait_for_answer": "done"}
    assert "saga.deadline" not in types(said)
    assert records(sim)["slow/wait_for_answer"]["until"] is None


def test_a_record_says_until_when(
    sim: ActorSystem, slow: object, said: list[Event], states: States
) -> None:
    before = sim.clock.now()
    go(sim, "wait")
    sim.advance(1)
    assert records(sim)["slow/wait_for_answer"]["until"] == pytest.approx(before + 30, abs=0.5)


def test_an_answer_that_comes_too_late_ends_nothing(
    sim: ActorSystem, slow: object, said: list[Event], states: States
) -> None:
    go(sim, "wait")
    sim.advance(31)
    sim.publish("answer", correlation_id="case")
    sim.advance(1)
    assert states() == {"slow/wait_for_answer": "failed"}


def test_without_fails_the_deadline_is_a_dead_letter(
    sim: ActorSystem, slow: object, said: list[Event], states: States
) -> None:
    go(sim, "silent")
    sim.advance(31)
    [letter] = sim.dead_letters()
    assert letter.event is not None
    assert letter.event.type == "saga.deadline"
    assert states() == {"slow/silent": "failed"}


def test_the_deadline_of_a_keyed_participant_comes_to_the_one_it_is_about(
    sim: ActorSystem, said: list[Event]
) -> None:
    sim.spawn(Slow, key="payload.order")
    for order in ("a", "b"):
        sim.publish("go.wait", {"order": order}, correlation_id=order)
    sim.advance(10)
    sim.publish("answer", {"order": "a"}, correlation_id="a")
    sim.advance(100)
    [failed] = [event for event in said if event.type == "failed"]
    assert failed.metadata.correlation_id == "b"
    assert not sim.dead_letters()


# -- the pivot ----------------------------------------------------------------------------------


class First(SagaParticipant):
    compensate_on = ("case.failed",)

    @step("go", emits="first.done", compensate="undo")
    def do(self, event: Event) -> object:
        return {}

    def undo(self, event: Event) -> None:
        self.emit("first.undone")


class Point(SagaParticipant):
    """Of no return."""

    withdraw_on = ("case.withdrawn",)

    @pivot("first.done", emits="point.done", fails="point.refused")
    def do(self, event: Event) -> object:
        if event.payload.get("later"):
            return None
        return {}

    @on("answer")
    def answered(self, event: Event) -> None:
        self.emit(event.payload["type"])


class After(SagaParticipant):
    retry = Retry(attempts=3, delay=0)
    works = False

    def __init__(self) -> None:
        super().__init__()
        self.tried = 0

    @step("point.done", emits="after.done", fails="case.failed")
    def do(self, event: Event) -> object:
        self.tried += 1
        if not self.works:
            raise ValueError("broken")
        return {}


def test_past_the_pivot_nothing_is_undone(
    system: ActorSystem, said: list[Event], states: States
) -> None:
    system.spawn(First)
    system.spawn(Point)
    system.publish("go", correlation_id="case")
    system.wait_idle(5)
    system.publish("case.failed", correlation_id="case")
    system.wait_idle(5)
    assert "first.undone" not in types(said)
    assert states() == {"first/do": "done", "point/do": "done"}
    assert not records(system)["first/do"]["owed"]


def test_past_the_pivot_what_fails_is_tried_again_and_then_told_of(
    system: ActorSystem, said: list[Event], states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.spawn(First)
    system.spawn(Point)
    ref = system.spawn(After)
    system.publish("go", correlation_id="case")
    system.wait_idle(5)
    assert ref.proxy().tried.get() == 3
    assert "case.failed" not in types(said)
    [stuck] = [event for event in said if event.type == "saga.stuck"]
    assert stuck.payload["owed"] == ["after.done"]
    [letter] = system.dead_letters()
    assert records(system)["after/do"]["owed"] is True
    monkeypatch.setattr(After, "works", True)
    system.redeliver(letter)
    system.wait_idle(5)
    assert types(said)[-1] == "after.done"
    assert states()["after/do"] == "done"
    assert not records(system)["after/do"]["owed"]
    assert not system.dead_letters()


@pytest.mark.parametrize(
    ("answer", "end"), [("point.done", "done"), ("point.refused", "compensated")]
)
def test_who_would_undo_waits_for_a_pivot_in_hand(
    system: ActorSystem, said: list[Event], states: States, answer: str, end: str
) -> None:
    class Waits(First):
        @step("go", emits="first.done", compensate="undo")
        def do(self, event: Event) -> object:
            return {"later": True}

    system.spawn(Waits, name="first")
    system.spawn(Point)
    system.publish("go", correlation_id="case")
    system.wait_idle(5)
    assert states()["point/do"] == "doing"
    system.publish("case.failed", correlation_id="case")
    system.wait_idle(5)
    assert states()["first/do"] == "done"
    assert records(system)["first/do"]["owed"]
    system.publish("answer", {"type": answer}, correlation_id="case")
    system.wait_idle(5)
    assert states()["first/do"] == end
    assert not records(system)["first/do"]["owed"]
    assert types(said).count("first.undone") == (end == "compensated")


def test_a_pivot_that_comes_when_the_case_goes_back_is_refused(
    system: ActorSystem, said: list[Event], states: States
) -> None:
    class Free(Point):
        withdraw_on = ("nothing",)

    system.spawn(First)
    system.publish("go", correlation_id="case")
    system.wait_idle(5)
    system.publish("case.failed", correlation_id="case")
    system.wait_idle(5)
    assert "first.undone" in types(said)
    system.spawn(Free, name="point")
    system.publish("first.done", correlation_id="case")
    system.wait_idle(5)
    assert types(said)[-1] == "point.refused"
    assert said[-1].payload == {"step": "do", "reason": "withdrawn"}
    assert states()["point/do"] == "tombstoned"


def test_a_pivot_that_is_killed_holds_up_nobody(
    system: ActorSystem, said: list[Event], states: States
) -> None:
    class Broken(SagaParticipant):
        retry = Retry(attempts=1)

        @pivot("first.done", emits="point.done")
        def do(self, event: Event) -> object:
            raise ValueError("broken")

    system.spawn(First)
    system.spawn(Broken)
    system.publish("go", correlation_id="case")
    system.wait_idle(5)
    assert states()["broken/do"] == "failed"
    system.publish("case.failed", correlation_id="case")
    system.wait_idle(5)
    assert states()["first/do"] == "compensated"
    [letter] = system.dead_letters()
    system.redeliver(letter)  # and now it is too late
    system.wait_idle(5)
    assert states()["broken/do"] == "tombstoned"
