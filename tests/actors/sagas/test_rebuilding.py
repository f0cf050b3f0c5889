"""How steps stood at a moment of a log follows from what was said until then."""

from __future__ import annotations

import json

import pytest

from choreia import ActorSystem, Agent, Event, MemoryStore, SagaParticipant, StepFailed, join, step
from choreia.actors.sagas.rebuilding import rebuilt


class First(SagaParticipant):
    compensate_on = ("case.failed",)

    @step("go", emits="first.done", compensate="undo")
    def do(self, event: Event) -> object:
        return {"id": "x"}

    def undo(self, event: Event) -> None:
        self.emit("first.undone", {"id": "x"})


class Second(SagaParticipant):
    compensate_on = ("case.failed",)
    withdraw_on = ("case.withdrawn",)

    @step("first.done", emits="second.done", fails="second.refused", compensate="undo")
    def do(self, event: Event) -> object:
        return {}

    def undo(self, event: Event) -> None:
        self.emit("second.undone")


class Third(SagaParticipant):
    @step("second.done", emits="third.done", fails="case.failed")
    def do(self, event: Event) -> object:
        raise StepFailed({"id": "x"})


class Waits(SagaParticipant):
    @step("second.done", emits="waits.done")
    def do(self, event: Event) -> None: ...

    @join("go", "second.done", within=60)
    def both(self, events: tuple[Event, Event]) -> None:
        self.emit("both.came")

    @join("go", "nothing", within=60)
    def never(self, events: tuple[Event, Event]) -> None: ...


CAST: dict[str, type[Agent]] = {
    "first": First,
    "second": Second,
    "third": Third,
    "waits": Waits,
}


@pytest.mark.parametrize("before", [(), ("case.withdrawn",), ("case.failed",)])
@pytest.mark.parametrize("key", [None, "payload.id", "metadata.correlationId"])
def test_at_the_end_it_is_what_the_store_keeps(before: tuple[str, ...], key: str | None) -> None:
    first = type("First", (First,), {"key": key})
    store, cast = MemoryStore(), {**CAST, "first": first}
    with ActorSystem(mode="simulated", store=store) as system:
        for name, agent in cast.items():
            system.spawn(agent, name=name)
        for case in ("a", "b"):
            for type_ in (*before, "go"):
                system.publish(type_, {"id": "x"}, correlation_id=case)
                system.wait_idle()
        kept = {(one.agent, one.correlation_id, one.name): one.value for one in store.records()}
        found = {
            (one.agent, one.correlation_id, one.name): one.value
            for one in rebuilt(cast, store.read(), lambda name, position: True)
        }

    def facts(value: bytes) -> dict[str, object]:
        said = json.loads(value)
        return {name: said[name] for name in ("state", "event", "after", "on", "owed", "kind")}

    assert {place: facts(value) for place, value in found.items()} == {
        place: facts(value) for place, value in kept.items()
    }
