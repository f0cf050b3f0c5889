"""Debates: what critics and defenders hold, and what a finding weighs in the end."""

from __future__ import annotations

from itertools import permutations

import pytest
from attrs import evolve

from choreia import ActorSystem
from choreia.demos.review.critics import (
    AuthorCritic,
    ContextCritic,
    Critic,
    DoubtCritic,
    IdiomCritic,
)
from choreia.demos.review.debate import Debate
from choreia.demos.review.defenders import PrudentDefender, StubbornDefender
from choreia.demos.review.events import (
    ChallengeAnswered,
    Finding,
    FindingRaised,
    FindingSettled,
    OpinionGiven,
    Stance,
)

FINDING = Finding(
    id="3-0",
    path="shop/basket.py",
    line=2,
    column=1,
    rule="bare-except",
    symbol="load",
    severity="medium",
    confidence=0.9,
    message="…",
    mark="",
)
RAISED = FindingRaised(FINDING, critics=("c1", "c2"), defenders=("d1", "d2"))


def opinion(critic: str, stance: Stance = "agree") -> OpinionGiven:
    return OpinionGiven("3-0", critic, stance, f"says {critic}", "medium", 0.9, ("d1", "d2"))


def answer(critic: str, defender: str, rebutted: bool) -> ChallengeAnswered:
    return ChallengeAnswered("3-0", critic, defender, rebutted)


def debate(*said: object, gone: frozenset[str] = frozenset()) -> FindingSettled | None:
    result = Debate()
    for item in said:
        if isinstance(item, FindingRaised):
            result.raised = item
        elif isinstance(item, OpinionGiven):
            result.opinion(item)
        elif isinstance(item, ChallengeAnswered):
            result.answer(item)
    return result.settled(gone)


def test_a_finding_that_all_agree_with_has_its_full_weight() -> None:
    settled = debate(RAISED, opinion("c1"), opinion("c2"))
    assert settled == FindingSettled(FINDING, weight=1.8, upheld=True, challenges=())


def test_a_challenge_stands_unless_all_defenders_rebut_it() -> None:
    said = (RAISED, opinion("c1", "challenge"), opinion("c2"), answer("c1", "d1", True))
    rebutted = debate(*said, answer("c1", "d2", True))
    assert rebutted is not None
    assert rebutted.upheld
    assert rebutted.weight == 1.8
    assert [(c.critic, c.argument, c.stands) for c in rebutted.challenges] == [
        ("c1", "says c1", False)
    ]
    conceded = debate(*said, answer("c1", "d2", False))
    assert conceded is not None
    assert not conceded.upheld
    assert conceded.weight == 1.2  # medium, 2, times 0.9, times 2 of 3 voices


def test_it_is_settled_only_when_all_have_spoken() -> None:
    said = [
        RAISED,
        opinion("c1", "challenge"),
        opinion("c2"),
        answer("c1", "d1", True),
        answer("c1", "d2", True),
    ]
    for missing in said:
        assert debate(*(item for item in said if item is not missing)) is None


def test_the_order_in_which_things_are_heard_does_not_matter() -> None:
    said = [
        RAISED,
        opinion("c1", "challenge"),
        opinion("c2", "challenge"),
        answer("c1", "d1", True),
        answer("c1", "d2", True),
        answer("c2", "d1", False),
        answer("c2", "d2", True),
    ]
    outcomes = [debate(*order) for order in permutations(said)]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0] is not None
    assert [challenge.stands for challenge in outcomes[0].challenges] == [False, True]


def test_whoever_is_gone_is_not_waited_for() -> None:
    assert debate(RAISED, opinion("c1"), gone=frozenset({"c2"})) is not None
    challenged = (RAISED, opinion("c1", "challenge"), opinion("c2"), answer("c1", "d1", True))
    settled = debate(*challenged, gone=frozenset({"d2"}))
    assert settled is not None
    assert settled.upheld
    # With nobody left to defend it, a challenge stands.
    settled = debate(*challenged[:3], gone=frozenset({"d1", "d2"}))
    assert settled is not None
    assert not settled.upheld


@pytest.mark.parametrize(
    ("critic", "finding", "objects"),
    [
        (ContextCritic, FINDING, False),
        (ContextCritic, evolve(FINDING, path="tests/load.py"), True),
        (ContextCritic, evolve(FINDING, path="shop/test_load.py"), True),
        (ContextCritic, evolve(FINDING, path="conftest.py"), True),
        (ContextCritic, evolve(FINDING, path="shop/latest.py"), False),
        (ContextCritic, evolve(FINDING, path="contests/a.py"), False),
        (ContextCritic, evolve(FINDING, path="tests/a.py", rule="assert-on-tuple"), False),
        (AuthorCritic, FINDING, False),
        (AuthorCritic, evolve(FINDING, mark="noqa"), True),
        (IdiomCritic, FINDING, False),
        (IdiomCritic, evolve(FINDING, symbol="Pool.close"), True),
        (IdiomCritic, evolve(FINDING, symbol="Pool.close", rule="eval-exec"), False),
        (IdiomCritic, evolve(FINDING, symbol="Pool.enclose"), False),
        (DoubtCritic, FINDING, False),
        (DoubtCritic, evolve(FINDING, confidence=0.4), True),
    ],
)
def test_what_critics_object_to(critic: type[Critic], finding: Finding, objects: bool) -> None:
    assert bool(critic().objection(finding)) is objects


@pytest.mark.parametrize(
    ("severity", "confidence", "answers"),
    [
        ("low", 0.5, {"prudent-defender": False, "stubborn-defender": False}),
        ("medium", 0.9, {"prudent-defender": False, "stubborn-defender": True}),
        ("high", 0.89, {"prudent-defender": True, "stubborn-defender": False}),
        ("critical", 0.95, {"prudent-defender": True, "stubborn-defender": True}),
    ],
)
def test_what_defenders_hold(severity: str, confidence: float, answers: dict[str, bool]) -> None:
    heard: list[ChallengeAnswered] = []
    with ActorSystem(mode="simulated") as system:
        system.spawn(PrudentDefender)
        system.spawn(StubbornDefender)
        system.subscribe(ChallengeAnswered, heard.append)
        challenge = OpinionGiven("3-0", "c1", "challenge", "", severity, confidence, tuple(answers))
        system.publish(challenge)
        system.publish(evolve(challenge, stance="agree"))
        system.publish(evolve(challenge, defenders=()))  # asks none of them
        system.wait_idle(timeout=5)
    assert {item.defender: item.rebutted for item in heard} == answers
    assert len(heard) == 2
