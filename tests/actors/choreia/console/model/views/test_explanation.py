"""Why an event reached whom it reached."""

from __future__ import annotations

import pytest

from choreia.console.model.asks import Copy
from tests.actors.choreia.console.model.conftest import Pilot, Piloted, event_row, last_call


@pytest.fixture
def pilot(piloted: Piloted) -> Pilot:
    """That sees one event."""
    made = piloted()
    made.press("3")
    made.console.events({"events": [event_row("e1")]})
    return made


def test_it_is_shown_line_by_line(pilot: Pilot) -> None:
    asks = pilot.press("x")
    assert pilot.sees("waiting for the explanation")
    pilot.tell(asks, {"explanation": "it reached\x1b[31m\n  billing: matched"})
    assert [line[3:] for line in pilot.screen()[3:5]] == ["it reached[31m", "  billing: matched"]
    assert pilot.press("y") == [Copy("e1")]


def test_payloads_are_in_it_if_they_are_to_be_seen(pilot: Pilot) -> None:
    assert last_call(pilot.press("x")).args == {"of": "e1", "explain": True, "payloads": False}
    assert last_call(pilot.press("P")).args == {"of": "e1", "explain": True, "payloads": True}


def test_that_there_is_none_is_said(pilot: Pilot) -> None:
    pilot.tell(pilot.press("x"), {"explanation": None})
    assert pilot.sees("the system explains nothing of it")


def test_a_refusal_is_said(pilot: Pilot) -> None:
    pilot.refuse(pilot.press("x"), "nothing is known of e1")
    assert pilot.sees("nothing is known of e1")
