"""One comparison: the same work, written for Choreia and for a peer."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen
class Side:
    """A library and its version of the work: ``module:function``, which takes a count.

    The function gets the number of units to do and returns a `Sample`. It is named, not
    imported, because only a child process may load the library it measures.
    """

    library: str
    function: str


@frozen
class Workload:
    """What is measured, how much of it, and what should come out.

    `reach` is the ratio Choreia / peer to reach, None where the number is only reported;
    `ceilings` bounds further findings of Choreia's side (see `sample.EXTRAS`). `warm_up` runs
    a tenth of the work first, unmeasured; it is off where memory is measured, which reused
    heap would make look smaller. `rounds` overrides the number of repetitions, and `optional`
    workloads run only when asked for.
    """

    name: str
    title: str
    unit: str
    count: int
    short_count: int
    choreia: Side
    peer: Side | None = None
    reach: float | None = None
    ceilings: Mapping[str, float] = field(factory=dict[str, float])
    warm_up: bool = True
    rounds: int | None = None
    optional: bool = False

    @property
    def sides(self) -> tuple[Side, ...]:
        """Choreia first, then the peer it is measured against, if any."""
        return (self.choreia,) if self.peer is None else (self.choreia, self.peer)
