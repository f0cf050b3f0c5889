"""The chronicle: what was said, in the order in which it was heard here, for reading and auditing.

It only looks on. What an agent can no longer say, because it is fenced, is put in by `remark`.
"""

from __future__ import annotations

from attrs import define, field, frozen

from choreia import ActorSystem, Agent, Event
from choreia.demos.incident.cast import KEEPER
from choreia.demos.incident.events import ScoreUpdated
from choreia.demos.incident.telling import tell, who_said
from choreia.demos.incident.trust import Trust
from choreia.demos.incident.watcher import TEMPERS

BACKLOG = 100_000
UNTOLD = frozenset({"agent.heartbeat", "service.sampled", "sample.due"})
"""There are too many of these, and the agents' own books say what came of them."""


@frozen
class Line:
    """One line of the story, fit for a terminal."""

    time: float
    """Seconds of the story."""
    who: str
    type: str
    text: str


@define(eq=False)
class Chronicle:
    """Written by its subscription's turns, and read by whoever watches."""

    began: float
    """Unix seconds."""
    node: str
    pace: float = 1.0
    """Seconds that a second of the story takes."""
    events: list[Event] = field(factory=list)
    lines: list[Line] = field(factory=list)
    trust: Trust = field(factory=lambda: Trust(TEMPERS))
    """As whoever listens works it out; see `trust`."""

    def follow(self, system: ActorSystem) -> None:
        """Write down what is said in `system` from now on."""
        system.subscribe("#", self._hear, name="chronicle", mailbox=BACKLOG, passive=True)

    def of(self, *types: str) -> list[Event]:
        """What was heard of these types, in order."""
        return [event for event in list(self.events) if event.type in types]

    def remark(self, agent: Agent, text: str) -> None:
        """Add a line for an agent that has no voice any more."""
        self._write(agent.clock.now(), agent.name, "remark", text)

    def _hear(self, event: Event) -> None:
        if event.type in UNTOLD:
            return
        self.events.append(event)
        text = tell(event)
        if text is not None:
            who = who_said(event, self.node)
            self._write(event.timestamp, who, event.type, text + self._aside(event, who))

    def _aside(self, event: Event, who: str) -> str:
        """What follows for a listener, and nobody says."""
        if event.type == "alarm.raised" and who in self.trust.quarantined:
            return " (does not count)"
        if event.type != "score.updated" or who != KEEPER:
            return ""
        before = len(self.trust.quarantined)
        self.trust.hear(ScoreUpdated(**event.copy_payload()))
        return ": QUARANTINED" if len(self.trust.quarantined) > before else ""

    def _write(self, at: float, who: str, type: str, text: str) -> None:
        # Virtual time is a sum of floats: a hundredth of a second is as much as anybody can see.
        self.lines.append(Line(round((at - self.began) / self.pace, 2), who, type, text))
