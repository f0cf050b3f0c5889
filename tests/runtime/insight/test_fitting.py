"""Payloads that do not give what is required: as `structure` would refuse them."""

from __future__ import annotations

from typing import Any

import pytest

from choreia.runtime.insight.fitting import misfits

TEXT: dict[str, object] = {"type": "string"}
WHOLE: dict[str, object] = {"type": "integer"}
NUMBER: dict[str, object] = {"type": "number"}
NULL: dict[str, object] = {"type": "null"}


def _object(required: tuple[str, ...] = (), **properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(required)}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (WHOLE, WHOLE),
        (WHOLE, NUMBER),
        (TEXT, {}),
        ({}, TEXT),
        ({"enum": ["a"]}, TEXT),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}),
        (TEXT, {"anyOf": [TEXT, NULL]}),
        ({"anyOf": [TEXT, NULL]}, {"anyOf": [NULL, TEXT]}),
        (_object(a=WHOLE, b=TEXT), _object(("a",), a=WHOLE)),
        (_object(), _object(a=WHOLE)),
        (_object(a=WHOLE), _object(("a",), a=NUMBER)),
        ({"type": "array", "items": WHOLE}, {"type": "array", "items": NUMBER}),
        ({"type": "array"}, {"type": "array", "items": NUMBER}),
        ({"type": "boolean"}, {"type": "boolean"}),
        (
            {"type": "object", "additionalProperties": WHOLE},
            {"type": "object", "additionalProperties": NUMBER},
        ),
    ],
)
def test_what_fits(given: Any, wanted: Any) -> None:
    assert misfits(given, wanted) == []


@pytest.mark.parametrize(
    ("given", "wanted", "told"),
    [
        (NUMBER, WHOLE, "payload is number, and integer is required"),
        (TEXT, WHOLE, "payload is string, and integer is required"),
        (TEXT, {"enum": ["a"]}, "payload is any string, and one of 'a' is required"),
        ({"enum": ["a", "c"]}, {"enum": ["a"]}, "payload can be 'c', and one of 'a' is required"),
        ({"enum": [1]}, TEXT, "payload can be 1, and string is required"),
        ({"type": "boolean"}, WHOLE, "payload can be True, and integer is required"),
        ({"anyOf": [TEXT, NULL]}, TEXT, "payload can be None, and string is required"),
        (_object(b=TEXT), _object(("a",), a=WHOLE), "payload.a is required and not given"),
        (_object(a=TEXT), _object(a=WHOLE), "payload.a is string, and integer is required"),
        (
            {"type": "array", "items": _object()},
            {"type": "array", "items": _object(("x",), x={})},
            "payload[].x is required and not given",
        ),
        (
            {"type": "object", "additionalProperties": TEXT},
            {"type": "object", "additionalProperties": WHOLE},
            "payload.* is string, and integer is required",
        ),
    ],
)
def test_what_does_not(given: Any, wanted: Any, told: str) -> None:
    assert misfits(given, wanted)[0] == told


def test_a_great_many_are_not_all_told() -> None:
    wanted = _object(tuple("abcdefghij"), **dict.fromkeys("abcdefghij", WHOLE))

    assert len(misfits(_object(), wanted)) == 5
