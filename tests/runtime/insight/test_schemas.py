"""Schemas of payloads: they say what the wire holds."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any, Literal

import pytest
from attrs import field, frozen

from choreia import event_type
from choreia.runtime.events.schema import unstructure
from choreia.runtime.insight.schemas import alternatives, schema_of, values


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Sku(str):
    __slots__ = ()


@frozen
class Line:
    sku: Sku
    price: Decimal


@event_type("schemas.order")
@frozen
class Order:
    id: int
    total: float
    paid: bool
    colour: Colour
    size: Literal["s", "m"]
    lines: tuple[Line, ...]
    pair: tuple[int, str]
    at: datetime
    note: str | None = None
    words: dict[str, int] = field(factory=dict)
    anything: Any = None
    hidden: int = field(init=False, default=1)


ORDER = Order(
    1,
    2.5,
    paid=True,
    colour=Colour.RED,
    size="s",
    lines=(Line(Sku("x"), Decimal("1.5")),),
    pair=(1, "a"),
    at=datetime(2026, 1, 1),  # noqa: DTZ001
)


def test_each_field_has_the_type_that_it_has_on_the_wire() -> None:
    fields: Any = schema_of(Order)["properties"]

    assert fields["id"] == {"type": "integer"}
    assert fields["total"] == {"type": "number"}
    assert fields["paid"] == {"type": "boolean"}
    assert fields["colour"] == {"enum": ["red", "blue"]}
    assert fields["size"] == {"enum": ["s", "m"]}
    assert fields["lines"]["items"]["properties"]["sku"] == {"type": "string"}
    assert fields["lines"]["items"]["properties"]["price"] == {"type": "string"}
    assert fields["pair"] == {"type": "array"}
    assert fields["note"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert fields["words"] == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert fields["anything"] == {"default": None}
    assert "hidden" not in fields
    assert schema_of(Order)["required"] == [
        "id", "total", "paid", "colour", "size", "lines", "pair", "at",
    ]  # fmt: skip


def test_what_is_written_is_valid() -> None:
    written = json.loads(json.dumps(unstructure(ORDER)))

    import_module("jsonschema").validate(written, schema_of(Order))


def test_a_class_that_holds_itself_has_an_end() -> None:
    assert schema_of(Tree)["type"] == "object"


@frozen
class Tree:
    below: tuple[Tree, ...] = ()


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"enum": [1, 2]}, [1, 2]),
        ({"type": "boolean"}, [True, False]),
        ({"type": "null"}, [None]),
        ({"type": "string"}, None),
        ({}, None),
    ],
)
def test_values_are_named_where_there_are_few(
    schema: dict[str, object], expected: list[object] | None
) -> None:
    assert values(schema) == expected


def test_alternatives_within_alternatives() -> None:
    inner: dict[str, object] = {"anyOf": [{"type": "null"}, {"anyOf": [{"type": "string"}]}]}

    assert alternatives(inner) == [{"type": "null"}, {"type": "string"}]
