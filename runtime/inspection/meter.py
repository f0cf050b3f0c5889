"""What looking costs, and how to keep it small.

The processor time of a thread that only serves whoever looks is what looking costs. However many
agents there are, it is not to be more than a hundredth of a core: when a frame is dear, the next
one is made to wait.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from choreia.runtime.inspection import real

BUDGET: Final = 0.01
"""Of a core, that streams of frames may take."""
SPAN: Final = 10.0
"""Seconds that the share is told of."""


class Meter:
    """For the one thread that serves."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque()
        self._elsewhere = 0.0
        self.seconds = 0.0
        """Of computing, so far."""

    def share(self) -> float:
        """Of a core, lately."""
        if len(self._marks) < 2:
            return 0.0
        (began, before), (ended, after) = self._marks[0], self._marks[-1]
        return (after - before) / (ended - began) if ended > began else 0.0

    def add(self, seconds: float) -> None:
        """Another thread has served, and computed for so long."""
        self._elsewhere += seconds

    def mark(self) -> None:
        """Something has been done: see what it took."""
        now, self.seconds = real.monotonic(), real.cpu() + self._elsewhere
        if self._marks and now - self._marks[-1][0] < SPAN / 100:
            return
        self._marks.append((now, self.seconds))
        while len(self._marks) > 2 and now - self._marks[0][0] > SPAN:
            self._marks.popleft()


def pause_after(cost: float, every: float) -> float:
    """Seconds until the next piece of a stream that is wanted `every` so many, when one takes
    `cost` seconds of computing."""
    return max(every, cost / BUDGET)
