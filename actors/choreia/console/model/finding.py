"""Something that is wrong, or was: a suspicion, a dead letter, an agent that began anew."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import attrs

from choreia.console.model.wording import counted
from choreia.runtime.inspection.reading import (
    Fields,
    count_of,
    flag_of,
    number_of,
    part_of,
    rows_of,
    text_of,
)


class Kind(StrEnum):
    """What it is."""

    SUSPECTED = "suspected"
    LETTER = "dead letter"
    RESTARTED = "restarted"


@attrs.frozen(eq=False)
class Finding:
    """One of them."""

    kind: Kind
    agent: str
    reason: str
    type: str = ""
    """Of the event that could not be handled."""
    event: str = ""
    """Its id."""
    stack: str = ""
    """Where the agent is, or was when it failed."""
    redeliverable: bool = False
    time: float | None = None
    """When it was (Unix seconds)."""
    seconds: float | None = None
    """For how long it has been so."""

    @property
    def key(self) -> str:
        return f"{self.kind} {self.agent} {self.event} {self.time}"

    @property
    def text(self) -> str:
        return f"{self.kind} {self.agent} {self.type} {self.reason} {self.event}"


def findings(said: Fields) -> list[Finding]:
    """Those of a frame: what is wrong now, then what could not be handled, then who began anew."""
    return list(_findings(part_of(said, "health")))


def _findings(health: Fields) -> Iterator[Finding]:
    for one in rows_of(health, "suspicions"):
        handler = text_of(one, "handler")
        yield Finding(
            Kind.SUSPECTED,
            text_of(one, "agent"),
            text_of(one, "reason", "suspected") + (f" in {handler}" if handler else ""),
            stack=text_of(one, "stack"),
            seconds=number_of(one, "seconds"),
        )
    yield from map(letter, rows_of(health, "dead_letters"))
    for one in rows_of(health, "restarts"):
        times = max(0, count_of(one, "incarnation") - 1)
        yield Finding(Kind.RESTARTED, text_of(one, "agent"), f"began anew {counted(times, 'time')}")


def letter(said: Fields) -> Finding:
    """A dead letter, as the system tells of it."""
    error, attempts = text_of(said, "error"), count_of(said, "attempts")
    reason = text_of(said, "reason") + (f": {error}" if error else "")
    return Finding(
        Kind.LETTER,
        text_of(said, "agent"),
        reason + (f" ({counted(attempts, 'attempt')})" if attempts else ""),
        text_of(said, "type"),
        text_of(said, "event"),
        text_of(said, "traceback"),
        flag_of(said, "redeliverable"),
        number_of(said, "time"),
    )
