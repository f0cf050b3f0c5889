"""Keys that mean the same everywhere."""

from __future__ import annotations

import pytest

from choreia.console.model.asks import Call, Copy, Export, Follow, Quit, Redraw
from choreia.runtime.inspection.frames import Problem
from tests.actors.choreia.console.model.conftest import Pilot, Piloted, agent_row, event_row


@pytest.fixture
def pilot(piloted: Piloted) -> Pilot:
    """With two agents."""
    made = piloted()
    made.frame(100.0, agent_row("audit"), agent_row("billing"))
    return made


def test_q_quits_and_so_does_ctrl_c_from_anywhere(pilot: Pilot) -> None:
    assert pilot.press("q") == [Quit()]
    for keys in ("/", "?", "e", "aS"):
        pilot.press(*keys)
        assert pilot.press("ctrl-c") == [Quit()]


def test_while_something_is_typed_keys_are_letters(pilot: Pilot) -> None:
    assert pilot.press("/", "q", "?", "p") == []
    assert pilot.footer() == "/q?p_"
    pilot.press("esc")
    assert pilot.footer().startswith("q quit")


@pytest.mark.parametrize(("key", "kind"), [("s", "svg"), ("h", "html"), ("j", "json")])
def test_e_and_a_letter_export(pilot: Pilot, key: str, kind: str) -> None:
    pilot.press("e")
    assert pilot.footer() == "export: s SVG, h HTML, j JSON"
    (ask,) = pilot.press(key)
    assert isinstance(ask, Export)
    assert ask.kind == kind


def test_another_letter_exports_nothing(pilot: Pilot) -> None:
    assert pilot.press("e", "q") == []
    assert pilot.footer() == "nothing was done"


def test_y_copies_the_id_of_what_is_selected(pilot: Pilot) -> None:
    assert pilot.press("j", "y") == [Copy("billing")]
    pilot.press("3")
    assert pilot.press("y") == []
    assert pilot.footer() == "nothing is selected that has an id"


@pytest.mark.parametrize(
    ("key", "verb"), [("p", "pause"), ("r", "resume"), ("R", "restart"), ("s", "stop")]
)
def test_an_agent_is_changed_after_a_confirmation(pilot: Pilot, key: str, verb: str) -> None:
    assert pilot.press("j", "a") == []
    assert pilot.footer() == "agent billing: p pause, r resume, R restart, s stop"
    assert pilot.press(key) == []
    assert pilot.footer() == f"{verb} agent billing? y/n"
    assert pilot.press("y") == [Call(verb, {"agent": "billing"}, "control")]


@pytest.mark.parametrize("key", ["n", "esc", "q", "enter", " "])
def test_anything_but_y_changes_nothing(pilot: Pilot, key: str) -> None:
    assert pilot.press("a", "s", key) == []
    assert pilot.footer() == "nothing was done"


def test_it_is_the_agent_that_was_selected_at_first_who_is_changed(pilot: Pilot) -> None:
    pilot.press("j", "a")
    pilot.frame(101.0, agent_row("audit"))
    pilot.press("s")
    assert pilot.footer() == "stop agent billing? y/n"


def test_the_answers_to_a_question_are_seen_however_long_a_name_is(pilot: Pilot) -> None:
    pilot.frame(101.0, agent_row("x" * 500))
    pilot.press("g", "a", "s")
    assert pilot.screen(40, 10)[-1] == f"stop agent {'x' * 23}…? y/n"


def test_what_the_system_says_to_a_change_is_told(pilot: Pilot) -> None:
    pilot.press("a", "s", "y")
    pilot.console.answer("control", {"done": "audit stops"}, None)
    assert pilot.footer() == "audit stops"
    pilot.console.answer("control", None, Problem("refused", "audit is the runtime's own"))
    assert pilot.footer() == "audit is the runtime's own"


def test_without_control_nothing_is_offered(piloted: Piloted) -> None:
    pilot = piloted(control=False)
    pilot.frame(100.0, agent_row("audit"))
    assert pilot.press("a") == []
    assert pilot.footer() == "read-only: start the system with control"
    assert pilot.press("s", "y") == [Copy("audit")]


def test_without_a_selection_nothing_is_changed_or_traced(piloted: Piloted) -> None:
    pilot = piloted()
    for key, said in (
        ("a", "no agent is selected"),
        ("t", "nothing is selected that can be traced: an event, a case"),
        ("x", "no event is selected"),
    ):
        assert pilot.press(key) == []
        assert pilot.footer() == said


def test_help_lists_every_key_and_any_other_key_closes_it(pilot: Pilot) -> None:
    pilot.press("?")
    assert pilot.sees("quit")
    keys = ("j k", "/", "s S", "n z", "t x", "p [ ]", "f ", "P ", "y e", "a ", "r ", "l ctrl-l")
    for key in keys:
        assert any(line.strip().startswith(key) for line in pilot.screen()), key
    assert pilot.press("q") == []
    assert "audit" in pilot.selected()


def test_help_is_scrolled_where_there_is_little_room(pilot: Pilot) -> None:
    pilot.press("?")
    first = pilot.screen(100, 10)[3]
    pilot.press("j")
    assert pilot.screen(100, 10)[3] != first
    pilot.press("k", "k")
    assert pilot.screen(100, 10)[3] == first


def test_ctrl_l_draws_anew(pilot: Pilot) -> None:
    assert pilot.press("ctrl-l") == [Redraw()]


def test_payloads_are_hidden_until_they_are_asked_for(pilot: Pilot) -> None:
    asks = pilot.press("3", "P")
    assert [ask.args["payloads"] for ask in asks if isinstance(ask, Follow)] == [False, True]
    assert pilot.footer() == "payloads are shown"
    pilot.press("P")
    assert pilot.footer() == "payloads are hidden"


def test_esc_closes_what_was_opened_last(pilot: Pilot) -> None:
    pilot.press("3")
    pilot.console.events({"events": [event_row("e1")]})
    pilot.press("t", "esc")
    assert pilot.screen()[2].startswith(" 1 Agents  2 Flows [3 Events]")
    assert "trace" not in pilot.screen()[2]
    assert pilot.press("esc") == []
