"""The view of cases."""

from __future__ import annotations

import pytest

from tests.actors.choreia.console.model.conftest import Fields, Pilot, Piloted, last_call


def step(state: str, **fields: object) -> Fields:
    return {"agent": "shop", "name": state, "state": state, "pivot": False, "owed": False, **fields}


def case(id: str, verdict: str = "completed", **fields: object) -> Fields:
    row: Fields = {
        "case": id, "type": "order.placed", "events": 9, "verdict": verdict, "over": True,
        "reason": "ended with order.completed", "began": 1_000.0, "duration": 0.02, "steps": [],
        "waits": [], "in_flight": 0, "dead_letters": 0,
    }  # fmt: skip
    return {**row, **fields}


CASES = [
    case("c1", steps=[step("done"), step("done", pivot=True), step("doing")]),
    case("c2", "compensated", steps=[step("compensated"), step("failed"), step("tombstoned")]),
    case("c3", "waiting", waits=[{"what": "payment", "until": 1_112.0}, {"until": 1_200.0}]),
    case("c4", "stuck", steps=[step("done", owed=True)], waits=[{"until": 1_090.0}]),
    case("c5", "died", reason="dead-lettered at billing", dead_letters=1),
]


@pytest.fixture
def pilot(piloted: Piloted) -> Pilot:
    """That sees the cases."""
    made = piloted()
    made.frame(100.0)  # 1,100 by the clock
    made.console.tick(5_000.0)
    made.tell(made.press("4"), {"cases": CASES, "age": 0.1})
    return made


def row(pilot: Pilot, id: str) -> str:
    return next(line for line in pilot.screen(170) if f" {id} " in line)


def test_they_are_asked_for_while_they_are_seen(piloted: Piloted) -> None:
    pilot = piloted()
    pilot.console.tick(1_000.0)
    asks = pilot.press("4")
    assert last_call(asks).verb == "cases"
    assert pilot.sees("waiting for the cases")
    pilot.tell(asks, {"cases": []})
    assert pilot.sees("no cases yet")
    assert not pilot.console.tick(1_001.9)
    asks = [*pilot.console.tick(1_002.0)]
    assert last_call(asks).verb == "cases"
    assert not pilot.console.tick(1_004.5)  # that one is not answered yet
    pilot.press("1")
    assert not pilot.console.tick(2_000.0)


def test_frozen_they_come_once(piloted: Piloted) -> None:
    pilot = piloted()
    pilot.frame(100.0)
    asks = pilot.press("p", "4")
    pilot.tell(asks, {"cases": CASES[:1]})
    pilot.tell(asks, {"cases": CASES})
    assert len(pilot.body()) == 1


def test_a_verdict_has_a_sign_and_a_reason(pilot: Pilot) -> None:
    assert row(pilot, "c1").startswith("▸  ✓ completed")
    assert row(pilot, "c2").startswith("   ↶ compensated")
    assert row(pilot, "c3").startswith("   ◔ waiting")
    assert row(pilot, "c4").startswith(" ! ! stuck")
    assert row(pilot, "c5").startswith(" ! ✗ died")
    assert row(pilot, "c5").endswith("dead-lettered at billing")


def test_steps_are_signs_with_the_pivot_in_brackets(pilot: Pilot) -> None:
    assert " ●[●]○ " in row(pilot, "c1")
    assert " ↶✗⊘ " in row(pilot, "c2")


def test_the_nearest_deadline_counts(pilot: Pilot) -> None:
    assert " in 12.0 s " in row(pilot, "c3")
    assert " 10.0 s late " in row(pilot, "c4")
    pilot.frame(108.0)
    assert " in 4.0 s " in row(pilot, "c3")
    assert pilot.style_of("in 4.0 s") == "warn"


def test_what_is_undone_and_what_should_have_been(pilot: Pilot) -> None:
    assert " 1 undone " in row(pilot, "c2")
    assert " 1 owed " in row(pilot, "c4")


def test_faults_are_those_that_went_wrong(pilot: Pilot) -> None:
    pilot.press("z")
    assert [line[3:].split()[2] for line in pilot.body()] == ["c4", "c5"]


def test_enter_shows_what_came_of_what(pilot: Pilot) -> None:
    call = last_call(pilot.press("enter"))
    assert (call.verb, call.args["of"]) == ("trace", "c1")
    pilot.press("esc")
    assert last_call(pilot.press("t")).args["of"] == "c1"


def test_a_refusal_is_said_and_what_was_known_stays(piloted: Piloted, pilot: Pilot) -> None:
    pilot.refuse([*pilot.console.tick(6_000.0)], "it is busy")
    assert row(pilot, "c1")
    other = piloted()
    other.refuse(other.press("4"), "it keeps no cases")
    assert other.sees("it keeps no cases")
