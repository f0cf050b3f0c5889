"""What came of what."""

from __future__ import annotations

import pytest

from tests.actors.choreia.console.model.conftest import (
    Fields,
    Pilot,
    Piloted,
    event_row,
    last_call,
)


def hop(id: str, type: str, depth: int, *deliveries: Fields, **fields: object) -> Fields:
    event: Fields = {
        "number": 1, "id": id, "type": type, "agent": "shop", "depth": depth, "cause": None,
        "recorded": 1_000.0, "latency": 0.002 * depth if depth else None,
        "deliveries": list(deliveries),
    }  # fmt: skip
    return {**event, **fields}


def delivery(agent: str, state: str = "handled", **fields: object) -> Fields:
    return {"agent": agent, "state": state, "over": True, "attempts": 0, **fields}


TRACE: Fields = {
    "case": "case-1", "verdict": "running", "reason": "billing has it", "whole": False,
    "events": [
        hop(
            "e0", "order.placed", 0,
            delivery("billing"), delivery("audit", "queued", passive=True),
        ),
        hop(
            "e1", "payment.charged", 1,
            delivery("shipping", "dead_lettered", reason="failed", error="no", attempts=3),
            payload={"total": 5},
        ),
        hop("e2", "far.away", 40),
    ],
    "timers": [{"agent": "shop", "type": "order.late", "due": 1_200.0}],
    "more": 7, "tree": "", "explanation": None,
}  # fmt: skip


@pytest.fixture
def pilot(piloted: Piloted) -> Pilot:
    """That sees the trace of the second event."""
    made = piloted()
    made.console.tick(1_000.0)
    made.press("3")
    made.console.events({"events": [event_row("e1")]})
    made.tell(made.press("t"), TRACE)
    return made


def test_causes_are_a_tree_and_deliveries_are_told(pilot: Pilot) -> None:
    assert [line[3:] for line in pilot.screen()[3:-1] if line] == [
        "case case-1  ● running  billing has it",
        "what came before is not known any more",
        "order.placed  shop  → billing",
        "     ◔ audit: queued (it only looks on)",
        "  └─ payment.charged  shop  +2.0 ms",
        "       ✗ shipping: dead lettered, failed no (3 attempts)",
        "       {'total': 5}",
        " " * 32 + "└─ (40 deep) far.away  shop  +80 ms",
        "7 more events not shown",
        "◔ shop waits for order.late",
    ]


def test_the_event_that_was_asked_about_is_selected(pilot: Pilot) -> None:
    assert "payment.charged" in pilot.selected()


def test_deliveries_that_went_wrong_are_faults(pilot: Pilot) -> None:
    pilot.press("n")
    assert "shipping: dead lettered" in pilot.selected()


def test_an_event_in_it_is_explained(pilot: Pilot) -> None:
    call = last_call(pilot.press("x"))
    assert (call.verb, call.args) == ("trace", {"of": "e1", "payloads": False, "explain": True})


def test_it_is_asked_for_again_until_the_case_is_over(pilot: Pilot) -> None:
    asks = [*pilot.console.tick(1_002.0)]
    assert last_call(asks).args["of"] == "e1"
    pilot.tell(asks, {**TRACE, "verdict": "completed"})
    assert not pilot.console.tick(1_100.0)


def test_a_case_that_is_not_known_is_told(piloted: Piloted) -> None:
    pilot = piloted()
    pilot.press("3")
    pilot.console.events({"events": [event_row("e1")]})
    asks = pilot.press("enter")
    assert pilot.sees("waiting for the trace")
    pilot.refuse(asks, "nothing is known of e1")
    assert pilot.sees("nothing is known of e1")
    assert not pilot.console.tick(9_000.0)


def test_payloads_are_asked_for(pilot: Pilot) -> None:
    asks = pilot.press("P")
    assert {"of": "e1", "payloads": True} in [getattr(ask, "args", None) for ask in asks]


def test_in_ascii_the_tree_is_ascii(piloted: Piloted) -> None:
    pilot = piloted(ascii=True)
    pilot.press("3")
    pilot.console.events({"events": [event_row("e1")]})
    pilot.tell(pilot.press("t"), TRACE)
    shown = pilot.screen()
    assert "     `- payment.charged  shop  +2.0 ms" in [f"  {line[2:]}" for line in shown]
    assert all(line.isascii() for line in shown)
