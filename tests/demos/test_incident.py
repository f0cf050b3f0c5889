"""The incident: every kind of answer with every kind of fault, on both dispatchers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Literal

import pytest
from attrs import evolve

from choreia import ActorSystem, DeadLetter, Event
from choreia.demos.incident import build
from choreia.demos.incident.asking import ask
from choreia.demos.incident.audit import audit
from choreia.demos.incident.books import Books
from choreia.demos.incident.cast import FIXER, JUMPY, STAND_BY
from choreia.demos.incident.events import (
    ActionApproved,
    ActionCleared,
    ActionProposed,
    ActionSubmitted,
    ScoreUpdated,
)
from choreia.demos.incident.faults import Fault
from choreia.demos.incident.people import ADA, EVE, Decide, People, by_policy, never, nobody
from choreia.demos.incident.result import to_json
from choreia.demos.incident.stage import play
from choreia.demos.incident.tempo import Tempo

Mode = Literal["threads", "simulated"]
MODES: list[Mode] = ["simulated", "threads"]

# In real time whatever is not to run out is long, so that a busy machine makes no difference.
PATIENT = Tempo(
    sample=0.005,
    thought=0.02,
    deadline=30,
    work=0.02,
    slow_work=0.7,
    sign=0.05,
    beat=0.05,
    silent_after=20,
    stuck_after=20,
    replace_after=0.05,
    hang=0.8,
    longest=60,
)
QUICK = {
    Fault.NONE: PATIENT,
    Fault.HANG: evolve(PATIENT, stuck_after=0.4, work=0.25),
    Fault.CRASH: evolve(PATIENT, silent_after=0.4),
    Fault.SLOW: evolve(PATIENT, stuck_after=0.5),
}
TOO_LATE = 0.2
"""Seconds in which nobody answers."""

ANSWERS: dict[str, tuple[Decide, str]] = {
    "auto": (by_policy, "resolved"),
    "ask": (ask, "resolved"),
    "veto": (never, "vetoed"),
    "none": (nobody, "expired"),
}


def tempo_of(mode: Mode, fault: Fault, decide: Decide) -> Tempo:
    tempo = Tempo() if mode == "simulated" else QUICK[fault]
    if mode == "threads" and decide is nobody:
        tempo = evolve(tempo, deadline=TOO_LATE)
    return tempo


def perform(
    mode: Mode, fault: Fault, decide: Decide = by_policy, *, seed: int = 0, blocking: bool = False
) -> tuple[Books, list[DeadLetter]]:
    """The books of a story that has come to its end, and the dead letters."""
    tempo = tempo_of(mode, fault, decide)
    with ActorSystem(mode=mode, seed=seed) as system:
        books = build(system, seed=seed, fault=fault, tempo=tempo, blocking=blocking)
        people = People(system, books.service, decide, tempo.thought)
        play(system, books, people, tempo.longest)
        letters = system.dead_letters()
    return books, letters


def assert_adds_up(books: Books) -> None:
    assert [check for check in audit(books) if not check.holds] == []


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody at the terminal says yes."""
    monkeypatch.setattr("sys.stdin", io.StringIO("approve\n"))


@pytest.mark.usefixtures("typed")
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("mode", MODES)
def test_each_answer_with_each_fault(mode: Mode, fault: Fault, answer: str) -> None:
    decide, outcome = ANSWERS[answer]
    books, _ = perform(mode, fault, decide)
    assert_adds_up(books)
    assert books.complete
    assert books.ends("checkout-1") == [outcome]
    done = [event.payload["by"] for event in books.chronicle.of("action.executed")]
    if outcome != "resolved":
        assert done == []
    elif fault in (Fault.NONE, Fault.SLOW):
        assert done == [FIXER]
    elif fault is Fault.HANG:
        assert done == [STAND_BY]
    else:  # one that is replaced fast enough may be back before a person has answered
        assert done in ([STAND_BY], [FIXER])
    assert books.trust.quarantined == [JUMPY]


def test_a_handler_that_hangs_on_a_thread_is_fenced_when_it_comes_back() -> None:
    books, letters = perform("threads", Fault.HANG, blocking=True)
    assert_adds_up(books)
    assert books.came_back == 1
    assert books.service_book.brought == 1
    assert [(letter.agent, letter.reason) for letter in letters] == [(FIXER, "stuck")]


@pytest.mark.parametrize("mode", MODES)
def test_who_takes_over_asks_nobody_again(mode: Mode) -> None:
    books, _ = perform(mode, Fault.HANG)
    [proposed] = books.chronicle.of("action.proposed")
    [cleared] = books.chronicle.of("action.cleared")
    suspected, taken = of_case(books, "agent.suspected_failure", "action.taken")
    assert suspected[0].payload["reason"] == "stuck"
    assert [event.payload["instead_of"] for event in taken] == ["", FIXER]
    [executed] = books.chronicle.of("action.executed")
    assert executed.payload["digest"] == cleared.payload["digest"] == proposed.payload["digest"]


def of_case(books: Books, *types: str) -> list[list[Event]]:
    """Of each type; all of them belong to the case of the proposal."""
    found = [books.chronicle.of(type) for type in types]
    [proposed] = books.chronicle.of("action.proposed")
    case = proposed.metadata.correlation_id
    assert all(event.metadata.correlation_id == case for events in found for event in events)
    return found


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.CRASH])
def test_what_was_approved_is_taken_over_and_the_other_is_fenced_first(fault: Fault) -> None:
    """Nothing in the choreography makes it so, but the times do, and it is what is shown."""
    books, _ = perform("simulated", fault)
    types = [line.type for line in books.chronicle.lines]
    order = ["action.cleared", "agent.suspected_failure", "action.taken", "agent.restarted"]
    places = [types.index(type) for type in [*order, "action.executed", "incident.resolved"]]
    assert places == sorted(places)


@pytest.mark.parametrize("seed", range(40))
def test_every_order_of_turns_adds_up(seed: int) -> None:
    books, _ = perform("simulated", list(Fault)[seed % len(Fault)], seed=seed)
    assert_adds_up(books)
    assert books.ends("checkout-1") == ["resolved"]


def test_a_simulated_story_is_a_function_of_its_seed() -> None:
    def result(seed: int) -> dict[str, object]:
        books, _ = perform("simulated", Fault.HANG, seed=seed)
        return to_json(books, audit(books))

    assert result(3) == result(3)
    assert result(3) != result(4)


# -- what is forged ---------------------------------------------------------------------------


@pytest.fixture(params=MODES)
def system(request: pytest.FixtureRequest) -> Iterator[ActorSystem]:
    with ActorSystem(mode=request.param) as system:
        yield system


def test_nobody_but_the_agents_can_clear_or_execute(system: ActorSystem) -> None:
    books = build(system, tempo=PATIENT)
    with system.listen(ActionProposed) as proposals:
        payload = next(proposals).payload
    incident, digest = payload["incident"], payload["digest"]
    system.publish(ActionCleared(incident, digest, ADA))
    system.publish(ActionCleared(incident, digest, ADA), source="did:choreia:local:gate-2")
    system.publish(ActionSubmitted(incident, digest), source="did:choreia:elsewhere:fixer")
    system.wait_idle(timeout=30)
    assert books.chronicle.of("action.taken", "action.executed") == []
    assert books.service_book.brought == 0


def test_nobody_but_the_keeper_gives_scores(system: ActorSystem) -> None:
    books = build(system, tempo=PATIENT)
    system.publish(ScoreUpdated("watcher-1", 0, 80))
    system.wait_idle(timeout=30)
    assert books.chronicle.trust.scores["watcher-1"] == books.trust.scores["watcher-1"] == 80


def approve_what_is_proposed(system: ActorSystem, times: int = 1) -> None:
    with system.listen(ActionProposed) as proposals:
        proposed = proposals.next(timeout=60).payload
    for _ in range(times):
        system.publish(ActionApproved(proposed["incident"], proposed["digest"]), source=ADA)


def test_nobody_but_the_supervisor_can_put_an_agent_off_duty(system: ActorSystem) -> None:
    books = build(system, tempo=PATIENT)
    system.publish("agent.suspected_failure", {"agent": FIXER, "reason": "dead", "evidence": {}})
    with system.listen("action.executed") as executed:
        approve_what_is_proposed(system)
        assert executed.next(timeout=60).payload["by"] == FIXER
    system.wait_idle(timeout=60)
    assert len(books.chronicle.of("action.proposed", "action.taken")) == 2


@pytest.mark.parametrize("mode", MODES)
def test_eve_is_refused_and_ada_is_heard(mode: Mode) -> None:
    books, _ = perform(mode, Fault.NONE)
    [refused] = books.chronicle.of("approval.refused")
    assert refused.payload["by"] == EVE
    [cleared] = books.chronicle.of("action.cleared")
    assert cleared.payload["approved_by"] == ADA


def test_an_approval_that_is_said_twice_is_executed_once() -> None:
    with ActorSystem(mode="simulated") as system:
        books = build(system)
        approve_what_is_proposed(system, times=3)
        system.advance(30)
    assert len(books.chronicle.of("action.executed")) == 1
    assert len(books.chronicle.of("approval.refused")) == 2
    assert_adds_up(books)


# -- suspicion may be wrong ---------------------------------------------------------------------


def test_without_fencing_the_service_still_takes_the_action_once() -> None:
    """Both believe that it is theirs, and both bring it: the service takes the first."""
    tempo = evolve(QUICK[Fault.HANG], replace_after=1_000, work=0.02)
    with ActorSystem() as system:
        books = build(system, fault=Fault.HANG, tempo=tempo, blocking=True)
        with system.listen("agent.recovered") as recovered:
            approve_what_is_proposed(system)
            assert recovered.next(timeout=60).payload["agent"] == FIXER
        system.wait_idle(timeout=60)
    assert books.service_book.brought == 2
    assert len(books.service_book.executed) == 1
    assert [event.payload["by"] for event in books.chronicle.of("action.executed")] == [STAND_BY]
    assert books.ends("checkout-1") in (["resolved"], [])  # the alarms may not have cleared yet


def test_who_is_at_work_stops_when_another_has_done_it() -> None:
    """`cancel_on`: the fixer comes back unfenced and brings the action, the stand-by lets go."""
    tempo = evolve(Tempo(), replace_after=1_000, work=20, hang=5, stuck_after=3)
    with ActorSystem(mode="simulated") as system:
        books = build(system, fault=Fault.HANG, tempo=tempo)
        play(system, books, People(system, books.service, by_policy, 4), 60)
        at_rest = system.inspect().agent(STAND_BY)
    assert [event.payload["by"] for event in books.chronicle.of("action.executed")] == [FIXER]
    assert at_rest.state == "idle"
    assert books.service_book.brought == 1
    assert books.ends("checkout-1") == ["resolved"]


def test_after_a_veto_the_same_is_not_proposed_again() -> None:
    with ActorSystem(mode="simulated") as system:
        books = build(system)
        play(system, books, People(system, books.service, never, 4), 120)
        system.advance(300)
    assert len(books.chronicle.of("action.proposed")) == 1
