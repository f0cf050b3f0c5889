"""The view of agents."""

from __future__ import annotations

from tests.actors.choreia.console.model.conftest import Pilot, agent_row, last_call


def busy(number: int) -> tuple[dict[str, object], ...]:
    return (
        agent_row(
            "billing", size=20, received=100 * number, emitted=7 * number, failed=3, p95=0.0123,
            incarnation=3, heartbeat_age=0.4, state="running",
        ),
        agent_row("audit", state="parked", parked_on=["billing"]),
    )  # fmt: skip


def test_each_agent_has_a_row(pilot: Pilot) -> None:
    pilot.frame(100.0, *busy(0))
    pilot.frame(101.0, *busy(1))
    head, audit, billing = pilot.screen(170)[3:6]
    assert head.split() == [
        "name", "state", "mailbox", "pressure", "in/s", "out/s", "p95", "errors", "restarts",
        "beat", "why",
    ]  # fmt: skip
    assert billing.split() == [
        "!", "billing", "●", "running", "20/20", "██████", "██", "100", "7.0", "12", "ms", "3",
        "2", "400", "ms", "full",
    ]  # fmt: skip
    assert audit.endswith("parked on billing (full 20/20)")


def test_the_sign_and_the_colour_of_a_state_go_together(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("a", state="dead"), agent_row("b", suspected="stuck"))
    assert pilot.sees("✗ dead")
    assert pilot.style_of("✗ dead") == "dead selected"
    assert pilot.sees("▲ suspected")


def test_pressure_has_a_history(pilot: Pilot) -> None:
    for number in range(30):
        pilot.frame(100.0 + number, agent_row("a", size=min(20, number)))
    assert "▅▅▅▆▆▆▇▇▇████████████"[-8:] in pilot.selected()


def test_the_bar_of_the_selected_is_not_turned_round(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("billing", size=20))
    assert pilot.style_of("██████") == "bar.high"


def test_the_bar_makes_room_for_the_numbers(pilot: Pilot) -> None:
    row = agent_row("billing", size=999, capacity=1_000, state="paused")
    for width in range(60, 170):
        pilot.frame(100.0, row)
        line = pilot.screen(width)[4].split("999/1,000")[1]
        assert line.startswith(" ███")
        assert "█…" not in line


def test_a_mailbox_without_bounds_has_no_capacity(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("a", size=7, capacity=0))
    assert "7/· " in pilot.selected()


def test_narrow_screens_leave_out_columns_and_not_half_of_them(pilot: Pilot) -> None:
    pilot.frame(100.0, *busy(0))
    assert pilot.screen(44, 8)[3].split() == ["name", "state", "mailbox"]
    assert pilot.screen(26, 8)[3].split() == ["name", "state"]
    assert pilot.screen(24, 8)[3].split() == ["name"]


def test_a_filter_looks_at_the_words_of_a_row(pilot: Pilot) -> None:
    pilot.frame(100.0, *busy(0), agent_row("shop"))
    pilot.press("/")
    pilot.type("parked on")
    assert pilot.names() == ["audit"]
    assert "1 of 3, /parked on" in pilot.screen()[2]
    pilot.press("/", "ctrl-u")
    pilot.type("!audit")
    assert pilot.names() == ["billing", "shop"]
    pilot.press("esc")
    assert len(pilot.names()) == 3


def test_a_filter_that_cannot_be_read_is_said_and_changes_nothing(pilot: Pilot) -> None:
    pilot.frame(100.0, *busy(0))
    pilot.press("/")
    pilot.type("(")
    assert "not a pattern that RE2 can read: missing )" in pilot.footer()
    assert len(pilot.body()) == 2


def test_a_filter_that_matches_nothing_says_so(pilot: Pilot) -> None:
    pilot.frame(100.0, *busy(0))
    pilot.press("/")
    pilot.type("nobody")
    assert pilot.body() == ["   nothing here matches nobody (Esc: show all)"]


def test_faults_are_gone_to_and_looked_at_alone(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("a"), agent_row("b", state="dead"), agent_row("c"))
    pilot.press("n")
    assert pilot.selected().startswith("b")
    pilot.press("z")
    assert len(pilot.body()) == 1
    pilot.frame(101.0, agent_row("a"))
    assert pilot.body() == ["   no faults here (z: show all)"]
    pilot.press("esc", "n")
    assert pilot.footer() == "no fault is among what is shown"


def test_the_selection_stays_with_its_agent(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("b"), agent_row("c"))
    pilot.press("j")
    pilot.frame(101.0, agent_row("a"), agent_row("b"), agent_row("c"))
    assert pilot.selected().startswith("c")


def test_sorting_says_by_what(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("a", size=1), agent_row("b", size=9))
    pilot.press("s", "s", "s")
    assert pilot.names() == ["b", "a"]
    assert "by mailbox" in pilot.screen()[2]
    assert "▾mailbox" in pilot.screen()[3]


def test_that_some_are_left_out_is_said(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("a"), system={"agents": 5_000})
    assert "4,999 more are not shown" in pilot.screen()[2]


def test_enter_looks_at_an_agent_closely(pilot: Pilot) -> None:
    pilot.frame(100.0, agent_row("billing"))
    call = last_call(pilot.press("enter"))
    assert (call.verb, call.args) == ("agent", {"name": "billing", "payloads": False})
    assert pilot.screen()[2].endswith("→ billing")
