"""The filter operators that test one value: `$eq`, `$gte`, `$prefix` and the like.

Each maker takes the operand and the place it was written at, and returns a test of one JSON
value, or of `MISSING`. A test must hold for *some* value that a path leads to; what is
negated (`$ne`, `$nin`, ``$exists: false``, `$not`) is therefore not here but in `query`,
where the whole path is. No test raises, whatever the value.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

from choreia.runtime.events.operand import refuse, shown
from choreia.runtime.events.payload import Json
from choreia.runtime.events.regex import search
from choreia.runtime.events.scale import Compare, compare_words


class _Missing:
    """Stands for the value at a path where there is none."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()

Test: TypeAlias = Callable[[object], bool]


def equals(operand: Json) -> Test:
    """`$eq`: the value, or an element of it, is `operand`. Null equals missing."""
    return _or_an_element(_equal_to(operand))


def is_in(operand: Json, where: str) -> Test:
    """`$in`: the value, or an element of it, equals one of a list."""
    members = a_list(operand, where)
    texts = frozenset(member for member in members if isinstance(member, str))
    others = [_equal_to(member) for member in members if not isinstance(member, str)]

    def holds(value: object) -> bool:
        if isinstance(value, str):
            return value in texts
        return any(equal(value) for equal in others)

    return _or_an_element(holds)


def ordered(compare: Compare) -> Callable[[Json, str], Test]:
    """`$gt` and its kin: numbers with numbers, texts with texts, booleans with booleans."""

    def make(operand: Json, where: str) -> Test:
        if isinstance(operand, bool):
            return _or_an_element(lambda value: isinstance(value, bool) and compare(value, operand))
        if isinstance(operand, (int, float)):
            return _number(compare, operand)
        if isinstance(operand, str):
            by_rank = compare_words(compare, operand)
            return _or_an_element(lambda value: isinstance(value, str) and by_rank(value))
        if operand is None:  # as with $eq, null is there and missing too: >= and <= hold
            return equals(None) if compare(0, 0) else _never
        raise refuse(where, f"compares with a number, text, boolean or null, not {shown(operand)}")

    return make


def exists(value: object) -> bool:
    """`$exists`: there is a value, be it null. `query` negates it for ``false``."""
    return value is not MISSING


def prefix(operand: Json, where: str) -> Test:
    """`$prefix`: a text that begins with `operand`."""
    start = _a_text(operand, where)
    return _or_an_element(lambda value: isinstance(value, str) and value.startswith(start))


def suffix(operand: Json, where: str) -> Test:
    """`$suffix`: a text that ends with `operand`."""
    end = _a_text(operand, where)
    return _or_an_element(lambda value: isinstance(value, str) and value.endswith(end))


def contains(operand: Json, _: str) -> Test:
    """`$contains`: an array with `operand` as an element, or a text with it inside.

    An array's elements are compared whole: ``["non-urgent"]`` does not contain ``"urgent"``.
    """
    equal = _equal_to(operand)

    def test(value: object) -> bool:
        if isinstance(value, str):
            return isinstance(operand, str) and operand in value
        return isinstance(value, list) and any(map(equal, cast("list[object]", value)))

    return test


def matches(operand: Json, where: str, options: str = "") -> Test:
    """`$regex`: a text in which the pattern is found, anywhere."""
    found = search(_a_text(operand, where), options, where)
    return _or_an_element(lambda value: isinstance(value, str) and found(value))


def has_size(operand: Json, where: str) -> Test:
    """`$size`: an array of exactly so many elements."""
    if isinstance(operand, bool) or not isinstance(operand, int) or operand < 0:
        raise refuse(where, f"wants a whole number that is not negative, not {shown(operand)}")
    return lambda value: isinstance(value, list) and len(cast("list[object]", value)) == operand


VALUE_OPERATORS: Final[Mapping[str, Callable[[Json, str], Test]]] = {
    "$eq": lambda operand, _: equals(operand),
    "$gt": ordered(operator.gt),
    "$gte": ordered(operator.ge),
    "$lt": ordered(operator.lt),
    "$lte": ordered(operator.le),
    "$in": is_in,
    "$prefix": prefix,
    "$suffix": suffix,
    "$contains": contains,
    "$size": has_size,
}


def a_list(operand: Json, where: str) -> list[Json]:
    """A list of values to compare with; operators inside would mean nothing."""
    if not isinstance(operand, list):
        raise refuse(where, f"wants a list of values, not {shown(operand)}")
    for at, member in enumerate(operand):
        if isinstance(member, Mapping) and any(key.startswith("$") for key in member):
            raise refuse(f"{where}[{at}]", "operators cannot stand in this list; use $or or $and")
    return operand


def _or_an_element(holds: Test) -> Test:
    def test(value: object) -> bool:
        if holds(value):
            return True
        return isinstance(value, list) and any(map(holds, cast("list[object]", value)))

    return test


def _number(compare: Compare, operand: float) -> Test:
    # What `_or_an_element` would do, in one function: this is the test most filters make.
    def test(value: object) -> bool:
        kind = value.__class__
        if kind is int or kind is float:
            return compare(value, operand)
        return isinstance(value, list) and any(map(test_one, cast("list[object]", value)))

    def test_one(value: object) -> bool:
        kind = value.__class__
        return (kind is int or kind is float) and compare(value, operand)

    return test


def _equal_to(operand: Json) -> Test:
    if operand is None:
        return lambda value: value is None or value is MISSING
    if isinstance(operand, bool):
        return lambda value: value is operand
    if isinstance(operand, str):
        return lambda value: value == operand
    if isinstance(operand, (int, float)):
        return lambda value: value == operand and value.__class__ is not bool
    return lambda value: value == operand and _same_kinds(value, operand)


def _same_kinds(value: object, operand: object) -> bool:
    """Tell equal values apart where Python does not: ``[1] == [True]``."""
    if isinstance(operand, Mapping):
        fields = cast("Mapping[str, object]", operand)
        found = cast("Mapping[str, object]", value)
        return all(_same_kinds(found[key], item) for key, item in fields.items())
    if isinstance(operand, list):
        return all(map(_same_kinds, cast("list[object]", value), cast("list[object]", operand)))
    return isinstance(value, bool) is isinstance(operand, bool)


def _never(_: object) -> bool:
    return False


def _a_text(operand: Json, where: str) -> str:
    if not isinstance(operand, str):
        raise refuse(where, f"wants text, not {shown(operand)}")
    return operand
