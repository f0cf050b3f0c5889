"""How a service feels, sample by sample, drawn from a seed: the same seed, the same illness.

By number and not by time, so that the watchers see the same on a slow machine as on a fast one.
"""

from __future__ import annotations

from random import Random

from attrs import frozen

FIRST_HICCUP = (3, 4)
BETWEEN_HICCUPS = (4, 6)
"""Samples, at least and at most. Rare enough for an average to smooth them out."""
HICCUP = (380, 450)
"""Milliseconds that a request takes in a hiccup."""
FALLS_ILL = (24, 27)
"""The sample at which it degrades, at the earliest and at the latest."""
DECLINE = 3
"""Samples that it takes to be as bad as it gets."""
LONGEST = 1_000
"""Samples for which hiccups are drawn in advance."""


@frozen
class Reading:
    latency: int
    """Milliseconds."""
    errors: int
    """Of a thousand requests."""


class Pulse:
    """A service that has hiccups, degrades at some moment, and gets well when it is `mended`."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.falls_ill = self._random.randint(*FALLS_ILL)
        self.mended = False
        self._hiccups = frozenset(self._draw_hiccups())

    def _draw_hiccups(self) -> list[int]:
        at, hiccups = self._random.randint(*FIRST_HICCUP), list[int]()
        while at < LONGEST:
            hiccups.append(at)
            at += self._random.randint(*BETWEEN_HICCUPS)
        return hiccups

    def read(self, number: int) -> Reading:
        """The sample of that number. To be asked in order."""
        latency, errors = self._random.randint(100, 140), self._random.randint(0, 8)
        if number >= self.falls_ill and not self.mended:
            decline = min(number - self.falls_ill + 1, DECLINE)
            return Reading(latency + 260 * decline, errors + 40 * decline)
        if number in self._hiccups:
            return Reading(self._random.randint(*HICCUP), errors)
        return Reading(latency, errors)
