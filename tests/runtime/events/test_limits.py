"""Limits refuse numbers that make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from choreia.runtime.errors import ChoreiaError, InvalidLimit
from choreia.runtime.events.event import Event
from choreia.runtime.events.limits import DEFAULT_LIMITS, CaseLimits, Limits
from choreia.runtime.events.payload import freeze


def test_the_defaults_are_the_documented_ones() -> None:
    assert (DEFAULT_LIMITS.payload_bytes, DEFAULT_LIMITS.payload_depth) == (1_048_576, 64)
    assert DEFAULT_LIMITS.type_length == 255
    assert CaseLimits() == CaseLimits(hops=1000, events=None, spend=None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"payload_bytes": 1},
        {"payload_bytes": 1.5},
        {"payload_depth": 0},
        {"payload_depth": 251},
        {"payload_depth": True},
        {"type_length": 0},
        {"id_length": 31},
        {"source_length": 0},
        {"causes": -1},
    ],
)
def test_a_senseless_limit_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidLimit, match=next(iter(wrong))) as caught:
        Limits(**wrong)
    assert isinstance(caught.value, ChoreiaError)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hops": 0},
        {"hops": None},
        {"events": 0},
        {"spend": -1.0},
        {"spend": float("nan")},
        {"spend": True},
        {"spend": "1"},
    ],
)
def test_a_senseless_case_limit_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidLimit, match=next(iter(wrong))):
        CaseLimits(**wrong)


def test_no_limits_on_events_and_spending_is_a_choice() -> None:
    assert CaseLimits(hops=1, events=10, spend=0.5).spend == 0.5
    assert CaseLimits(spend=0).spend == 0


def test_the_deepest_payload_that_may_be_allowed_can_be_encoded() -> None:
    payload: dict[str, Any] = {}
    for _ in range(249):
        payload = {"a": payload}
    limits = Limits(payload_depth=250)
    event = Event("deep", "test").evolve(payload=freeze(payload, limits))
    assert event.to_json()
    assert event.to_cloudevent()
