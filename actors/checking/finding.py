"""What a check finds, and what is to be done about it."""

from __future__ import annotations

import attrs


@attrs.frozen
class Finding:
    """One thing that the new code could not read, or that nobody would take care of any more.

    ``V01`` an upcaster is missing, ``V02`` a newer major version than the code knows, ``V03`` a
    payload that does not structure, ``V04`` a timer nobody handles, ``V05`` a snapshot of an older
    state, ``V06`` an agent that is not spawned any more, ``V07`` a state that cannot be folded,
    ``V08`` a dead letter that its agent does not handle any more.
    """

    id: str
    what: str
    advice: str
    """What to do."""
    type: str = ""
    """Of the events in question."""
    version: str = ""
    agent: str = ""
    count: int = 1
    """How many there are."""
    position: int = 0
    """The first in the log; 0 when it is not about the log."""
    warning: bool = False
    """Whether it may well be meant so."""


@attrs.frozen
class Report:
    """What `check` found."""

    events: int
    """Recorded events, of declared types, that were looked at."""
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether there is nothing but warnings."""
        return all(finding.warning for finding in self.findings)
