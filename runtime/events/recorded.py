"""An event as it stands in a log."""

from __future__ import annotations

import attrs

from choreia.runtime.events.event import Event, case_of

LIVE = 1
"""The runtime's own news: delivered in the run that recorded it, and in no later one."""
ERASED = 2
"""Its payload was blanked; nobody gets it any more."""
HIDDEN = 4
"""Its payload was left out for one who looks at it; no store has it so."""


# Frozen by on_setattr: frozen=True would make the constructor half as fast, and every event that
# is stored, read or delivered passes through it.
@attrs.define(weakref_slot=False, on_setattr=attrs.setters.frozen)
class Recorded:
    """An event and its place in the log. Positions count from 1, without gaps."""

    position: int
    event: Event
    at: float = 0.0
    """When it was recorded: Unix seconds, and never before the one ahead of it."""
    flags: int = 0
    """`LIVE`, `ERASED` and `HIDDEN`, or'ed."""

    @property
    def case(self) -> str:
        """The case that it belongs to. What has no correlation is a case of its own."""
        return case_of(self.event)

    @property
    def live(self) -> bool:
        return bool(self.flags & LIVE)

    @property
    def said(self) -> bool:
        """Whether its source said it, and it still says something: no state is made of the
        runtime's news of an agent, or of what was erased."""
        return not self.flags and self.event.type != "event.dead_lettered"

    @property
    def erased(self) -> bool:
        return bool(self.flags & ERASED)

    @property
    def hidden(self) -> bool:
        return bool(self.flags & HIDDEN)
