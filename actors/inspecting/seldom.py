"""What is dear to find out is found out seldom, and remembered meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from choreia.runtime.inspection import real
from choreia.runtime.inspection.meter import BUDGET

SELDOM: Final = 1.0
"""Seconds for which it is good, at the least."""

T = TypeVar("T")


class Seldom(Generic[T]):
    """Something that is made anew at most once in `SELDOM` seconds, and more seldom if it is dear:
    it takes no more than its part of the budget."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._good_until = 0.0
        self.at = 0.0
        """When it was made (real monotonic seconds)."""

    def get(self) -> T:
        if self._made is None or real.monotonic() >= self._good_until:
            before = real.cpu()
            self._made = self._make()
            self.at = real.monotonic()
            self._good_until = self.at + max(SELDOM, (real.cpu() - before) / BUDGET)
        return self._made
