"""Watchers: five opinions on one service."""

from __future__ import annotations

from collections import deque
from typing import Literal

from attrs import frozen

from choreia import Agent, on
from choreia.demos.incident.cast import JUMPY, SERVICE, speaker
from choreia.demos.incident.events import AlarmCleared, AlarmRaised, ServiceSampled

UNITS = {"latency": "ms", "errors": "errors in 1,000"}


@frozen
class Temper:
    """What a watcher looks at, and how soon it is alarmed."""

    looks_at: Literal["latency", "errors"]
    window: int
    """Samples of which it takes the mean."""
    limit: int
    """A mean above this is an alarm: milliseconds, or errors in a thousand requests."""


TEMPERS = {
    "watcher-1": Temper("latency", 3, 300),
    "watcher-2": Temper("latency", 4, 260),
    "watcher-3": Temper("errors", 3, 40),
    "watcher-4": Temper("errors", 2, 50),
    JUMPY: Temper("latency", 1, 200),
}
"""They differ, so that no single fault deceives all of them. The last takes no mean at all."""


class Watcher(Agent):
    """It judges for itself, and does not listen to what the others say."""

    emits = (AlarmRaised, AlarmCleared)

    def __init__(self, temper: Temper) -> None:
        super().__init__()
        self.temper = temper
        self.seen: deque[int] = deque(maxlen=temper.window)
        self.alarmed = False

    @on(ServiceSampled)
    def judge(self, sampled: ServiceSampled) -> None:
        if speaker(self) != SERVICE:
            return
        looks_at, limit = self.temper.looks_at, self.temper.limit
        self.seen.append(sampled.latency if looks_at == "latency" else sampled.errors)
        mean = sum(self.seen) / len(self.seen)
        was, self.alarmed = self.alarmed, mean > limit
        if self.alarmed and not was:
            reading = f"{looks_at} {mean:.0f} > {limit} {UNITS[looks_at]}"
            self.emit(AlarmRaised(sampled.service, sampled.number, reading))
        elif was and not self.alarmed:
            self.emit(AlarmCleared(sampled.service, sampled.number))
