"""The view of events."""

from __future__ import annotations

import pytest

from choreia import ChoreiaError
from choreia.console.model.asks import Follow, Unfollow
from choreia.console.model.views.events import KEPT, parse
from tests.actors.choreia.console.model.conftest import Pilot, Piloted, event_row, last_call


@pytest.fixture
def pilot(piloted: Piloted) -> Pilot:
    """That sees three events."""
    made = piloted()
    made.press("3")
    made.console.events({"events": [event_row(f"e{n}", f"order.n{n}") for n in range(3)]})
    return made


def followed(asks: list[object]) -> list[tuple[object, object]]:
    return [(ask.args["topic"], ask.args["filter"]) for ask in asks if isinstance(ask, Follow)]


def types(pilot: Pilot) -> list[str]:
    return [line[3:].split()[1] for line in pilot.body()]


def test_they_are_streamed_while_they_are_seen(piloted: Piloted) -> None:
    pilot = piloted()
    (ask,) = pilot.press("3")
    assert ask == Follow(
        {"topic": "#", "filter": None, "limit": 500, "follow": True, "payloads": False}
    )
    assert pilot.press("3") == []
    assert pilot.press("1") == [Unfollow()]


def test_the_newest_is_the_last_and_is_selected(pilot: Pilot) -> None:
    assert types(pilot) == ["order.n0", "order.n1", "order.n2"]
    assert "order.n2" in pilot.selected()
    pilot.console.events({"events": [event_row("e9", "order.n9")]})
    assert "order.n9" in pilot.selected()


def test_who_moves_about_stays_where_he_is_until_f(pilot: Pilot) -> None:
    pilot.press("k")
    pilot.console.events({"events": [event_row("e9", "order.n9")]})
    assert "order.n1" in pilot.selected()
    assert "follows" not in pilot.screen()[2]
    pilot.press("f")
    assert "order.n9" in pilot.selected()
    assert "follows the newest" in pilot.screen()[2]


def test_each_time_they_are_seen_they_begin_anew(pilot: Pilot) -> None:
    pilot.console.events({"events": [], "missed": 7})
    pilot.press("1", "3")
    assert pilot.sees("no events yet")
    assert "too fast" not in pilot.screen()[2]


def test_what_is_opened_while_the_display_is_frozen_is_seen(piloted: Piloted) -> None:
    pilot = piloted()
    pilot.frame(100.0)
    pilot.press("p", "3")
    pilot.console.events({"events": [event_row("e1")]})
    pilot.console.events({"events": [event_row("e2")]})
    assert len(types(pilot)) == 1


def test_what_comes_twice_is_shown_once(pilot: Pilot) -> None:
    pilot.console.events({"events": [event_row("e2", "order.n2"), event_row("e3", "order.n3")]})
    assert types(pilot) == ["order.n0", "order.n1", "order.n2", "order.n3"]


def test_what_came_too_fast_is_said(pilot: Pilot) -> None:
    pilot.console.events({"events": [], "missed": 1_200})
    pilot.console.events({"events": [], "missed": 34})
    assert "1,234 came too fast to be looked at" in pilot.screen()[2]


def test_so_many_are_kept(pilot: Pilot) -> None:
    pilot.console.events({"events": [event_row(f"x{n}") for n in range(KEPT)]})
    rows = pilot.console.document()["rows"]
    assert isinstance(rows, list)
    assert len(rows) == KEPT
    assert rows[0]["id"] == "x0"


def test_paused_none_are_added_and_then_all(pilot: Pilot) -> None:
    pilot.frame(100.0)
    pilot.press("p")
    pilot.console.events({"events": [event_row("e9", "order.n9")]})
    assert "order.n9" not in types(pilot)
    pilot.press("p")
    assert "order.n9" in types(pilot)


def test_a_topic_and_a_filter_are_the_systems_to_look_at(pilot: Pilot) -> None:
    pilot.press("/")
    asks = pilot.type('order.# {"payload.total": {"$gt": 5}}')
    assert followed([*asks]) == [("order.#", {"payload.total": {"$gt": 5}})]
    assert pilot.sees("no event of order.#")
    assert 'order.# {"payload.total": {"$gt": 5}}' in pilot.screen()[2]
    assert followed([*pilot.press("esc")]) == [("#", None)]


def test_a_regex_is_looked_at_here(pilot: Pilot) -> None:
    pilot.press("/")
    assert pilot.type("/n[12]/") == []
    assert types(pilot) == ["order.n1", "order.n2"]
    pilot.press("/", "ctrl-u")
    assert pilot.type("!n1") == []
    assert types(pilot) == ["order.n0", "order.n2"]
    assert pilot.press("esc") == []
    assert len(types(pilot)) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("order..x", "topic pattern 'order..x' is malformed"),
        ("# {", "the filter is no JSON object"),
        ('{"$no": 1}', "no operator is called '$no'"),
        ("/(/", "not a pattern that RE2 can read"),
    ],
)
def test_what_cannot_be_read_is_said_and_changes_nothing(
    pilot: Pilot, text: str, said: str
) -> None:
    pilot.press("/")
    assert pilot.type(text) == []
    assert said in pilot.footer()
    assert len(types(pilot)) == 3


def test_topics_and_filters_are_told_apart() -> None:
    assert parse("") == ("#", None)
    assert parse("order.*") == ("order.*", None)
    assert parse('{"type": "a"}') == ("#", {"type": "a"})
    with pytest.raises(ValueError, match="JSON"):
        parse("# {]")
    with pytest.raises(ChoreiaError):
        parse("a b")


@pytest.mark.parametrize("key", ["enter", "t"])
def test_the_trace_of_the_selected_is_asked_for(pilot: Pilot, key: str) -> None:
    call = last_call(pilot.press("k", key))
    assert (call.verb, call.args) == ("trace", {"of": "e1", "payloads": False})


def test_why_the_selected_reached_whom_is_asked_for(pilot: Pilot) -> None:
    call = last_call(pilot.press("x"))
    assert (call.verb, call.args) == ("trace", {"of": "e2", "payloads": False, "explain": True})


def test_payloads_have_a_column_when_they_are_shown(pilot: Pilot) -> None:
    assert "payload" not in pilot.screen()[3]
    assert len(pilot.press("P")) == 1
    pilot.console.events({"events": [event_row("e7", payload={"total": 5, "token": "s3cret"})]})
    assert "payload" in pilot.screen()[3]
    assert pilot.selected().endswith("{'total': 5, 'token': '***'}")


def test_payloads_that_were_switched_on_elsewhere_are_asked_for(piloted: Piloted) -> None:
    pilot = piloted()
    pilot.press("P")
    (ask,) = pilot.press("3")
    assert isinstance(ask, Follow)
    assert ask.args["payloads"] is True
    assert "payload" in pilot.screen()[3]


def test_that_something_went_wrong_is_a_fault(pilot: Pilot) -> None:
    pilot.console.events({"events": [event_row("e7", "event.dead_lettered"), event_row("e8")]})
    pilot.press("n")
    assert "event.dead_lettered" in pilot.selected()
