"""The supervisor's own time: it counts only while the supervisor itself is awake.

A supervisor that was held up (the interpreter's lock, a stopped process, a suspended machine) has
seen nothing meanwhile, and those it watches may have been held up as well. It must not take its own
absence for theirs. So it lives by a clock of its own, which leaves out the time by which its looks
came too late. (Akka and Pekko keep a "scheduler drift" for the same reason, but only log it.)

Rejected: not to judge at all after a late look. On a machine that is always late, nobody would ever
be found dead.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import attrs

REMEMBERED: Final = 1_000
"""Absences; what was before all of these is taken to be as long ago as before the first."""
ON_TIME: Final = 0.010
"""Seconds by which any timer may be late."""


@attrs.frozen
class Absence:
    """One time that the supervisor was held up, in monotonic seconds."""

    begun: float
    """When it should have looked."""
    ended: float
    """When it did."""
    before: float
    """Seconds of absence before this one, all in all."""

    @property
    def after(self) -> float:
        """The same with this one."""
        return self.before + self.ended - self.begun


class Attention:
    """Maps monotonic seconds to the supervisor's own. Not thread-safe."""

    __slots__ = ("_absences", "allowance")

    def __init__(self) -> None:
        self._absences: deque[Absence] = deque(maxlen=REMEMBERED)
        self.allowance = 0.0
        """Seconds that everybody is to be given beyond the deadline: what has just held up the
        supervisor may still be holding up the others. Halved with every look that is on time."""

    def awake(self, at: float, due: float, *, excused: bool = False) -> None:
        """A look that was due at `due` takes place.

        `excused`: it had nothing to look at (virtual time was jumped over), and nobody was held up.
        """
        late = at - due
        if late <= ON_TIME:
            self.allowance /= 2
            return
        last = self._absences[-1] if self._absences else Absence(0.0, 0.0, 0.0)
        begun = max(due, last.ended)  # two looks may have been held up by the same thing
        if begun < at:
            self._absences.append(Absence(begun, at, last.after))
        if not excused:
            self.allowance = max(late, self.allowance / 2)

    def own(self, at: float) -> float:
        """`at` (now, or in the past), as the supervisor counts. It never goes back."""
        for absence in reversed(self._absences):
            if at >= absence.ended:
                return at - absence.after
            if at >= absence.begun:
                return absence.begun - absence.before
        return at - (self._absences[0].before if self._absences else 0.0)
