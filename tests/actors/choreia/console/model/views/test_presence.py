"""The view of presence."""

from __future__ import annotations

from tests.actors.choreia.console.model.conftest import Fields, Pilot, last_call


def info(name: str, **fields: object) -> Fields:
    row: Fields = {
        "id": f"id-{name}", "name": name, "capabilities": ["card.charge"],
        "specializations": ["visa", "amex"], "capacity": 4, "available_capacity": 1,
        "load": 0.75, "status": "online", "node": "shop", "incarnation": 1,
    }  # fmt: skip
    return {**row, **fields}


def test_who_is_there_and_what_each_can_do(pilot: Pilot) -> None:
    pilot.press("5")
    pilot.frame(100.0, presence=[info("shop"), info("billing", incarnation=3)])
    assert pilot.names() == ["billing", "shop"]
    assert pilot.selected().split() == [
        "billing", "✓", "online", "1/4", "free", "████░░", "card.charge", "visa,", "amex", "0.75",
        "shop", "2",
    ]  # fmt: skip


def test_who_is_suspected_is_a_fault(pilot: Pilot) -> None:
    pilot.press("5")
    pilot.frame(100.0, presence=[info("a"), info("b", status="suspected", capacity=0)])
    pilot.press("n")
    assert "✗ suspected" in pilot.selected()


def test_what_one_can_do_is_filtered_by(pilot: Pilot) -> None:
    pilot.press("5")
    pilot.frame(100.0, presence=[info("a"), info("b", specializations=["paypal"])])
    pilot.press("/")
    pilot.type("paypal")
    assert pilot.names() == ["b"]


def test_enter_looks_at_one_closely(pilot: Pilot) -> None:
    pilot.press("5")
    pilot.frame(100.0, presence=[info("a")])
    assert last_call(pilot.press("enter")).args["name"] == "a"


def test_why_nobody_is_seen_is_said(pilot: Pilot) -> None:
    pilot.press("5")
    pilot.frame(100.0)
    assert pilot.sees("this frame does not say who was there")
    pilot.frame(100.0, presence=[])
    assert pilot.sees("nobody is there")
