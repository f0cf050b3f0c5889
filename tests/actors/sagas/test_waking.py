"""Whoever was to be woken when the process died is woken after that."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from choreia import ActorSystem, Event, MemoryStore, Retry, SagaParticipant, StoreUnavailable, step
from choreia.runtime.stores.unit import Outcome, Unit


class Mortal(MemoryStore):
    """Dies of the first event of a type: nothing is written from there on."""

    dies_of = "saga.resumed"
    dead = False

    def commit(self, units: Sequence[Unit], now: float) -> list[Outcome]:
        types = {event.type for unit in units for event in unit.events}
        self.dead = self.dead or self.dies_of in types
        if self.dead:
            raise StoreUnavailable("the process has died")
        return super().commit(units, now)

    def close_run(self) -> None:
        if self.dead:
            self.crash()
            self.dead, self.dies_of = False, ""
        else:
            super().close_run()


class First(SagaParticipant):
    compensate_on = ("case.failed",)

    @step("go", emits="first.done", compensate="undo")
    def do(self, event: Event) -> object:
        return {"who": event.payload["who"]}

    def undo(self, event: Event) -> None:
        self.emit("first.undone", {"why": self.because and self.because.type})


class Second(SagaParticipant):
    """Undone by another failure than that for which the first one waits."""

    compensate_on = ("case.failed", "case.broken")
    retry = Retry(attempts=2, delay=1)
    slow = False

    @step("first.done", emits="second.done", compensate="undo")
    def do(self, event: Event) -> object:
        return {}

    def undo(self, event: Event) -> None:
        if self.slow:
            self.slow = False
            raise ValueError("in a second")
        self.emit("second.undone")


class Slow(Second):
    slow = True


def states(store: MemoryStore) -> dict[str, tuple[str, bool]]:
    said = {one.agent: json.loads(one.value) for one in store.records("case")}
    return {agent: (one["state"], one["owed"]) for agent, one in said.items()}


def die_when_it_is_woken(store: Mortal, key: str | None) -> None:
    system = ActorSystem(mode="simulated", store=store)
    try:
        system.spawn(First, key=key)
        system.spawn(Slow, name="second")
        for type in ("go", "case.broken", "case.failed"):
            system.publish(type, {"who": "me"}, correlation_id="case")
            system.advance(0.1)
        system.advance(1)
    finally:
        system.stop(drain=False)


@pytest.mark.parametrize("key", [None, "payload.who"])
@pytest.mark.parametrize("first", [True, False])
def test_who_is_to_be_woken_when_the_process_dies_is_woken_after_that(
    key: str | None, first: bool
) -> None:
    store = Mortal()
    die_when_it_is_woken(store, key)
    name = "first" if key is None else "first:me"
    assert states(store) == {name: ("done", True), "second": ("compensated", False)}
    with ActorSystem(mode="simulated", store=store) as system:
        # Whoever begins first, and if the one that waits comes later.
        for agent in (First, Second) if first else (Second, First):
            system.spawn(agent, key=key if agent is First else None)
            system.wait_idle()
    assert states(store) == {name: ("compensated", False), "second": ("compensated", False)}
    undone = [one.event for one in store.read(pattern="*.undone")]
    assert [(event.type, dict(event.payload)) for event in undone] == [
        ("second.undone", {}),
        ("first.undone", {"why": "case.failed"}),
    ]
