"""With a store: what was done for a case is known after a crash, and is undone then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from choreia import (
    ActorSystem,
    Event,
    MemoryStore,
    Retry,
    SagaParticipant,
    SqliteStore,
    join,
    on,
    step,
)
from choreia.runtime.stores.base import EventStore
from tests.actors.sagas.conftest import types


class First(SagaParticipant):
    compensate_on = ("case.failed",)
    fails = False

    @step("go", emits="first.done", compensate="undo")
    def do(self, event: Event) -> object:
        return {"n": event.payload["n"]}

    def undo(self, event: Event) -> None:
        because = self.because
        self.emit("first.undone", {"n": event.payload["n"], "why": because and because.type})


class Second(SagaParticipant):
    compensate_on = ("case.failed",)
    retry = Retry(attempts=1)
    works = True

    @step("first.done", emits="second.done", compensate="undo", deadline=60)
    def do(self, event: Event) -> None:
        self.emit("second.asked")

    @on("answer")
    def answered(self, event: Event) -> None:
        self.emit("second.done")

    def undo(self, event: Event) -> None:
        if not self.works:
            raise ValueError("broken")
        self.emit("second.undone", {"n": event.payload["n"]})


class Clerk(SagaParticipant):
    @join("go", "answer", within=60)
    def both(self, events: tuple[Event, Event]) -> None:
        self.emit("both.came", {"n": events[0].payload["n"]})


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> EventStore:
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "events.db")


def run(
    store: EventStore, *what: tuple[str, dict[str, object]], seconds: float = 0, without: str = ""
) -> list[str]:
    """A life of the system: what is said in it."""
    said: list[Event] = []
    system = ActorSystem(mode="simulated", store=store)
    try:
        system.subscribe("#", said.append, durable=False)
        for agent in (First, Second, Clerk):
            if agent.__name__ != without:
                system.spawn(agent)
        for type, payload in what:
            system.publish(type, payload, correlation_id="case")
            system.wait_idle()
        system.wait_idle()
        system.advance(seconds)
    finally:
        system.stop(drain=False)
    return [type for type in types(said) if not type.startswith(("agent.", "system."))]


GO: tuple[str, dict[str, object]] = ("go", {"n": 7})
ANSWER: tuple[str, dict[str, object]] = ("answer", {})
FAILED: tuple[str, dict[str, object]] = ("case.failed", {})


def states(store: EventStore) -> dict[str, str]:
    return {
        f"{one.agent}/{one.name}": json.loads(one.value)["state"] for one in store.records("case")
    }


def test_records_are_in_the_store(store: EventStore) -> None:
    run(store, GO)
    assert states(store) == {
        "first/step:do": "done",
        "second/step:do": "doing",
        "clerk/join:both": "doing",
    }


def test_what_was_done_before_is_undone_after(store: EventStore) -> None:
    run(store, GO)
    run(store, ANSWER)
    said = run(store, FAILED)
    assert said == ["case.failed", "second.undone", "saga.compensated", "first.undone"]
    assert states(store) == {
        "first/step:do": "compensated",
        "second/step:do": "compensated",
        "clerk/join:both": "done",
    }
    assert run(store, FAILED) == ["case.failed"]
    undone = [one.event for one in store.read() if one.event.type == "first.undone"]
    assert [event.payload for event in undone] == [{"n": 7, "why": "case.failed"}]


def test_a_join_goes_on(store: EventStore) -> None:
    run(store, GO)
    assert "both.came" in run(store, ANSWER)


def test_so_does_a_deadline(store: EventStore) -> None:
    run(store, GO, seconds=50)
    said = run(store, seconds=20)
    assert said.count("saga.deadline") == 2
    assert said.count("join.expired") == 1
    assert states(store)["second/step:do"] == "failed"


def test_who_waits_goes_on_waiting(store: EventStore) -> None:
    run(store, GO, ANSWER)
    said = run(store, FAILED, without="Second")
    assert said == ["case.failed"]
    assert states(store)["first/step:do"] == "done"
    assert run(store) == ["second.undone", "saga.compensated", "first.undone"]


def test_a_compensation_is_redelivered(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Second, "works", False)
    assert "saga.stuck" in run(store, GO, ANSWER, FAILED)
    monkeypatch.setattr(Second, "works", True)
    assert run(store) == []
    with ActorSystem(mode="simulated", store=store) as system:
        for agent in (First, Second, Clerk):
            system.spawn(agent)
        [letter] = [one for one in system.dead_letters() if one.agent == "second"]
        system.redeliver(letter)
        system.wait_idle()
    assert states(store)["first/step:do"] == "compensated"
    assert states(store)["second/step:do"] == "compensated"
