"""What the runtime's phi could have been: other lessons from an interval that was suspected."""

from __future__ import annotations

from choreia.runtime.health.detector import PhiDetector
from choreia.runtime.health.heartbeat import Heartbeat


class LearnsAll(PhiDetector):
    """Learns every interval whole, as Pekko does."""

    def _lesson(self, at: float) -> float:
        return at - self.last


class LearnsNone(PhiDetector):
    """Learns nothing from a suspected interval."""

    def heard(self, at: float) -> None:
        if at > self.deadline():
            self._expect(at)
        else:
            super().heard(at)


def pekko(heartbeat: Heartbeat, start: float) -> PhiDetector:
    """The defaults of Pekko's cluster, and of Akka's (`failure-detector` in its reference.conf).

    Its mean has no least value, which makes no difference unless heartbeats come early, and its
    formula for phi, an approximation, calls 8 what is 5.2 deviations late, not 5.6.
    """
    return LearnsAll(heartbeat, start, threshold=8, window=1000, least_deviation=0.1, pause=3)
