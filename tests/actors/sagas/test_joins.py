"""Joins: one case's events together, or the news that they have not come."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from choreia import ActorSystem, Event, Retry, SagaParticipant, event_type, join, step
from tests.actors.sagas.conftest import States, records, types


@event_type("vote.b")
@attrs.frozen
class VoteB:
    yes: bool


class Clerk(SagaParticipant):
    retry = Retry(attempts=2, delay=0)

    def __init__(self) -> None:
        super().__init__()
        self.given: list[tuple[Any, ...]] = []

    @join("vote.a", VoteB, "vote.c", within=60)
    def decide(self, votes: tuple[Event, VoteB, Event]) -> None:
        self.given.append(votes)
        if len(self.given) == 1 and votes[0].payload.get("fail"):
            raise ValueError("once more")
        self.emit("decided", {"yes": votes[1].yes})


@pytest.fixture
def clerk(sim: ActorSystem, said: list[Event]) -> Clerk:
    made: list[Clerk] = []

    def make() -> Clerk:
        made.append(Clerk())
        return made[-1]

    sim.spawn(make, name="clerk")
    return made[0]


def vote(sim: ActorSystem, who: str, case: str = "case", **payload: object) -> None:
    sim.publish(f"vote.{who}", {"yes": True, **payload}, correlation_id=case)
    sim.wait_idle()


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_all_together_in_the_order_of_the_topics(
    sim: ActorSystem, clerk: Clerk, said: list[Event], states: States, order: str
) -> None:
    for who in order[:-1]:
        vote(sim, who)
    assert clerk.given == []
    assert states() == {"clerk/decide": "doing"}
    vote(sim, order[-1])
    [votes] = clerk.given
    assert (votes[0].type, votes[1], votes[2].type) == ("vote.a", VoteB(True), "vote.c")
    assert states() == {"clerk/decide": "done"}
    sim.advance(100)
    assert types(said) == [*(f"vote.{who}" for who in order), "decided"]


def test_what_it_emits_has_all_of_them_as_causes(
    sim: ActorSystem, clerk: Clerk, said: list[Event]
) -> None:
    for who in "abc":
        vote(sim, who)
    [decided] = [event for event in said if event.type == "decided"]
    assert decided.metadata.causation_id == said[2].id
    assert decided.metadata.causes == (said[0].id, said[1].id)


def test_of_two_for_one_topic_the_first_counts(
    sim: ActorSystem, clerk: Clerk, said: list[Event]
) -> None:
    vote(sim, "b", yes=False)
    vote(sim, "b", yes=True)
    vote(sim, "a")
    vote(sim, "c")
    vote(sim, "c")
    [votes] = clerk.given
    assert votes[1] == VoteB(False)


def test_cases_are_not_mixed(sim: ActorSystem, clerk: Clerk) -> None:
    vote(sim, "a")
    vote(sim, "b", "other")
    vote(sim, "c")
    assert clerk.given == []


def test_what_has_not_come_in_time_is_told(
    sim: ActorSystem, clerk: Clerk, said: list[Event], states: States
) -> None:
    vote(sim, "a")
    sim.advance(30)
    vote(sim, "c")
    sim.advance(29)
    assert "join.expired" not in types(said)
    sim.advance(2)
    [expired] = [event for event in said if event.type == "join.expired"]
    assert expired.payload == {
        "join": "decide",
        "agent": "clerk",
        "missing": ["vote.b"],
        "event_ids": [said[0].id, said[1].id],
    }
    assert states() == {"clerk/decide": "failed"}
    vote(sim, "b")
    assert clerk.given == []


def test_a_join_that_fails_is_tried_again(
    sim: ActorSystem, clerk: Clerk, said: list[Event], states: States
) -> None:
    vote(sim, "a", fail=True)
    vote(sim, "b")
    vote(sim, "c")
    assert len(clerk.given) == 2
    assert types(said).count("decided") == 1


def test_an_event_of_its_own_may_tell_of_it(sim: ActorSystem, said: list[Event]) -> None:
    class Other(SagaParticipant):
        emits = ()

        @join("vote.*", "vote.*", within=10, expired="votes.missing")
        async def pair(self, votes: tuple[Event, Event]) -> None:
            self.emit("votes.missing")

    sim.spawn(Other)
    vote(sim, "a")
    sim.advance(11)
    assert types(said)[-1] == "votes.missing"
    vote(sim, "a", "another")
    vote(sim, "a", "another")
    assert types(said)[-1] == "votes.missing"
    assert said[-1].metadata.causes == (said[-3].id,)


def test_what_follows_a_join_stands_on_all_branches(
    system: ActorSystem, said: list[Event], states: States
) -> None:
    def branch(name: str) -> type[SagaParticipant]:
        class Branch(SagaParticipant):
            compensate_on = ("case.failed",)

            @step("go", emits=f"vote.{name}", compensate="undo")
            def do(self, event: Event) -> object:
                return {"yes": True}

            def undo(self, event: Event) -> None:
                self.emit(f"{name}.undone")

        return Branch

    class Last(SagaParticipant):
        compensate_on = ("case.failed",)

        @step("decided", emits="last.done", compensate="undo")
        def do(self, event: Event) -> object:
            return {}

        def undo(self, event: Event) -> None:
            self.emit("last.undone")

    system.spawn(Clerk)
    for name in "abc":
        system.spawn(branch(name), name=name)
    system.spawn(Last)
    system.publish("go", correlation_id="case")
    system.wait_idle(5)
    assert sorted(records(system)["last/do"]["after"]) == [[name, "step:do"] for name in "abc"]
    system.publish("case.failed", correlation_id="case")
    system.wait_idle(5)
    undone = [event.type for event in said if event.type.endswith(".undone")]
    assert undone[0] == "last.undone"
    assert sorted(undone[1:]) == ["a.undone", "b.undone", "c.undone"]
