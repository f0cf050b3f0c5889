"""Cases in a list: of each a line, and those that somebody asks for."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import attrs

from choreia.runtime.errors import ChoreiaError
from choreia.runtime.insight.story import Story
from choreia.runtime.insight.verdict import Verdict, Word, judge


@attrs.frozen
class CaseSummary:
    """One case in a list of them."""

    id: str
    type: str
    """Of its first event."""
    events: int
    verdict: Verdict


def summary(story: Story, now: float | None = None) -> CaseSummary:
    """`now`: see `judge`."""
    first = story.events[0].event.type if story.events else ""
    return CaseSummary(story.correlation_id, first, len(story.events), judge(story, now))


def check(verdict: object, limit: object) -> None:
    """Raises `ChoreiaError` for what nobody can ask for."""
    if verdict is not None and verdict not in {word.value for word in Word}:
        words = ", ".join(word.value for word in Word)
        raise ChoreiaError(f"verdict={verdict!r}: choose one of {words}")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ChoreiaError(f"limit={limit!r}: give a whole number of cases, 1 or more")


def some(cases: Iterable[CaseSummary], verdict: str | None, limit: int) -> list[CaseSummary]:
    """The first `limit` with that verdict; no more is looked at than that takes."""
    wanted = (one for one in cases if verdict in (None, one.verdict.word.value))
    return list(islice(wanted, limit))
