"""What is shown: a frame, with those before it that rates and histories are read off."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from choreia.console.model.frame import Frame
from choreia.runtime.inspection.reading import Fields, number_of


@attrs.frozen(eq=False)
class Moment:
    """A frame in its place."""

    frame: Frame
    before: Frame | None = None
    """The one that rates are counted from: a second or more earlier, if there is one."""
    earlier: Sequence[Frame] = ()
    """Those just before it, the oldest first, itself the last."""

    @property
    def seconds(self) -> float:
        """What rates are over; 0: there are none."""
        return 0.0 if self.before is None else max(0.0, self.frame.at - self.before.at)

    def total(self, counter: str) -> float | None:
        """Of a counter of the whole system: how much a second."""
        before = None if self.before is None else self.before.system
        return rate_of(counter, self.frame.system, before, self.seconds)

    def pressures(self, agent: str) -> list[float]:
        """How full its mailbox was, in the frames up to this one."""
        known = (frame.pressure(agent) for frame in self.earlier)
        return [one for one in known if one is not None]


def rate_of(counter: str, now: Fields, before: Fields | None, seconds: float) -> float | None:
    """How much a counter grew a second. One that is smaller than before began again at 0."""
    value = number_of(now, counter)
    former = None if before is None else number_of(before, counter)
    if value is None or former is None or seconds <= 0:
        return None
    return max(0.0, value - former if value >= former else value) / seconds
