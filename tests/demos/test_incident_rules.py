"""The rules of the incident, each alone: consent, trust, notes, watchers, and the gate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from choreia import ActorSystem, Agent, Event, on
from choreia.demos.incident.action import Action, digest_of
from choreia.demos.incident.cast import FIXER, GATE, JUMPY, KEEPER, SERVICE, STAND_BY
from choreia.demos.incident.consent import Consent, State
from choreia.demos.incident.events import (
    ActionApproved,
    ActionProposed,
    ActionVetoed,
    DeadlinePassed,
    ScoreUpdated,
    ServiceSampled,
)
from choreia.demos.incident.gate import UNKNOWN, Gate
from choreia.demos.incident.keeper import Keeper
from choreia.demos.incident.notes import Notes
from choreia.demos.incident.people import ADA, Answer, Question, by_policy
from choreia.demos.incident.pulse import FALLS_ILL, Pulse
from choreia.demos.incident.trust import Trust, change
from choreia.demos.incident.watcher import TEMPERS, Watcher

ACTION = Action("roll_back", "checkout", {"to": "v41"})
DIGEST = digest_of(ACTION)
OTHER = digest_of(Action("roll_back", "checkout", {"to": "v40"}))
ENDS = ("action.cleared", "approval.refused", "incident.escalated")
MODES = ["simulated", "threads"]


# -- the digest -----------------------------------------------------------------------------


def test_equal_actions_have_one_digest_and_others_another() -> None:
    twins = [Action("a", "b", {"x": "1", "y": "2"}), Action("a", "b", {"y": "2", "x": "1"})]
    assert digest_of(twins[0]) == digest_of(twins[1])
    assert len({DIGEST, OTHER, digest_of(twins[0]), digest_of(Action("a", "b"))}) == 4


def test_the_digest_is_that_of_canonical_json() -> None:
    # printf '{"name":"é","parameters":{},"target":"t"}' | sha256sum
    known = "a552e5a7500e60c8283d35955cecc4b6c426944a62836b158931a745f0a36ea0"
    assert digest_of(Action("é", "t")) == known


# -- consent --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    ["did:choreia:local:fixer", "did:humanoid:x", "did:human", "did:human:", "ada", "DID:HUMAN:x"],
)
def test_only_people_count(source: str) -> None:
    assert "not the source of a person" in str(Consent(DIGEST, 10).objection(DIGEST, source, 1))


@pytest.mark.parametrize("digest", [OTHER, DIGEST[:-1], DIGEST.upper(), ""])
def test_only_the_exact_digest_counts(digest: str) -> None:
    assert Consent(DIGEST, 10).objection(digest, ADA, 1) == (
        "it names another action than the one proposed"
    )


def test_only_before_the_deadline() -> None:
    consent = Consent(DIGEST, deadline=10)
    assert consent.objection(DIGEST, ADA, 9.999) is None
    assert consent.objection(DIGEST, ADA, 10) == "its deadline has passed"


@pytest.mark.parametrize("state", [State.APPROVED, State.VETOED, State.EXPIRED])
def test_the_first_answer_stands(state: State) -> None:
    assert Consent(DIGEST, 10, state).objection(DIGEST, ADA, 1) is not None


# -- the gate -------------------------------------------------------------------------------


class Asker(Agent):
    """Proposes, when it is told to."""

    @on("proposal.wanted")
    def propose(self, event: Event) -> None:
        deadline = self.clock.now() + event.payload["seconds"]
        self.emit(ActionProposed("case-1", ACTION, event.payload["digest"], deadline, ()))


@pytest.fixture(params=MODES)
def system(request: pytest.FixtureRequest) -> Iterator[ActorSystem]:
    """With a gate, and a fixer that proposes."""
    with ActorSystem(mode=request.param) as system:
        system.spawn(lambda: Gate({}), name=GATE)
        system.spawn(Asker, name=FIXER)
        yield system


def propose(system: ActorSystem, seconds: float = 60, digest: str = DIGEST) -> None:
    system.publish("proposal.wanted", {"seconds": seconds, "digest": digest})
    system.wait_idle(timeout=30)


def answer(system: ActorSystem, said: object, source: str = ADA) -> Event:
    return system.request(said, until=ENDS, source=source)


def refused(system: ActorSystem, said: object, source: str = ADA) -> str:
    event = answer(system, said, source)
    assert event.type == "approval.refused"
    assert event.payload["by"] == source
    return str(event.payload["reason"])


def test_a_good_approval_is_cleared_once(system: ActorSystem) -> None:
    propose(system)
    cleared = answer(system, ActionApproved("case-1", DIGEST))
    assert (cleared.type, cleared.payload["approved_by"]) == ("action.cleared", ADA)
    assert "counts once" in refused(system, ActionApproved("case-1", DIGEST))
    assert "approved before" in refused(system, ActionVetoed("case-1", DIGEST))


def test_a_veto_wins_over_a_later_approval(system: ActorSystem) -> None:
    propose(system)
    assert answer(system, ActionVetoed("case-1", DIGEST)).type == "incident.escalated"
    assert "a veto stands" in refused(system, ActionApproved("case-1", DIGEST))


@pytest.mark.parametrize("source", ["did:choreia:local:bot", "did:humanoid:x"])
def test_no_agent_can_approve_or_veto(system: ActorSystem, source: str) -> None:
    propose(system)
    for said in ActionApproved("case-1", DIGEST), ActionVetoed("case-1", DIGEST):
        assert "not the source of a person" in refused(system, said, source)
    assert answer(system, ActionApproved("case-1", DIGEST)).type == "action.cleared"


def test_a_wrong_digest_has_no_effect(system: ActorSystem) -> None:
    propose(system)
    assert "another action" in refused(system, ActionApproved("case-1", OTHER))
    assert "another action" in refused(system, ActionVetoed("case-1", OTHER))
    assert answer(system, ActionApproved("case-1", DIGEST)).type == "action.cleared"


def test_a_proposal_cannot_pass_off_another_digest(system: ActorSystem) -> None:
    """The gate computes it: an approval of what was said, and not of what is done, is none."""
    propose(system, digest=OTHER)
    assert "another action" in refused(system, ActionApproved("case-1", OTHER))


def test_what_nobody_proposed_cannot_be_approved(system: ActorSystem) -> None:
    assert refused(system, ActionApproved("case-1", DIGEST)) == UNKNOWN


def test_a_proposal_from_outside_is_none(system: ActorSystem) -> None:
    system.publish(ActionProposed("case-1", ACTION, DIGEST, 1e12, ()))
    system.wait_idle(timeout=30)
    assert refused(system, ActionApproved("case-1", DIGEST)) == UNKNOWN


def test_a_second_proposal_does_not_open_it_again(system: ActorSystem) -> None:
    propose(system)
    answer(system, ActionVetoed("case-1", DIGEST))
    propose(system)
    assert "a veto stands" in refused(system, ActionApproved("case-1", DIGEST))


def test_with_no_answer_it_expires_and_then_it_is_too_late(system: ActorSystem) -> None:
    wanted = ["deadline.passed", "action.expired", "incident.escalated"]
    with system.listen("#", filter={"type": {"$in": wanted}}) as said:
        propose(system, seconds=0.05)
        assert [said.next(timeout=30).type for _ in wanted] == wanted
    assert refused(system, ActionApproved("case-1", DIGEST)) == "its deadline has passed"


def test_a_forged_reminder_lets_nothing_expire(system: ActorSystem) -> None:
    propose(system)
    system.publish(DeadlinePassed("case-1"))
    system.wait_idle(timeout=30)
    assert answer(system, ActionApproved("case-1", DIGEST)).type == "action.cleared"


# -- trust ----------------------------------------------------------------------------------


def test_who_falls_below_the_least_is_quarantined_for_good() -> None:
    trust = Trust("abcd", quorum=3)
    trust.hear(ScoreUpdated("a", 50, 80))
    assert trust.trusted == list("abcd")
    trust.hear(ScoreUpdated("a", 49, 50))
    trust.hear(ScoreUpdated("a", 90, 49))
    assert trust.trusted == list("bcd")
    assert trust.counted("abz") == ("b",)


def test_nobody_is_quarantined_when_that_would_leave_fewer_than_the_quorum() -> None:
    trust = Trust("abcd", quorum=3)
    for name in "ab":
        trust.hear(ScoreUpdated(name, 0, 80))
    assert trust.quarantined == ["a"]
    assert trust.agree("bcd")
    assert not trust.agree("acd")


def test_points_stay_within_their_bounds() -> None:
    assert (change(95, 10), change(10, -15), change(80, -15)) == (100, 0, 65)


def test_who_is_not_watching_has_no_score() -> None:
    trust = Trust("abcd")
    trust.hear(ScoreUpdated("z", 0, 80))
    assert "z" not in trust.scores


# -- watchers and their keeper ----------------------------------------------------------------


class Teller(Agent):
    """Stands for the service: tells what it is told to."""

    @on("reading.wanted")
    def tell(self, event: Event) -> None:
        latency, number = event.payload["latency"], event.payload["number"]
        self.emit(ServiceSampled("checkout", number, latency, 0))


def watched(latencies: list[int], *names: str) -> tuple[list[tuple[str, str]], Trust]:
    """What the watchers of these names say of such a service, and what the keeper makes of it."""
    trust = Trust(TEMPERS)
    with ActorSystem(mode="simulated") as system:
        system.spawn(lambda: Keeper(trust), name=KEEPER)
        for name in names:
            spawn_watcher(system, name)
        system.spawn(Teller, name=SERVICE)
        with system.listen("alarm.*") as alarms:
            for number, latency in enumerate(latencies, 1):
                system.publish("reading.wanted", {"latency": latency, "number": number})
                system.wait_idle()
    said = [(event.source.rpartition(":")[2], event.type) for event in alarms]
    return said, trust


def spawn_watcher(system: ActorSystem, name: str) -> None:
    system.spawn(lambda: Watcher(TEMPERS[name]), name=name)


def test_one_hiccup_alarms_nobody_but_jumpy() -> None:
    said, trust = watched([120, 120, 450, *[120] * 6], *TEMPERS)
    assert said == [(JUMPY, "alarm.raised"), (JUMPY, "alarm.cleared")]
    assert trust.scores[JUMPY] == 65


def test_an_alarm_that_the_quorum_shares_earns_points() -> None:
    _, trust = watched([120, *[900] * 10], "watcher-1", "watcher-2", JUMPY)
    assert {trust.scores[name] for name in ("watcher-1", "watcher-2", JUMPY)} == {85}


def test_two_that_agree_are_no_quorum() -> None:
    _, trust = watched([120, *[900] * 10], "watcher-1", "watcher-2")
    assert {trust.scores["watcher-1"], trust.scores["watcher-2"]} == {65}


def test_samples_from_outside_are_not_believed() -> None:
    with ActorSystem(mode="simulated") as system:
        spawn_watcher(system, JUMPY)
        system.spawn(Teller, name=SERVICE)
        with system.listen("alarm.*") as alarms:
            system.publish(ServiceSampled("checkout", 1, 9_999, 999))
    assert list(alarms) == []


@pytest.mark.parametrize("seed", range(50))
def test_three_hiccups_come_before_the_illness(seed: int) -> None:
    """Enough to know jumpy by: an alarm is judged six samples later."""
    pulse = Pulse(seed)
    latencies = [pulse.read(number).latency for number in range(1, pulse.falls_ill - 6)]
    assert sum(latency > TEMPERS[JUMPY].limit for latency in latencies) >= 3
    assert FALLS_ILL[0] <= pulse.falls_ill <= FALLS_ILL[1]


# -- notes ----------------------------------------------------------------------------------


def notes(name: str) -> Notes:
    return Notes(name, "checkout", (FIXER, STAND_BY), Trust(TEMPERS))


def test_the_second_is_on_duty_while_the_first_is_suspected() -> None:
    second = notes(STAND_BY)
    assert not second.on_duty
    second.down.add(FIXER)
    assert second.on_duty
    assert notes(FIXER).on_duty


def test_who_comes_behind_does_not_get_the_work() -> None:
    first = notes(FIXER)
    first.open("checkout-1", ACTION)
    first.hand_to("checkout-1", STAND_BY, instead_of=FIXER)
    first.hand_to("checkout-1", FIXER, instead_of="")
    assert not first.may_work
    assert first.instead_of == STAND_BY


def test_nobody_proposes_again_before_the_alarms_have_cleared() -> None:
    first = notes(FIXER)
    first.alarmed = {"watcher-1", "watcher-2", "watcher-3"}
    assert first.should_propose
    first.open("checkout-1", ACTION)
    first.close("checkout-1", done=False)
    assert not first.should_propose
    assert first.next_incident == "checkout-2"


def test_what_has_ended_is_not_opened_again() -> None:
    first = notes(FIXER)
    first.close("checkout-1", done=False)
    first.open("checkout-1", ACTION)
    assert first.case is None


# -- people ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (ACTION, Answer.APPROVE),
        (Action("drop_database", "checkout"), Answer.VETO),
        (Action("roll_back", "payments"), Answer.VETO),
    ],
)
def test_the_policy_says_yes_to_what_is_harmless_only(action: Action, expected: Answer) -> None:
    assert by_policy(Question("checkout-1", "checkout", action, (), 10)) is expected
