"""What filters are written in: JSON values, copied so that nobody changes them later."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import cast

from choreia.runtime.errors import InvalidFilter
from choreia.runtime.events.payload import Json

_DEEPEST = 64
_MOST_VALUES = 100_000
_SHOWN = 60


def refuse(where: str, problem: str) -> InvalidFilter:
    """The error for a filter that is wrong at `where`."""
    return InvalidFilter(
        f"filter at {where}: {problem}" if where else f"filter: {problem}", path=where
    )


def shown(value: object) -> str:
    """`value` in a message: short, on one line, without control characters."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def join(where: str, key: str) -> str:
    """The place of `key` inside `where`."""
    return f"{where}.{key}" if where else key


def copy_mapping(mapping: object) -> dict[str, Json]:
    """A deep copy of a filter as it was written, in plain dicts and lists.

    Raises `InvalidFilter` for what is not JSON, and for what is too deep or too large.
    """
    if not isinstance(mapping, Mapping):
        raise refuse("", f"it is a mapping of paths to conditions, not {shown(mapping)}")
    return _Copy().mapping(cast("Mapping[object, object]", mapping), "", 1)


class _Copy:
    """One copying. Counts values, because shared lists can unfold to any size."""

    def __init__(self) -> None:
        self.left = _MOST_VALUES

    def value(self, value: object, where: str, depth: int) -> Json:
        self.left -= 1
        if self.left < 0:
            raise refuse(where, f"more than {_MOST_VALUES:,} values: too large for a filter")
        if depth > _DEEPEST:
            raise refuse(where, f"nested deeper than {_DEEPEST} levels (does it hold itself?)")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return _finite(value, where)
        if isinstance(value, Mapping):
            return self.mapping(cast("Mapping[object, object]", value), where, depth + 1)
        if isinstance(value, (list, tuple)):
            items = enumerate(cast("Iterable[object]", value))
            return [self.value(item, f"{where}[{at}]", depth + 1) for at, item in items]
        raise refuse(where, f"{shown(value)} is no JSON value: it would never equal anything")

    def mapping(self, mapping: Mapping[object, object], where: str, depth: int) -> dict[str, Json]:
        copy: dict[str, Json] = {}
        for key, value in mapping.items():
            if not isinstance(key, str) or not key:
                raise refuse(where, f"the key {shown(key)} is no path and no operator: write text")
            key = str.__str__(key)
            copy[key] = self.value(value, join(where, key), depth)
        return copy


def _finite(value: float, where: str) -> float:
    if not math.isfinite(value):
        raise refuse(where, f"{value} never occurs in an event: give a finite number")
    return float(value)
