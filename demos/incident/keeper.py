"""The keeper of trust: it compares what a watcher said with what the others came to see."""

from __future__ import annotations

from attrs import define

from choreia import Agent, on
from choreia.demos.incident.cast import SERVICE, speaker
from choreia.demos.incident.events import (
    AlarmCleared,
    AlarmRaised,
    ScoreUpdated,
    ServiceSampled,
    ViolationDetected,
)
from choreia.demos.incident.trust import RIGHT, WRONG, Trust, change

PATIENCE = 6
"""Samples after which an alarm is judged: the slowest watcher needs four to be of its opinion."""


@define
class Pending:
    """An alarm that has not been judged yet."""

    watcher: str
    sample: int
    shared: bool = False
    """Whether the quorum has been alarmed since."""


class Keeper(Agent):
    """Its measure is the quorum of trusted watchers. It does not look at the service itself."""

    emits = (ViolationDetected, ScoreUpdated)
    external = (ViolationDetected, ScoreUpdated)

    def __init__(self, trust: Trust) -> None:
        super().__init__()
        self.trust = trust
        self.alarmed: set[str] = set()
        self.pending: list[Pending] = []

    @on(AlarmRaised)
    def note(self, raised: AlarmRaised) -> None:
        watcher = speaker(self)
        if watcher not in self.trust.trusted:
            return
        self.alarmed.add(watcher)
        self.pending.append(Pending(watcher, raised.sample))
        if self.trust.agree(self.alarmed):
            for one in self.pending:
                one.shared = True

    @on(AlarmCleared)
    def forget(self, _: AlarmCleared) -> None:
        self.alarmed.discard(speaker(self))

    @on(ServiceSampled)
    def judge(self, sampled: ServiceSampled) -> None:
        """In samples, not in seconds: on a slow machine the others need longer, too."""
        if speaker(self) != SERVICE:
            return
        due = [one for one in self.pending if sampled.number >= one.sample + PATIENCE]
        for one in due:
            self.pending.remove(one)
            if not one.shared:
                self.emit(ViolationDetected(one.watcher, "false_alarm", one.sample))
            self._score(one.watcher, RIGHT if one.shared else WRONG)

    def _score(self, watcher: str, points: int) -> None:
        before = self.trust.scores[watcher]
        updated = ScoreUpdated(watcher, change(before, points), before)
        self.trust.hear(updated)
        self.emit(updated)
