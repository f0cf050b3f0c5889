"""cattrs, made strict."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal, NewType
from uuid import UUID

import attrs
import pytest

from choreia.runtime.errors import SchemaError
from choreia.runtime.events.payload import FrozenDict, freeze
from choreia.runtime.events.structuring import problems, structurer, unstructurer


class Colour(Enum):
    RED = "r"
    GREEN = "g"


class Level(IntEnum):
    LOW = 1


class Kind(StrEnum):
    A = "a"


class Sku(str):
    __slots__ = ()


Count = NewType("Count", int)


@attrs.frozen
class Line:
    sku: str
    count: int = 1


@dataclasses.dataclass(frozen=True)
class Address:
    city: str


@attrs.frozen
class Everything:
    """One field of every kind that payloads may have."""

    whole: int
    number: float
    text: str
    flag: bool
    numbers: list[int]
    texts: tuple[str, ...]
    pair: tuple[int, str]
    some: set[int]
    few: frozenset[str]
    counts: dict[str, int]
    line: Line
    lines: list[Line]
    address: Address
    colour: Colour
    level: Level
    kind: Kind
    sku: Sku
    word: Literal["x", "y"]
    count: Count
    at: datetime
    day: date
    id: UUID
    price: Decimal
    blob: bytes
    anything: Any
    whatever: object
    maybe: int | None
    either: str | list[str]
    several: Sequence[int]
    named: Mapping[str, object]
    again: Everything | None = None


FULL = Everything(
    whole=1,
    number=1.5,
    text="text",
    flag=True,
    numbers=[1, 2],
    texts=("a", "b"),
    pair=(1, "a"),
    some={1},
    few=frozenset({"a"}),
    counts={"a": 1},
    line=Line("tea"),
    lines=[Line("tea", 2), Line("mug")],
    address=Address("Bern"),
    colour=Colour.RED,
    level=Level.LOW,
    kind=Kind.A,
    sku=Sku("s"),
    word="x",
    count=Count(3),
    at=datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
    day=date(2026, 1, 2),
    id=UUID(int=5),
    price=Decimal("1.10"),
    blob=b"\x00\xff",
    anything={"a": [1, None]},
    whatever="o",
    maybe=None,
    either=["a"],
    several=(1, 2),
    named={"a": 1},
)
# As JSON has it: tuples, sets and enumerations are gone.
WIRE = freeze(unstructurer(Everything)(FULL))


def structure(payload: object, cls: type = Everything) -> Any:
    return structurer(cls)(payload, cls)


def faults(payload: object, cls: type = Everything) -> list[str]:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # cattrs raises groups
        structure(payload, cls)
    return problems(caught.value)


def test_every_kind_of_field_goes_round() -> None:
    back = structure(WIRE)
    assert back == FULL
    for field in attrs.fields(Everything):
        if field.name != "anything":
            assert type(getattr(back, field.name)) is type(getattr(FULL, field.name))
    assert type(back.anything) is FrozenDict  # shared with the event, so still not writable
    nested = attrs.evolve(FULL, again=FULL)
    assert structure(freeze(unstructurer(Everything)(nested))) == nested


WRONG: list[tuple[str, list[Any]]] = [
    ("whole", ["5", 5.0, True, None, [], {}]),
    ("number", ["1.5", True, None, []]),
    ("text", [1, None, True, ["a"], {}]),
    ("flag", [0, 1, "true", None]),
    ("numbers", ["12", {}, None, 1, [1, "2"], [True], {"0": 1}]),
    ("texts", ["ab", {}, [1]]),
    ("pair", [[1], [1, "a", 2], ["a", 1], "1a", {}]),
    ("some", ["1", {}, ["1"]]),
    ("few", ["a", {}, [1]]),
    ("counts", [[], "a", {"a": "1"}, None]),
    ("line", [[], "tea", {}, {"sku": 1}, None]),
    ("lines", [{}, [{}], ["tea"], [None]]),
    ("address", [[], "Bern", {"city": 1}]),
    ("colour", ["x", "RED", None, 1]),
    ("level", [2, "1", True, 1.0]),
    ("kind", ["b", 1, None]),
    ("sku", [1, None]),
    ("word", ["z", 1, None]),
    ("count", ["3", 3.5, True]),
    ("at", ["yesterday", 1_700_000_000, None]),
    ("day", ["2026-13-01", 5]),
    ("id", ["5", 5, None]),
    ("price", ["a lot", 1.1, None]),
    ("blob", ["\x00", 5, [0]]),
    ("maybe", ["1", 1.5, True]),
    ("either", [1, None, [1], {}]),
    ("several", ["12", {}, ["1"]]),
    ("named", [[], "a", None]),
    ("again", [[], "a", {}]),
]


@pytest.mark.parametrize(("field", "values"), WRONG, ids=[field for field, _ in WRONG])
def test_nothing_is_coerced(field: str, values: list[Any]) -> None:
    for value in values:
        found = faults({**WIRE, field: value})
        assert found, value
        assert all(f"payload.{field}" in line for line in found), value


def test_every_field_has_its_wrong_values() -> None:
    anything = {"anything", "whatever"}
    assert {field.name for field in attrs.fields(Everything)} == {f for f, _ in WRONG} | anything


def test_a_whole_number_is_a_number() -> None:
    number = structure({**WIRE, "number": 2}).number
    assert number == 2.0
    assert type(number) is float


def test_unknown_fields_are_let_through() -> None:
    assert structure({"sku": "tea", "added_later": 1}, Line) == Line("tea")


def test_all_problems_are_told_with_their_paths() -> None:
    payload = {
        **WIRE,
        "whole": "1",
        "lines": [{"sku": 1}, {"count": "x"}, 3],
        "counts": {"a": None},
    }
    assert sorted(faults(payload)) == [
        "expected integer, got null @ payload.counts['a']",
        "expected integer, got string @ payload.lines[1].count",
        "expected integer, got string @ payload.whole",
        "expected object, got integer @ payload.lines[2]",
        "expected string, got integer @ payload.lines[0].sku",
        "required field missing @ payload.lines[1].sku",
    ]
    assert faults([], Line) == ["expected object, got array @ payload"]


def test_what_a_validator_says_is_told() -> None:
    def positive(_: object, __: object, value: int) -> None:
        if value <= 0:
            raise ValueError("an amount is positive\x1b[31m")

    @attrs.frozen
    class Positive:
        amount: int = attrs.field(validator=positive)

    assert faults({"amount": -1}, Positive) == ["an amount is positive[31m @ payload"]


def test_problems_stay_short() -> None:
    assert max(map(len, faults({**WIRE, "at": "x" * 10_000, "word": "y" * 10_000}))) <= 200


def test_a_class_that_cannot_be_understood_is_a_fault_of_the_schema() -> None:
    class Own:
        pass

    @attrs.frozen
    class Holder:
        own: Own

    for make in (structurer, structurer):  # a failure is not remembered as success
        with pytest.raises(SchemaError, match="Holder"):
            make(Holder)
