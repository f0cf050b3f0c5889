"""Why an agent is as it is, in words."""

from __future__ import annotations

import pytest

from choreia.console.model.agentrow import AgentRow
from choreia.console.model.frame import Frame
from choreia.console.model.moment import Moment
from tests.actors.choreia.console.model.conftest import Fields, agent_row, snapshot


def row(before: Fields | None = None, /, **fields: object) -> AgentRow:
    said = agent_row("shop", **fields)
    others = [agent_row("billing", size=20), agent_row("audit", size=3)]
    former = None if before is None else Frame(snapshot(1.0, agent_row("shop", **before)))
    return AgentRow(said, Moment(Frame(snapshot(3.0, said, *others)), former))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, ""),
        ({"state": "parked", "parked_on": ["billing"]}, "parked on billing (full 20/20)"),
        ({"parked_on": ["audit", "gone"]}, "parked on audit (3/20), gone"),
        ({"state": "parked"}, "parked: it waits for room"),
        (
            {"suspected": "stuck", "handler": "reserve", "handler_seconds": 12.3},
            "suspected: stuck in reserve for 12.3 s",
        ),
        ({"state": "dead"}, "dead: it handles nothing any more"),
        ({"state": "backoff", "handler": "charge"}, "backing off in charge"),
        ({"parked": 5}, "5 wait for room here"),
        ({"parked": 1}, "1 waits for room here"),
        ({"size": 20}, "full"),
        ({"size": 2_000, "capacity": 0}, ""),
        ({"lag": 4_120}, "lags 4,120"),
        ({"lag": 3}, ""),
    ],
)
def test_what_is_wrong_is_said(fields: Fields, why: str) -> None:
    assert row(**fields).why == why
    assert bool(row(**fields).faults) is bool(why)


def test_what_happens_now_is_said_with_its_rate() -> None:
    assert row({"dropped": 0}, dropped=62).why == "dropped 31/s"
    assert row({"failed": 4}, failed=8).why == "fails 2.0/s"
    assert row({"dropped": 62}, dropped=62).why == ""
    assert row(dropped=62).why == ""


def test_the_worst_is_said_first() -> None:
    assert row(size=20, parked=2, suspected="stuck").why == "suspected: stuck; 2 wait for room here"


def test_some_things_are_worth_knowing_and_no_faults() -> None:
    paused = row(state="paused")
    assert (paused.why, paused.faults) == ("paused by somebody", ())
    busy = row(handler="reserve", handler_seconds=4.0)
    assert (busy.why, busy.faults) == ("at work in reserve for 4.0 s", ())
