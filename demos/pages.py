"""A mapping that cannot change: a new one with an entry more shares most of it with the old.

States are frozen, and there is a new one for each event. A dict that is copied whole each time
makes a day of n orders cost n². This one keeps its latest entries apart, and copies the rest only
when those are as many as the square root of all: each change then costs about as much as that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Pages(Mapping[K, V]):
    """See the module."""

    __slots__ = ("_gone", "_kept", "_latest")

    def __init__(
        self,
        kept: dict[K, V] | None = None,
        latest: dict[K, V] | None = None,
        gone: frozenset[K] = frozenset(),
    ) -> None:
        self._kept = kept or {}
        self._latest = latest or {}
        self._gone = gone

    def put(self, key: K, value: V) -> Pages[K, V]:
        """The same with `value` under `key`."""
        return self._tidy(self._kept, {**self._latest, key: value}, self._gone - {key})

    def drop(self, key: K) -> Pages[K, V]:
        """The same without `key`."""
        latest = {other: value for other, value in self._latest.items() if other != key}
        gone = self._gone | {key} if key in self._kept else self._gone
        return self._tidy(self._kept, latest, gone)

    def _tidy(self, kept: dict[K, V], latest: dict[K, V], gone: frozenset[K]) -> Pages[K, V]:
        apart = len(latest) + len(gone)
        if apart * apart > len(kept) + 64:
            kept = {key: value for key, value in kept.items() if key not in gone} | latest
            return Pages(kept)
        return Pages(kept, latest, gone)

    def __getitem__(self, key: K) -> V:
        if key in self._latest:
            return self._latest[key]
        if key in self._gone:
            raise KeyError(key)
        return self._kept[key]

    def __iter__(self) -> Iterator[K]:
        for key in self._kept:
            if key not in self._gone and key not in self._latest:
                yield key
        yield from self._latest

    def __len__(self) -> int:
        return sum(1 for _ in self)
