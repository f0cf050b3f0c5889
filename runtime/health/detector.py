"""When silence becomes suspicion: a fixed timeout, or phi, which learns how regular the sender is.

Both are told of every heartbeat and asked for a deadline. They read no clock: all times are seconds
of one monotonic clock, the supervisor's own, that never goes back.

Phi is Hayashibara et al. 2004, "The φ Accrual Failure Detector" (SRDS), in the form that Akka and
Pekko gave it (an acceptable pause, a least deviation, a first estimate). If intervals between
heartbeats are normally distributed, and so much silence has a probability of p, then phi is
-log10(p): suspecting at phi 8 is wrong once in 10^8 heartbeats, as far as they are that regular.

Why the timeout is the default: in simulation (``choreia bench detectors``: 1,000 hours of a
heartbeat every second) both lie on one curve. Bursts of loss and standstills are not normally
distributed, so phi buys fewer false suspicions with later true ones, at the price of a longer
timeout: on the worst network 5.1 an hour and 3.2 s to detect a crash, where a timeout of 3.7 s
has 5.2 and 3.2 s. What phi spares is knowing the network: both set to 3 s, it is wrong 5.1 times an
hour there instead of 6.9, and 0.002 times instead of 0.18 where one heartbeat in a hundred is
lost by itself, while on a quiet host it is 0.1 s slower. The default, 90 s at intervals of 30 s,
takes 75 s to detect a crash; it was never wrong about a host that stands still for up to 10 s, and
once a week where one in a hundred is lost: two in a row are, and the third is due when time is up.
105 s, or phi, make that about once a year. Asking through peers beats both, 0.27 an hour at 2.5 s
on the worst network; Choreia does not do it.
"""

from __future__ import annotations

from collections import deque
from math import erfc, isqrt, log10, sqrt
from statistics import NormalDist
from typing import Final, Protocol

from choreia.runtime.health.heartbeat import Heartbeat

# Chosen by simulation: the worst network of `choreia bench detectors`, timeout 3 intervals.
THRESHOLD: Final = 8.0
"""The phi that is suspicion: Akka's. From 4 (5.5 false suspicions an hour, 2.9 s) to 12 (4.8, 3.3
s) it moves along the same curve that the timeout does."""
WINDOW: Final = 200
"""Intervals that are remembered: 100 minutes of 30 s, in 8 KB. With 1,000 the slowest 1 % of
detections take 4.1 s instead of 4.5 s, but a bad hour is remembered for 8; with 100, 4.9 s."""
LEAST_DEVIATION: Final = 0.02
"""Of the interval: nobody is more regular. It makes phi 0.11 intervals later than `timeout`, beyond
the jitter of the heartbeat that is due just then; Akka's 0.1 would make it half an interval."""
LOWEST_THRESHOLD: Final = 1.0
"""Below log10(2) a heartbeat would be late before it is due."""
HIGHEST_PHI: Final = 300.0
"""`erfc` is precise down to 10^-308, and 0 soon after, of which there is no logarithm."""

_MICROSECONDS: Final = 1_000_000
_STANDARD: Final = NormalDist()
_SQRT2: Final = sqrt(2)


class Detector(Protocol):
    """Doubts one sender. Not thread-safe: it belongs to the supervisor that asks it."""

    def heard(self, at: float) -> None:
        """A heartbeat arrived, not before the last one."""

    @property
    def last(self) -> float:
        """When it was heard last; before that, when the watch began."""
        ...

    def deadline(self) -> float:
        """From when on its sender is suspect, unless it is heard. Never before `last`."""
        ...

    def evidence(self, now: float) -> dict[str, float | int | str]:
        """What there is to say for a suspicion, for its event: finite numbers, in seconds."""
        ...


class TimeoutDetector:
    """Suspects whoever is silent for `timeout` seconds. Tiny: there may be a million."""

    __slots__ = ("_heartbeat", "last")

    def __init__(self, heartbeat: Heartbeat, start: float) -> None:
        self._heartbeat = heartbeat
        self.last = start

    def heard(self, at: float) -> None:
        self.last = at

    def deadline(self) -> float:
        return self.last + self._heartbeat.timeout

    def evidence(self, now: float) -> dict[str, float | int | str]:
        silence = now - self.last
        return {"detector": "timeout", "silence": silence, "timeout": self._heartbeat.timeout}


class PhiDetector:
    """Suspects whoever is silent for longer than is plausible, given how regular it has been.

    The pause that is acceptable on top of what was learnt is `timeout - interval`: then who answers
    every `interval` is suspected after about `timeout`, as by `TimeoutDetector`, and who is
    irregular after more. `least_deviation` and `pause` are seconds, the first more than 0. Raises
    ValueError for a threshold outside 1 to 300, or a window of less than two intervals.
    """

    __slots__ = (
        "_deadline",
        "_interval",
        "_intervals",
        "_least_deviation",
        "_margin",
        "_pause",
        "last",
        "threshold",
    )

    def __init__(
        self,
        heartbeat: Heartbeat,
        start: float,
        *,
        threshold: float = THRESHOLD,
        window: int = WINDOW,
        least_deviation: float | None = None,
        pause: float | None = None,
    ) -> None:
        self._interval = interval = heartbeat.interval
        self.threshold = threshold
        self._margin = margin(threshold)
        self._pause = heartbeat.timeout - interval if pause is None else pause
        self._least_deviation = (
            LEAST_DEVIATION * interval if least_deviation is None else least_deviation
        )
        self._intervals = Window(window)
        # The first estimate, as Akka makes it: a deviation of a quarter, until it is known better.
        self._intervals.add(interval * 0.75)
        self._intervals.add(interval * 1.25)
        self._expect(start)

    @property
    def mean(self) -> float:
        """Seconds between heartbeats; not less than `interval`, as nobody is asked more often.

        What is learnt can be less: of a long silence only a part is learnt, but all of the short
        intervals by which the held up heartbeats then arrive.
        """
        return max(self._intervals.mean, self._interval)

    @property
    def deviation(self) -> float:
        """Standard deviation of the intervals, in seconds."""
        return max(self._intervals.deviation, self._least_deviation)

    def heard(self, at: float) -> None:
        self._intervals.add(self._lesson(at))
        self._expect(at)

    def phi(self, now: float) -> float:
        """How implausible the silence is: 0 not at all, 1 has a probability of 10 %, 2 of 1 %."""
        late = (now - self.last - self.mean - self._pause) / self.deviation
        plausible = erfc(late / _SQRT2) / 2  # erfc, as 1 - erf would lose the tail to rounding
        return log10(1 / plausible) if plausible > 10**-HIGHEST_PHI else HIGHEST_PHI

    def deadline(self) -> float:
        return self._deadline

    def evidence(self, now: float) -> dict[str, float | int | str]:
        return {
            "detector": "phi",
            "silence": now - self.last,
            "phi": self.phi(now),
            "threshold": self.threshold,
            "mean": self.mean,
            "deviation": self.deviation,
        }

    def _lesson(self, at: float) -> float:
        """What is learnt of an interval that ends now: of a suspected one, only what was borne.

        Whole (as in Akka), an hour's silence would make it bear 24 minutes more for a whole window,
        with the defaults; like this, 22 s. Not at all, it would for ever suspect a sender that has
        become slower than the deadline. Simulated, all three lie on one curve too.
        """
        return min(at, self._deadline) - self.last

    def _expect(self, last: float) -> None:
        self.last = last
        self._deadline = last + self.mean + self._pause + self._margin * self.deviation


class Window:
    """Mean and standard deviation of the last intervals.

    The sums run along, in whole microseconds: integers stay exact for ever, where floats would
    drift, and would keep the rounding error of one huge interval after it has left.
    """

    __slots__ = ("_intervals", "_size", "_squares", "_sum")

    def __init__(self, size: int) -> None:
        if size < 2:
            raise ValueError(f"window {size!r}: one interval deviates from nothing, give 2 or more")
        self._size = size
        self._intervals: deque[int] = deque()
        self._sum = 0
        self._squares = 0

    def add(self, seconds: float) -> None:
        """Remember an interval, and forget the oldest if there are too many."""
        new = round(seconds * _MICROSECONDS)
        old = self._intervals.popleft() if len(self._intervals) == self._size else 0
        self._intervals.append(new)
        self._sum += new - old
        self._squares += new * new - old * old

    @property
    def mean(self) -> float:
        """Seconds."""
        return self._sum / (len(self._intervals) * _MICROSECONDS)

    @property
    def deviation(self) -> float:
        """Seconds; of these intervals as they are, not an estimate for more."""
        count = len(self._intervals)
        # n Σx² - (Σx)² is n² times the variance, and is exact, so never below 0.
        return isqrt(count * self._squares - self._sum**2) / (count * _MICROSECONDS)


def margin(threshold: float) -> float:
    """How many standard deviations after the mean phi reaches `threshold`.

    The inverse of phi, by the lower tail: `inv_cdf` (Wichura 1988, algorithm AS 241) is precise to
    16 digits there, where 1 - 10^-threshold would be rounded to 1.
    """
    if not LOWEST_THRESHOLD <= threshold <= HIGHEST_PHI:
        lowest, highest = f"{LOWEST_THRESHOLD:g}", f"{HIGHEST_PHI:g}"
        raise ValueError(f"threshold {threshold!r}: give a phi from {lowest} to {highest}")
    return -_STANDARD.inv_cdf(10.0**-threshold)


def detector_for(heartbeat: Heartbeat, start: float) -> Detector:
    """The detector that `heartbeat` asks for, watching from `start` on."""
    if heartbeat.detector == "phi":
        return PhiDetector(heartbeat, start)
    return TimeoutDetector(heartbeat, start)
