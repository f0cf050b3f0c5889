"""The mark that `@applies` leaves on a method, and what it says."""

from __future__ import annotations

import attrs

from choreia.runtime.events.topic import TopicPattern

MARK = "__choreia_applies__"


@attrs.frozen
class AppliedTopic:
    """One `@applies(…)`."""

    pattern: TopicPattern
    payload_class: type | None


def topics_of(method: object) -> list[str]:
    """The patterns of a method, as text."""
    marked: tuple[AppliedTopic, ...] = getattr(method, MARK, ())
    return [one.pattern.pattern for one in marked]
