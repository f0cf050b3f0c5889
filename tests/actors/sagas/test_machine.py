"""Sagas drawn at random, with failures and duplicates: whatever happens, what was done is undone
once, in reverse causal order, and never past the pivot."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import attrs
from hypothesis import given, note, settings
from hypothesis import strategies as st

from choreia import ActorSystem, Event, MemoryStore, Retry, SagaParticipant, StepFailed, join
from choreia.actors.sagas import marks
from tests.actors.sagas.conftest import types

FAILURES = ("case.failed", "case.broken")


@attrs.frozen
class One:
    """A step of a drawn saga, at an agent of its own."""

    number: int
    after: tuple[int, ...]
    """The steps that it comes after; two are joined."""
    pivot: bool = False
    end: str = "done"
    """``done``, ``fails``, or ``raises`` a few times first."""
    seconds: int | None = None
    """That it awaits; None: it is no coroutine."""
    on: tuple[str, ...] = FAILURES
    undoing: int = 0
    """How often undoing it fails before it works."""

    @property
    def name(self) -> str:
        return f"s{self.number}"

    def agent(self) -> type[SagaParticipant]:
        one, name = self, self.name
        start = "go" if not self.after else f"s{self.after[0]}.done"
        if len(self.after) > 1:
            start = f"{name}.ready"
        mark = marks.pivot if self.pivot else marks.step
        marked = mark(
            start,
            emits=f"{name}.done",
            fails="case.failed",
            compensate=None if self.pivot else "undo",
        )

        class Drawn(SagaParticipant):
            compensate_on = one.on
            retry = Retry(attempts=3, delay=1)

            def __init__(self) -> None:
                super().__init__()
                self.left = {"raises": 2}.get(one.end, 0)
                self.undoing = one.undoing

            def take(self) -> object:
                if self.left:
                    self.left -= 1
                    raise ValueError("once more")
                if one.end == "fails":
                    raise StepFailed("no")
                return {}

            def undo(self, event: Event) -> None:
                if self.undoing:
                    self.undoing -= 1
                    raise ValueError("once more")
                self.emit(f"{name}.undone", {"given": event.type})

        def plain(self: Drawn, event: Event) -> object:
            return self.take()

        async def waiting(self: Drawn, event: Event) -> object:
            await asyncio.sleep(one.seconds or 0)
            return self.take()

        body: dict[str, Any] = {"do": marked(plain if self.seconds is None else waiting)}
        if len(self.after) > 1:
            topics = [f"s{number}.done" for number in self.after]

            @join(*topics, within=1_000)
            def gather(self: Drawn, events: tuple[Event, ...]) -> None:
                self.emit(start)

            body["gather"] = gather
        return type("Drawn", (Drawn,), body)


@st.composite
def sagas(draw: st.DrawFn) -> tuple[One, ...]:
    count = draw(st.integers(2, 6))
    pivot = draw(st.none() | st.integers(1, count - 1))
    steps: list[One] = []
    for number in range(count):
        earlier = st.integers(0, number - 1) if number else st.nothing()
        after = draw(st.lists(earlier, min_size=1, max_size=2, unique=True)) if number else []
        steps.append(
            One(
                number,
                tuple(after),
                number == pivot,
                draw(st.sampled_from(["done", "done", "done", "fails", "raises"])),
                draw(st.none() | st.integers(0, 3)),
                draw(st.sampled_from([FAILURES, FAILURES, FAILURES[:1]])),
                draw(st.sampled_from([0, 0, 1])),
            )
        )
    return tuple(steps)


@attrs.frozen
class Blow:
    """Something from outside, after some seconds: a failure, or a duplicate of what was said."""

    seconds: float
    duplicate: int | None
    """The place, among what was said, of what is said again; None: the case fails."""


blows = st.lists(
    st.builds(Blow, st.sampled_from([0.0, 0.5, 1.0, 2.5]), st.none() | st.integers(0, 30)),
    max_size=4,
)


def play(
    steps: tuple[One, ...], blows: list[Blow], seed: int, stored: bool
) -> tuple[list[Event], dict[str, dict[str, Any]]]:
    """What was said in the case, and how its steps stand in the end."""
    said: list[Event] = []
    store = MemoryStore() if stored else None
    with ActorSystem(mode="simulated", seed=seed, store=store) as system:
        system.subscribe("#", said.append, {"metadata.correlationId": "case"}, durable=False)
        for one in steps:
            system.spawn(one.agent(), name=one.name)
        system.publish("go", correlation_id="case")
        for blow in blows:
            system.advance(blow.seconds)
            if blow.duplicate is None:
                system.publish("case.broken", correlation_id="case")
            elif said:
                again = said[blow.duplicate % len(said)]
                if not again.type.startswith(("saga.", "event.")):
                    system.publish(again.type, again.payload, correlation_id="case")
        system.wait_idle()
        system.advance(2_000)
        system.wait_idle()
        kept = system._book.records("case")
        assert not [one for one in system.dead_letters() if one.reason != "stopped"] or past(
            said, steps
        )
        if store is not None:
            assert {(one.agent, one.name): one.value for one in store.records("case")} == {
                (one.agent, one.name): one.value for one in kept
            }
    return said, {one.agent: json.loads(one.value) for one in kept if one.name == "step:do"}


def past(said: list[Event], steps: tuple[One, ...]) -> bool:
    """Whether the pivot was done."""
    pivots = {f"{one.name}.done" for one in steps if one.pivot}
    return any(event.type in pivots and not event.source.endswith("outside") for event in said)


def stands_on(steps: tuple[One, ...], upper: One) -> set[int]:
    found = set(upper.after)
    for number in upper.after:
        found |= stands_on(steps, steps[number])
    return found


@settings(max_examples=50)
@given(sagas(), blows, st.integers(0, 1_000), st.booleans())
def test_whatever_happens_the_case_comes_to_a_good_end(
    steps: tuple[One, ...], blows: list[Blow], seed: int, stored: bool
) -> None:
    said, records = play(steps, blows, seed, stored)
    note(" ".join(types(said)))
    failures = {event.type for event in said if event.type in FAILURES}
    # What was said again from outside says nothing of who did what.
    place = {
        event.type: number
        for number, event in enumerate(said)
        if not event.source.endswith("outside")
    }
    counted = Counter(event.type for event in said if not event.source.endswith("outside"))
    passed = past(said, steps)
    for one in steps:
        done, undone = f"{one.name}.done", f"{one.name}.undone"
        record = records.get(one.name, {"state": None, "owed": False})
        assert counted[done] <= 1, "done once"
        assert counted[undone] <= 1, "undone once"
        assert (record["state"] in ("done", "compensated")) == (done in place)
        assert (record["state"] == "compensated") == (undone in place)
        assert not record["owed"] or passed
        if passed:
            assert undone not in place, "nothing is undone past the pivot"
        elif done in place and not one.pivot and failures & set(one.on):
            assert undone in place, "what was done is undone"
        if undone in place:
            assert done in place, "only what was done is undone"
            for number in stands_on(steps, one):
                before, together = (
                    place.get(f"s{number}.undone"),
                    set(steps[number].on) <= set(one.on),
                )
                if before is not None and together and place[done] < before:
                    assert place[undone] < before, "in reverse causal order"
