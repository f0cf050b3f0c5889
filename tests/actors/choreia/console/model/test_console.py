"""The console as a whole: what it shows of the system, and what it wants."""

from __future__ import annotations

import json

import pytest

from choreia.console.model.asks import EVENTS, Call
from choreia.runtime.inspection.frames import Problem
from tests.actors.choreia.console.model.conftest import (
    HELLO,
    Pilot,
    Piloted,
    agent_row,
    event_row,
)


def test_before_the_first_frame_it_says_that_it_waits(pilot: Pilot) -> None:
    assert pilot.screen()[0] == "shop  pid 1234  ◔ waiting for the first frame  orders.py"
    assert pilot.sees("no agents: none are started yet, or the first frame has not come")


def test_the_header_tells_how_the_system_is_and_what_looking_costs(pilot: Pilot) -> None:
    for at, events in ((100.0, 1_000), (101.0, 1_120)):
        agents = [agent_row("a", suspected="stuck"), agent_row("b")]
        system = {
            "node": "shop", "uptime": 3_720.0, "agents": 204, "published": events,
            "handled": events * 3, "dropped": 31, "dead_letters": 2,
            "states": {"idle": 190, "running": 14},
        }  # fmt: skip
        pilot.frame(at, *agents, system=system)
    first, second = pilot.screen(200)[:2]
    assert first == (
        "shop  pid 1234  up 1h02m  ● live  cost 0.31 %  a frame every 250 ms  orders.py"
    )
    assert second == (
        "204 agents  190 ○ idle  14 ● running  1 ▲ suspected  events 120/s  handled 360/s  "
        "dropped 31  dead letters 2"
    )
    assert pilot.style_of("suspected") == "bad"


def test_of_the_header_what_matters_most_stays(pilot: Pilot) -> None:
    pilot.frame(100.0)
    assert pilot.screen(30, 10)[0] == "shop  up 1m40  ● live"


def test_the_tabs_tell_which_view_is_seen_without_colour(pilot: Pilot) -> None:
    assert pilot.screen()[2].startswith("[1 Agents] 2 Flows  3 Events  4 Cases")
    pilot.press("4")
    assert " 3 Events [4 Cases] 5 Presence" in pilot.screen()[2]
    pilot.press("tab")
    assert "[5 Presence]" in pilot.screen()[2]
    pilot.press("tab", "tab")
    assert "[1 Agents]" in pilot.screen()[2]
    assert pilot.screen(40, 10)[2].startswith("[1 Agents] 2 3 4 5 6")


def test_only_what_is_seen_is_asked_for_beside_the_agents(pilot: Pilot) -> None:
    wanted = {"1": set[str](), "2": {"flows"}, "3": set(), "4": set(), "5": {"presence"},
              "6": {"health"}}  # fmt: skip
    for key, parts in wanted.items():
        pilot.press(key)
        assert pilot.console.parts == {"agents", *parts}


def test_what_is_old_is_not_called_live(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("billing"))
    pilot.console.silent(7.0)
    assert "NO ANSWER for 7.0 s" in pilot.screen()[0]
    assert "live" not in pilot.screen()[0]
    pilot.console.silent(None)
    assert "● live" in pilot.screen()[0]


def test_p_freezes_what_is_seen_and_brackets_step(pilot: Pilot) -> None:
    for number in range(4):
        pilot.frame(100.0 + number, agent_row("billing", size=number))
    pilot.press("p")
    pilot.frame(104.0, agent_row("billing", size=19))
    assert "‖ PAUSED \u22121.0 s" in pilot.screen()[0]
    assert "3/20" in pilot.selected()
    pilot.press("[", "[")
    assert "‖ PAUSED \u22123.0 s" in pilot.screen()[0]
    assert "1/20" in pilot.selected()
    pilot.press("]")
    assert "2/20" in pilot.selected()
    pilot.press("p")
    assert "● live" in pilot.screen()[0]
    assert "19/20" in pilot.selected()


def test_stepping_back_pauses_and_says_where_history_ends(pilot: Pilot) -> None:
    pilot.frame(100.0)
    pilot.press("[")
    assert "PAUSED" in pilot.screen()[0]
    assert pilot.footer() == "there is no frame before this one"
    pilot.press("]")
    assert pilot.footer() == "there is no frame after this one"


def test_while_it_is_frozen_nothing_is_asked_for(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("billing"))
    asks = pilot.press("enter")
    pilot.tell(asks, {"name": "billing"})
    assert pilot.console.tick(1_000.0)
    pilot.press("p")
    assert not pilot.console.tick(2_000.0)


def test_the_end_of_the_system_is_told_and_the_last_picture_stays(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("billing"))
    pilot.press("enter")
    pilot.press("esc")
    pilot.console.lost("stopped\x1b[31m by\nits owner")
    assert "✗ ENDED: stopped[31m by its owner" in pilot.screen()[0]
    assert "billing" in pilot.selected()
    assert not pilot.console.tick(5_000.0)


def test_a_system_that_is_there_again_is_looked_at_anew(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("billing"))
    pilot.press("3", "p")
    pilot.console.lost("killed")
    pilot.console.found({**HELLO, "pid": 99, "control": False})
    assert [type(ask).__name__ for ask in pilot.console.tick(1.0)] == ["Follow"]
    assert "pid 99" in pilot.screen()[0]
    assert "waiting for the first frame" in pilot.screen()[0]
    pilot.press("a")
    assert pilot.footer() == "read-only: start the system with control"


def test_a_notice_stays_until_the_next_key(pilot: Pilot) -> None:
    pilot.console.notice("exported to a.svg", "good")
    assert pilot.footer() == "exported to a.svg"
    assert pilot.style_of("exported") == "good"
    pilot.press("j")
    assert pilot.footer().startswith("q quit  ? help")


def test_the_log_has_a_pane_of_its_own(pilot: Pilot) -> None:
    pilot.press("l")
    assert pilot.sees("nothing was logged")
    for number in range(30):
        pilot.console.log(f"line {number}\x1b[2J\nand more")
    shown = pilot.screen()
    assert shown[-11].startswith("── log (l hides it) ───")
    assert shown[-3:-1] == ["line 29[2J", "and more"]
    pilot.press("l")
    assert not pilot.sees("line 29")


def test_too_small_a_screen_says_so(pilot: Pilot) -> None:
    assert pilot.screen(19, 10) == ["too small", *[""] * 9]
    assert pilot.screen(80, 4)[0] == "too small"
    assert pilot.screen(4, 1) == ["too…"]
    assert pilot.screen(80, 0) == []


def test_the_smallest_screen_shows_the_selected_row(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("audit"), agent_row("billing"))
    pilot.press("j")
    assert pilot.screen(20, 5) == [
        "shop  ● live", "[1 Agents] 2 3 4 5 6", "   name", "▸  billing", "q quit  ? help",
    ]  # fmt: skip


def test_in_ascii_nothing_else_is_seen(piloted: Piloted) -> None:
    pilot = piloted(ascii=True, program="café")
    pilot.frame(100.0, agent_row("größe", state="parked", size=20), agent_row("界"))
    shown = pilot.screen()
    assert all(line.isascii() for line in shown)
    assert shown[0].endswith("caf?")
    assert "gr??e" in shown[4]
    assert "# parked" in shown[4]
    assert "20/20 ######" in shown[4]


def test_an_answer_for_what_was_closed_meanwhile_is_dropped(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("billing"))
    asks = pilot.press("enter")
    pilot.press("esc")
    pilot.tell(asks, {"stack": "secret"})
    pilot.console.answer("nonsense", {}, None)
    assert not pilot.sees("secret")


def test_a_stream_of_events_that_is_refused_is_told(pilot: Pilot) -> None:
    pilot.press("3")
    pilot.console.answer(EVENTS, None, Problem("busy", "there are too many"))
    assert pilot.footer() == "there are too many"
    assert pilot.body() == ["   there are too many"]


@pytest.mark.parametrize("key", list("123456"))
def test_the_document_has_all_rows_of_what_is_seen(pilot: Pilot, key: str) -> None:
    pilot.press(key)
    pilot.frame(100.0, *[agent_row(f"agent-{n}") for n in range(80)], flows=[], presence=[])
    pilot.console.events({"events": [event_row("e1")]})
    said = json.loads(json.dumps(pilot.console.document()))
    assert said["schema"] == "choreia.console/1"
    assert (
        said["view"] == ["Agents", "Flows", "Events", "Cases", "Presence", "Health"][int(key) - 1]
    )
    assert (said["node"], said["pid"], said["time"]) == ("shop", 1234, 1_100.0)
    assert len(said["rows"]) == {"1": 80, "3": 1}.get(key, 0)


def test_the_document_of_agents_has_numbers(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("billing", received=10))
    pilot.frame(101.0, agent_row("billing", received=30, size=5, p95=0.02))
    pilot.press("/")
    pilot.type("bill")
    said = pilot.console.document()
    assert said["filter"] == "bill"
    (row,) = said["rows"] if isinstance(said["rows"], list) else [{}]
    assert row["name"] == "billing"
    assert (row["in/s"], row["mailbox"], row["p95"]) == (20.0, 0.25, 0.02)


def test_what_was_asked_for_by_keys_is_not_asked_for_again_by_the_next_tick(pilot: Pilot) -> None:
    pilot.console.tick(1_000.0)
    (ask,) = pilot.press("4")
    assert isinstance(ask, Call)
    assert not pilot.console.tick(1_000.2)
