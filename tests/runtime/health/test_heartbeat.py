"""How an agent is watched: what is refused, and what it is told to do instead."""

from __future__ import annotations

import re
from math import inf, nan
from typing import Any

import pytest

from choreia.runtime.errors import InvalidAgent
from choreia.runtime.health.heartbeat import Heartbeat


def refused(message: str, **fields: Any) -> None:
    with pytest.raises(InvalidAgent, match=re.escape(message)):
        Heartbeat(**fields)


def test_defaults() -> None:
    heartbeat = Heartbeat()
    assert (heartbeat.interval, heartbeat.timeout, heartbeat.detector) == (30, 90, "timeout")
    assert heartbeat.replace_after is None


@pytest.mark.parametrize("value", [0, 0.00099, -1, inf, -inf, nan, True, "1"])
@pytest.mark.parametrize("name", ["interval", "timeout", "stuck_after"])
def test_times_are_a_millisecond_or_more(name: str, value: object) -> None:
    refused(
        f"Heartbeat({name}={value!r}): give a number of seconds, 0.001 or more", **{name: value}
    )


@pytest.mark.parametrize("value", [-0.001, inf, nan, False, "0"])
def test_a_replacement_may_come_at_once(value: object) -> None:
    assert Heartbeat(replace_after=0).replace_after == 0
    message = f"Heartbeat(replace_after={value!r}): give a number of seconds, 0 or more"
    refused(message, replace_after=value)


@pytest.mark.parametrize("name", ["interval", "timeout"])
def test_every_agent_is_asked(name: str) -> None:
    refused(f"Heartbeat({name}=None): give a number of seconds", **{name: None})


def test_the_shortest_times() -> None:
    shortest = Heartbeat(interval=0.001, timeout=0.001, stuck_after=0.001)
    assert shortest.interval == shortest.timeout == shortest.stuck_after == 0.001


def test_the_timeout_is_at_least_the_interval() -> None:
    assert Heartbeat(interval=90).timeout == 90
    refused(
        "Heartbeat(interval=91, timeout=90): who is asked every 91 s cannot be heard more often; "
        "give a timeout of at least that",
        interval=91,
    )


@pytest.mark.parametrize("value", ["", "PHI", None, 1, ["phi"]])
def test_detectors_are_named(value: object) -> None:
    message = f'Heartbeat(detector={value!r}): choose "timeout" or "phi"'
    refused(message, detector=value)


def test_coroutines_may_take_longer_unless_told_otherwise() -> None:
    usual = Heartbeat()
    assert (usual.stuck_on_thread, usual.stuck_awaiting) == (60, 600)
    told = Heartbeat(stuck_after=5)
    assert (told.stuck_on_thread, told.stuck_awaiting) == (5, 5)


def test_heartbeats_are_values() -> None:
    assert Heartbeat(interval=1) == Heartbeat(interval=1.0)
    assert len({Heartbeat(), Heartbeat(30, 90, "timeout"), Heartbeat(detector="phi")}) == 2
    with pytest.raises(AttributeError):
        Heartbeat().interval = 1  # type: ignore[misc]
