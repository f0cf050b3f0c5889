"""Trust: which watchers count, as everybody who hears the keeper works it out alone.

Quarantine is not announced. It follows from ``score.updated`` by the rule below, and since all
scores come from one agent, everybody hears them in the same order and comes to the same result.
"""

from __future__ import annotations

from collections.abc import Iterable

from choreia.demos.incident.events import ScoreUpdated

START = 80
"""Points that a watcher begins with, of 100."""
RIGHT = 5
"""Points for an alarm that the quorum shared."""
WRONG = -15
"""Points for one that nobody else could see a reason for."""
LEAST = 50
"""Who has fewer is quarantined."""
QUORUM = 3
"""Trusted watchers that make an incident."""


def change(score: int, points: int) -> int:
    """`score` with so many points more, or less, within 0 to 100."""
    return max(0, min(100, score + points))


class Trust:
    """The scores of the watchers, and who of them is quarantined: for good, until a person looks.

    Nobody is quarantined when that would leave fewer than the quorum: an incident could then never
    be seen again, and a watcher that cries wolf is better than none that may cry.
    """

    def __init__(self, watchers: Iterable[str], quorum: int = QUORUM) -> None:
        self.quorum = quorum
        self.scores = dict.fromkeys(watchers, START)
        self.quarantined: list[str] = []

    @property
    def trusted(self) -> list[str]:
        """Whose alarms count."""
        return [name for name in self.scores if name not in self.quarantined]

    def hear(self, updated: ScoreUpdated) -> None:
        name = updated.watcher
        if name not in self.scores:
            return
        self.scores[name] = updated.score
        spare = len(self.trusted) > self.quorum
        if updated.score < LEAST and spare and name not in self.quarantined:
            self.quarantined.append(name)

    def counted(self, alarmed: Iterable[str]) -> tuple[str, ...]:
        """Those of `alarmed` whose alarms count, in the order of their names."""
        return tuple(sorted(set(alarmed) & set(self.trusted)))

    def agree(self, alarmed: Iterable[str]) -> bool:
        """Whether enough of those that count are alarmed."""
        return len(self.counted(alarmed)) >= self.quorum
