"""The pending flag of a semantic lock: a value for states.

A saga's steps are seen by others before it has ended. The countermeasure (Frank and Zahle 1998,
"Semantic ACID properties in multidatabases") is to say so: what a case has in hand is marked as
pending, with whose it is, and until when, so that nothing stays marked for ever.
"""

from __future__ import annotations

from math import inf, isfinite

import attrs

from choreia.runtime.errors import InvalidAgent


@attrs.frozen
class Lock:
    """Whether something is pending, and for whom. Frozen: each method gives another lock.

    >>> lock = Lock().take("case-1", now=100, seconds=30)
    >>> lock.held(120), lock.held(130), lock.free_for("case-1", 120), lock.free_for("case-2", 120)
    (True, False, True, False)
    """

    owner: str | None = None
    """The correlation id of the case that has it."""
    until: float = inf
    """When it is free again by itself: Unix seconds."""

    def held(self, now: float) -> bool:
        """Whether somebody has it."""
        return self.owner is not None and now < self.until

    def free_for(self, owner: str, now: float) -> bool:
        """Whether `owner` may take it: nobody has it, or `owner` itself."""
        return self.owner == owner or not self.held(now)

    def take(self, owner: str, now: float, seconds: float = inf) -> Lock:
        """The lock, taken by `owner`, who may have it already. Raises `InvalidAgent` when somebody
        else has it: ask `free_for` first."""
        if not isinstance(owner, str) or not owner:
            raise InvalidAgent(f"Lock.take({owner!r}): give the correlation id of the case")
        numbers = isinstance(now, (int, float)) and isinstance(seconds, (int, float))
        if not numbers or not seconds > 0 or not isfinite(now):
            raise InvalidAgent(
                f"Lock.take(now={now!r}, seconds={seconds!r}): give a time, and more than 0"
            )
        if not self.free_for(owner, now):
            raise InvalidAgent(
                f"Lock.take({owner!r}): case {self.owner!r} has it; ask free_for first"
            )
        return Lock(owner, now + seconds)

    def release(self, owner: str) -> Lock:
        """The lock, free; unless it is somebody else's by now: then as it is."""
        return Lock() if owner == self.owner else self
