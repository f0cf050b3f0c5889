"""What a request gives beside its verb. Whatever is wrong with it is refused, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from choreia.runtime.events.display import brief, plain
from choreia.runtime.inspection.frames import Fields, Refusal

SELDOMMEST = 86_400
"""Seconds."""


class Arguments:
    """Of one request. Every reader raises `Refusal`; `end` refuses what nobody read."""

    def __init__(self, verb: str, args: Mapping[str, object]) -> None:
        self._verb = verb
        self._left = dict(args)

    def text(self, name: str, default: str | None = None) -> str:
        """A string; without a `default` it must be there, and not be empty."""
        value = self._left.pop(name, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self._wrong(name, value, "give a string")
        return value

    def maybe_text(self, name: str) -> str | None:
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, value, "give a string, or null")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._left.pop(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, value, "give true or false")
        return value

    def maybe_flag(self, name: str, default: bool) -> bool | None:
        """True, false, or null."""
        value = self._left.pop(name, default)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, value, "give true, false or null")
        return value

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number, 1 to `most`."""
        value = self._left.pop(name, default)
        if type(value) is not int or not 1 <= value <= most:
            raise self._wrong(name, value, f"give a whole number, 1 to {most:,}")
        return value

    def seconds(self, name: str, least: float) -> float | None:
        """A number of seconds, `least` or more; None if it is not given."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong(name, value, "give a number of seconds, or null")
        if not 0 <= value <= SELDOMMEST:
            raise self._wrong(name, value, f"give 0 to {SELDOMMEST:,} seconds, or null")
        return max(least, float(value))

    def fields(self, name: str) -> Fields | None:
        """A JSON object; None if it is not given."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(name, value, "give a JSON object, or null")
        return cast("Fields | None", value)

    def words(self, name: str, default: Iterable[str], known: Sequence[str]) -> frozenset[str]:
        """A list of words out of `known`."""
        value = self._left.pop(name, None)
        if value is None:
            return frozenset(default)
        words = cast("list[object]", value) if isinstance(value, list) else [None]
        if not all(isinstance(word, str) and word in known for word in words):
            raise self._wrong(name, value, f"give a list of {', '.join(known)}")
        return frozenset(cast("list[str]", words))

    def end(self) -> None:
        """That is all there may be."""
        if self._left:
            shown = plain(", ".join(sorted(self._left)), 80)
            raise Refusal("bad_argument", f"{self._verb} takes no {shown}")

    def _wrong(self, name: str, value: object, advice: str) -> Refusal:
        shown = brief(value, 60)
        return Refusal("bad_argument", f"{self._verb}: {name}={shown}: {advice}")
