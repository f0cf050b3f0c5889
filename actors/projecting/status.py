"""How far a projection is."""

from __future__ import annotations

import attrs

MOST = 10_000
"""Events that are counted at most."""


@attrs.frozen
class ProjectionStatus:
    """A picture of a projection, taken without asking it."""

    name: str
    position: int
    """The last event of the log that is in the serving tables, or was skipped."""
    head: int
    """The log's last position. Not everything up to there is for this projection: see `lag`."""
    lag: int
    """Events for this projection that are not in the serving tables yet; counted up to 10,000,
    which means: so many or more."""
    skipped: int
    """Events of which nothing is in the serving tables, since their method raised too often. They
    are dead letters; when the method is mended, `rebuild`."""
    rebuilding: float | None
    """From 0 to 1, how far a rebuild is; None when there is none going on."""
