"""How long handlers take: counted in classes of durations, and only while somebody looks.

Turns look at the clock anyway, to know when they are over; what they see there is counted. So the
watched are not asked, and the unwatched pay one test a turn. A class is an eighth of an octave wide
(HdrHistogram's way, Tene 2014, with three bits), so a quantile is at most an eighth too high.
"""

from __future__ import annotations

from math import frexp, ldexp

_CLASSES = 8
"""Of each octave."""
_LEAST = 1e-9
"""Seconds; virtual time may stand still."""
Counts = dict[int, int]


class Times:
    """Durations of one agent's handlers. One thread adds; any may look.

    Two spans are kept, the present one and the one before, so that a quantile is of what was
    lately, and is there at once when a span begins.
    """

    __slots__ = ("before", "now")

    def __init__(self) -> None:
        self.now: Counts = {}
        self.before: Counts = {}

    def add(self, seconds: float, events: int) -> None:
        """So many events have taken `seconds` each."""
        now = self.now
        mantissa, exponent = frexp(max(seconds, _LEAST))
        place = exponent * _CLASSES + int((mantissa - 0.5) * 2 * _CLASSES)
        now[place] = now.get(place, 0) + events

    def next_span(self) -> None:
        """What is counted from here on is of another span."""
        self.before, self.now = self.now, {}

    def quantile(self, share: float) -> float | None:
        """Seconds that `share` of the handlers took at most; None when none was seen."""
        counts = dict(self.before)
        for place, number in dict(self.now).items():  # copied at once: its owner goes on
            counts[place] = counts.get(place, 0) + number
        left = share * sum(counts.values())
        for place in sorted(counts):
            left -= counts[place]
            if left <= 0:
                return _end_of(place)
        return None


def _end_of(place: int) -> float:
    """The longest duration of a class, in seconds."""
    exponent, part = divmod(place, _CLASSES)
    return ldexp(0.5 + (part + 1) / (2 * _CLASSES), exponent)
