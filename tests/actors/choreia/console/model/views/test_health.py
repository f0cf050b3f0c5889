"""The view of health, and one finding looked at closely."""

from __future__ import annotations

import pytest

from choreia.console.model.asks import Call, Copy
from tests.actors.choreia.console.model.conftest import Fields, Pilot, Piloted, last_call

LETTER: Fields = {
    "event": "e1", "agent": "billing", "type": "order.placed", "reason": "failed",
    "error": "ValueError: no", "traceback": "Traceback\n  File billing.py\x1b[2J\nValueError: no",
    "attempts": 3, "time": 1_090.0, "redeliverable": True,
}  # fmt: skip
HEALTH: Fields = {
    "suspicions": [
        {
            "agent": "audit", "reason": "stuck", "seconds": 12.3, "handler": "reserve",
            "stack": "\n".join(f"frame {n}" for n in range(50)),
        }
    ],
    "dead_letters": [LETTER],
    "restarts": [{"agent": "billing", "incarnation": 3}],
}  # fmt: skip


@pytest.fixture
def pilot(piloted: Piloted) -> Pilot:
    """That sees all that is wrong."""
    made = piloted()
    made.press("6")
    made.frame(100.0, health=HEALTH)
    return made


def test_all_that_is_wrong_is_listed_the_present_first(pilot: Pilot) -> None:
    rows = [" ".join(line[3:].split()) for line in pilot.screen()[4:7]]
    assert rows == [
        "▲ suspected audit 12.3 s stuck in reserve",
        "✗ dead letter billing 10.0 s order.placed failed: ValueError: no (3 attempts)",
        "↶ restarted billing began anew 2 times",
    ]


def test_where_the_selected_is_or_was_stands_below(pilot: Pilot) -> None:
    assert pilot.sees("── audit: where it was (Enter: all) ──")
    assert pilot.screen()[-2] == "frame 49"
    pilot.press("j")
    assert pilot.sees("  File billing.py[2J")
    assert not pilot.sees("frame 49")
    pilot.press("j")
    assert not pilot.sees("where it was")


def test_restarts_are_no_faults(pilot: Pilot) -> None:
    pilot.press("z")
    assert pilot.sees("dead letter")
    assert not pilot.sees("restarted")


def test_a_dead_letter_is_redelivered_after_a_confirmation(pilot: Pilot) -> None:
    pilot.press("j")
    assert pilot.press("r") == []
    assert pilot.footer() == "redeliver order.placed to billing? y/n"
    assert pilot.press("y") == [Call("redeliver", {"agent": "billing", "event": "e1"}, "control")]


def test_nothing_else_is_redelivered(pilot: Pilot) -> None:
    assert pilot.press("r", "y") == [Copy("audit")]
    pilot.press("r")
    assert pilot.footer() == "no dead letter is selected that can be redelivered"


def test_without_control_nothing_is_redelivered(piloted: Piloted) -> None:
    pilot = piloted(control=False)
    pilot.press("6")
    pilot.frame(100.0, health={"dead_letters": [LETTER]})
    assert pilot.press("r") == []
    assert pilot.footer() == "read-only: start the system with control"


def test_the_selected_is_copied_traced_and_changed(pilot: Pilot) -> None:
    pilot.press("j")
    assert pilot.press("y") == [Copy("e1")]
    assert last_call(pilot.press("t")).args["of"] == "e1"
    pilot.press("esc", "a")
    assert pilot.footer().startswith("agent billing:")


def test_that_nothing_is_wrong_is_said(piloted: Piloted) -> None:
    pilot = piloted()
    pilot.press("6")
    pilot.frame(100.0)
    assert pilot.sees("this frame does not say what was wrong")
    pilot.frame(101.0, health={})
    assert pilot.sees("nothing is wrong: nobody is suspected, no dead letters, no restarts")


def test_enter_shows_the_whole_stack(pilot: Pilot) -> None:
    assert pilot.press("enter") == []
    assert pilot.screen()[2].endswith("→ suspected of audit")
    assert pilot.sees("stuck in reserve")
    pilot.press("G")
    assert pilot.selected() == "frame 49"


def test_the_payload_of_a_dead_letter_is_asked_for_when_payloads_are_shown(pilot: Pilot) -> None:
    pilot.press("j", "enter")
    assert pilot.sees("payload: hidden (P shows it)")
    asks = pilot.press("P")
    call = last_call(asks)
    assert (call.verb, call.args["agent"], call.args["payloads"]) == (
        "deadletters",
        "billing",
        True,
    )
    assert pilot.sees("payload: waiting")
    other = {**LETTER, "event": "e2", "payload": {"total": 1}}
    pilot.tell(asks, {"letters": [other, {**LETTER, "payload": {"total": 5}}], "total": 2})
    assert pilot.sees("payload {'total': 5}")


def test_what_is_refused_is_told(pilot: Pilot) -> None:
    pilot.press("j", "enter")
    pilot.refuse(pilot.press("P"), "it is busy")
    assert pilot.footer() == "it is busy"


def test_a_finding_that_is_gone_from_the_frame_stays_open(pilot: Pilot) -> None:
    pilot.press("enter")
    pilot.frame(101.0, health={})
    assert pilot.sees("frame 0")
