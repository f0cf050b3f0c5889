"""Fields of what a system says, whatever they may be.

The system may be older or newer than the console, and what it says may lack a field or have
something else in it. Then there is less to see, and nothing breaks: every reader has a default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, cast

Fields = Mapping[str, object]

NOTHING: Final[Fields] = {}
_MOST: Final = 1e18  # larger numbers are nonsense here, and slow to write out


def text_of(said: Fields, name: str, default: str = "") -> str:
    value = said.get(name)
    return value if isinstance(value, str) else default


def number_of(said: Fields, name: str) -> float | None:
    """A finite number, or None."""
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return float(max(-_MOST, min(_MOST, value)))


def amount_of(said: Fields, name: str, default: float = 0.0) -> float:
    """A finite number that is not negative."""
    value = number_of(said, name)
    return default if value is None else max(0.0, value)


def count_of(said: Fields, name: str) -> int:
    """A whole number that is not negative; 0 when there is none."""
    value = said.get(name)
    if type(value) is int and 0 <= value <= _MOST:  # as nearly all are, and many are read
        return value
    return int(amount_of(said, name))


def flag_of(said: Fields, name: str) -> bool:
    return said.get(name) is True


def part_of(said: Fields, name: str) -> Fields:
    """An object; an empty one when there is none."""
    value = said.get(name)
    return cast(Fields, value) if isinstance(value, Mapping) else NOTHING


def rows_of(said: Fields, name: str) -> list[Fields]:
    """The objects of a list."""
    return [cast(Fields, one) for one in _list(said, name) if isinstance(one, Mapping)]


def words_of(said: Fields, name: str) -> list[str]:
    """The strings of a list."""
    return [one for one in _list(said, name) if isinstance(one, str)]


def _list(said: Fields, name: str) -> Sequence[object]:
    value = said.get(name)
    return cast("Sequence[object]", value) if isinstance(value, (list, tuple)) else ()
