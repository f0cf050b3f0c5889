"""One agent, looked at closely."""

from __future__ import annotations

import pytest

from tests.actors.choreia.console.model.conftest import (
    Fields,
    Pilot,
    Piloted,
    agent_row,
    event_row,
    last_call,
)

DETAIL: Fields = {
    "capabilities": ["card.charge"], "specializations": ["visa"], "options": {"mailbox": 20},
    "subscriptions": [
        {"pattern": "order.placed", "filter": {"payload.total": 5}, "handler": "charge"},
        {"pattern": "order.#", "filter": None, "handler": "note"},
    ],
    "emits": ["payment.charged"], "in_hand": event_row("e1"), "queued": [event_row("e2")],
    "stack": "File billing.py\n  charge()", "timers": [{"type": "late", "due": 5, "key": "k"}],
    "parked_on": ["audit"], "waiting_here": 3,
    "dead_letters": [{"event": "e3", "agent": "billing", "type": "order.bad", "reason": "failed"}],
    "recent": [event_row("e4", "payment.charged", payload={"total": 5})],
}  # fmt: skip


@pytest.fixture
def pilot(piloted: Piloted) -> Pilot:
    """That looks at an agent."""
    made = piloted()
    made.console.tick(1_000.0)
    made.frame(100.0, agent_row("billing", received=10))
    made.frame(101.0, agent_row("billing", received=30, size=20, high_water=20))
    made.tell(made.press("enter"), DETAIL)
    return made


def test_all_that_is_known_of_it_is_told(pilot: Pilot) -> None:
    shown = " ".join(" ".join(line.split()) for line in pilot.screen(height=50))
    for part in (
        "billing ○ idle agent Agent", "why full", "mailbox 20/20 most 20", "in 20/s", "handled 0",
        "can card.charge", "best at visa", 'options {"mailbox": 20}',
        'listens to order.placed {"payload.total": 5} by charge', "listens to order.# by note",
        "emits payment.charged", "waits for room at audit", "waited for by 3, for room",
        "timer late k", "in hand 00:16:40.000 order.placed", "waiting 00:16:40.000 order.placed",
        "where it is File billing.py charge()", "dead letters ! order.bad failed",
        "said lately 00:16:40.000 payment.charged", "{'total': 5}",
    ):  # fmt: skip
        assert part in shown, part


def test_it_is_asked_for_again_every_second(pilot: Pilot) -> None:
    assert not pilot.console.tick(1_000.9)
    assert last_call([*pilot.console.tick(1_001.0)]).verb == "agent"


def test_its_counters_follow_the_frames(pilot: Pilot) -> None:
    pilot.frame(102.0, agent_row("billing", received=35))
    assert pilot.sees("in 5.0/s")


def test_the_selection_stays_with_its_event(pilot: Pilot) -> None:
    for _ in range(60):
        if "payment.charged" in pilot.selected() and "00:16" in pilot.selected():
            break
        pilot.press("j")
    more = {**DETAIL, "queued": [event_row(f"q{n}") for n in range(5)]}
    pilot.tell([*pilot.console.tick(1_002.0)], more)
    assert "payment.charged" in pilot.selected()
    call = last_call(pilot.press("enter"))
    assert (call.verb, call.args["of"]) == ("trace", "e4")


def test_a_filter_looks_at_its_lines(pilot: Pilot) -> None:
    pilot.press("/")
    pilot.type("listens")
    assert len([line for line in pilot.screen()[3:-1] if line]) == 2
    pilot.press("esc")
    assert pilot.sees("emits")
    pilot.press("esc")
    assert "[1 Agents]" in pilot.screen()[2]
    assert not pilot.sees("emits")


def test_an_agent_that_is_gone_is_told_and_what_was_known_stays(pilot: Pilot) -> None:
    pilot.refuse([*pilot.console.tick(1_001.0)], "no agent named 'billing' is awake here")
    assert pilot.sees("no agent named 'billing' is awake here")
    assert pilot.sees("emits")


def test_payloads_are_asked_for(pilot: Pilot) -> None:
    assert last_call(pilot.press("P")).args == {"name": "billing", "payloads": True}


def test_the_document_has_what_the_system_said(pilot: Pilot) -> None:
    said = pilot.console.document()
    assert said["view"] == "billing"
    assert said["agent"] == DETAIL
