"""Payloads that are not what was expected, told field by field."""

from __future__ import annotations

import pytest
from dirty_equals import IsInt, IsPartialDict

from choreia.actors.testing.differing import differences
from choreia.runtime.events.payload import freeze


@pytest.mark.parametrize(
    ("actual", "expected", "lines"),
    [
        ({"order": 8}, {"order": 7}, ["payload.order: expected 7, got 8"]),
        ({}, {"order": 7}, ["payload.order: expected 7, missing"]),
        ({"note": "x"}, {}, ["payload.note: not expected, got 'x'"]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, ["payload.a.b.c: expected 2, got 1"]),
        ({"a": {"b": 1}}, {"a": 1}, ["payload.a: expected 1, got {'b': 1}"]),
        ({"a": [1, 2]}, {"a": [1]}, ["payload.a: expected 1 items, got 2"]),
        (
            {"a": [{"n": 1}, {"n": 2}]},
            {"a": [{"n": 1}, {"n": 3}]},
            ["payload.a[1].n: expected 3, got 2"],
        ),
        ({"a": "7"}, {"a": IsInt(gt=5)}, ["payload.a: expected IsInt(gt=5), got '7'"]),
        ({"a": "7"}, {"a": IsInt}, ["payload.a: expected IsInt, got '7'"]),
        (
            {"a": 7},
            IsPartialDict(a=8),
            ["payload: expected IsPartialDict(a=8), got {'a': 7}"],
        ),
        (
            {"b": 1, "c": 3, "d": 4},
            {"a": 0, "b": 1, "c": 2},
            [
                "payload.a: expected 0, missing",
                "payload.c: expected 2, got 3",
                "payload.d: not expected, got 4",
            ],
        ),
    ],
)
def test_a_line_per_field(actual: object, expected: object, lines: list[str]) -> None:
    assert differences(freeze(actual), expected) == tuple(lines)


def test_secrets_stay_masked() -> None:
    actual = freeze({"password": "hunter2", "user": {"api_key": "k1"}, "token": "t"})
    told = differences(actual, {"password": "swordfish", "user": {"api_key": "k2"}, "secret": "s"})
    assert told == (
        "payload.password: not as expected (its values are masked)",
        "payload.user.api_key: not as expected (its values are masked)",
        "payload.secret: expected (***), missing",
        "payload.token: not expected, got (***)",
    )


def test_nothing_of_an_event_reaches_the_terminal_unseen() -> None:
    actual = freeze({"a\x1b[2J": 1, "b": "\x1b[31mred\u202e"})
    for line in differences(actual, {"b": 1}):
        assert line.isprintable()


def test_long_values_are_cut() -> None:
    [line] = differences(freeze({"a": "x" * 1_000}), {"a": 1})
    assert len(line) < 120
