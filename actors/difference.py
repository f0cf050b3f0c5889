"""What differs between two states, payloads or other plain values: by path, each with both sides.

Classes made by attrs or dataclasses are looked into field by field, mappings by key, lists and
tuples place by place. Whatever else there is differs as a whole.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, cast

import attrs


class Missing(Enum):
    """Stands for a side that has nothing there."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING
_PLAIN_KEY = re.compile(r"[^\s.\[\]'\"]+")


@attrs.frozen
class Difference:
    """One place at which two values differ. Hashable when both sides are."""

    path: str
    """Such as ``orders.o-1.lines[2].price``: keys that have dots or spaces stand in brackets, as
    Python writes them. Nothing, when the values differ as a whole."""
    before: object
    """`MISSING` where there was nothing."""
    after: object
    """`MISSING` where there is nothing any more."""


def difference(before: object, after: object) -> tuple[Difference, ...]:
    """All places at which two values differ, in the order of their fields; empty if there are none.

    A boolean is not a number, and a list is not a tuple, but NaN is NaN.
    """
    return tuple(_between("", before, after))


def _between(path: str, before: object, after: object) -> Iterator[Difference]:
    if before is after:
        return
    parts = _parts(before, after)
    if parts is None:
        if not _same(before, after):
            yield Difference(path, before, after)
        return
    for step, one, other in parts:
        yield from _between(_joined(path, step), one, other)


def _joined(path: str, step: str) -> str:
    return f"{path}.{step}" if path and not step.startswith("[") else path + step


Parts = Iterator[tuple[str, object, object]]


def _parts(before: Any, after: Any) -> Parts | None:
    """What two values are made of, side by side; None when they are to be compared as a whole."""
    if _fields(before) is not None and type(before) is type(after):
        return _of_fields(before, after)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return _of_keys(before, after)
    for kind in (list, tuple):
        if isinstance(before, kind) and isinstance(after, kind):
            return _of_places(cast("Sequence[object]", before), cast("Sequence[object]", after))
    return None


def _fields(value: object) -> list[str] | None:
    """The names of the fields of an instance made by attrs or dataclasses."""
    cls = type(value)
    if attrs.has(cls):
        return [field.name for field in attrs.fields(cls)]
    if dataclasses.is_dataclass(cls):
        return [field.name for field in dataclasses.fields(cls)]
    return None


def _of_fields(before: object, after: object) -> Parts:
    for name in _fields(before) or ():
        yield name, getattr(before, name, MISSING), getattr(after, name, MISSING)


def _of_keys(before: Mapping[object, object], after: Mapping[object, object]) -> Parts:
    for key, value in before.items():
        yield _named(key), value, after.get(key, MISSING)
    for key, value in after.items():
        if key not in before:
            yield _named(key), MISSING, value


def _named(key: object) -> str:
    if isinstance(key, str) and _PLAIN_KEY.fullmatch(key):
        return str(key)
    return f"[{key!r}]"


def _of_places(before: Sequence[object], after: Sequence[object]) -> Parts:
    for place in range(max(len(before), len(after))):
        one = before[place] if place < len(before) else MISSING
        other = after[place] if place < len(after) else MISSING
        yield f"[{place}]", one, other


def _same(before: object, after: object) -> bool:
    if isinstance(before, bool) is not isinstance(after, bool):
        return False
    try:
        if before == after:
            return True
        return before != before and after != after  # NaN
    except Exception:  # values that cannot be compared, such as arrays of other lengths
        return repr(before) == repr(after)


def as_data(value: object) -> object:
    """The value in JSON's types: records as objects, sets as sorted lists; what cannot be told so,
    as Python writes it."""
    if isinstance(value, Enum):
        return as_data(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    names = _fields(value)
    if names is not None:
        return {name: as_data(getattr(value, name, None)) for name in names}
    if isinstance(value, Mapping):
        fields = cast("Mapping[object, object]", value)
        return {k if isinstance(k, str) else repr(k): as_data(v) for k, v in fields.items()}
    if isinstance(value, (list, tuple)):
        return [as_data(one) for one in cast("Sequence[object]", value)]
    if isinstance(value, (set, frozenset)):
        return sorted((as_data(one) for one in cast("frozenset[object]", value)), key=repr)
    return repr(value)
