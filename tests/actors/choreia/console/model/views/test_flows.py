"""The view of flows."""

from __future__ import annotations

from choreia.console.model.asks import Follow
from tests.actors.choreia.console.model.conftest import Fields, Pilot


def flow(type: str, **fields: object) -> Fields:
    row: Fields = {
        "type": type, "rate": 0.0, "events": 0, "emitters": ["shop"], "reactors": ["billing"],
        "unheard": 0,
    }  # fmt: skip
    return {**row, **fields}


FLOWS = [
    flow("order.placed", rate=3.25, events=120, reactors=["billing", "audit"]),
    flow("order.noted", events=4, reactors=[], unheard=4),
    flow("agent.online", events=7, reactors=[], unheard=7),
    flow("order.maybe", unheard=2),
]


def test_each_topic_has_its_emitters_and_reactors(pilot: Pilot) -> None:
    pilot.press("2")
    pilot.frame(100.0, flows=FLOWS)
    assert pilot.selected().split() == [
        "order.placed", "3.2", "120", "0", "shop", "billing,", "audit",
    ]  # fmt: skip


def test_what_nobody_reacts_to_is_a_fault_unless_the_runtime_says_it(pilot: Pilot) -> None:
    pilot.press("2")
    pilot.frame(100.0, flows=FLOWS)
    pilot.press("z")
    assert pilot.names() == ["order.noted"]
    assert pilot.selected().endswith("nobody reacts")


def test_enter_follows_the_events_of_a_topic(pilot: Pilot) -> None:
    pilot.press("2")
    pilot.frame(100.0, flows=FLOWS)
    (ask,) = pilot.press("enter")
    assert isinstance(ask, Follow)
    assert ask.args["topic"] == "order.placed"
    assert "[3 Events]" in pilot.screen()[2]
    assert "order.placed, follows the newest" in pilot.screen()[2]


def test_why_there_are_none_is_said(pilot: Pilot) -> None:
    pilot.press("2")
    pilot.frame(100.0)
    assert pilot.sees("this frame has no flows: they are looked at only while they are seen")
    pilot.frame(101.0, flows=[])
    assert pilot.sees("no flows: nothing was said yet, and no agent declares what it emits")


def test_names_are_filtered_too(pilot: Pilot) -> None:
    pilot.press("2")
    pilot.frame(100.0, flows=FLOWS)
    pilot.press("/")
    pilot.type("audit")
    assert pilot.names() == ["order.placed"]
