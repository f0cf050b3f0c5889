"""The service: it tells how it is, and takes an action, once."""

from __future__ import annotations

from attrs import define, field

from choreia import Agent, on
from choreia.demos.incident.cast import RESPONDERS, speaker
from choreia.demos.incident.events import (
    ActionExecuted,
    ActionSubmitted,
    SampleDue,
    ServiceSampled,
)
from choreia.demos.incident.pulse import Pulse


@define
class ServiceBook:
    """What was done to the service."""

    executed: list[tuple[str, str]] = field(factory=list)
    """Incidents and digests; a list, because an action that was executed twice must show."""
    brought: int = 0
    """How often somebody came with an action, in time or too late."""


class Service(Agent):
    """It knows nothing of watchers and incidents. It only says what it measures."""

    emits = (SampleDue, ServiceSampled, ActionExecuted)

    def __init__(self, service: str, pulse: Pulse, book: ServiceBook, every: float) -> None:
        super().__init__()
        self.service = service
        self.pulse = pulse
        self.book = book
        self.every = every
        """Seconds between two samples."""
        self.number = 0

    def on_start(self) -> None:
        self.after(self.every, SampleDue())

    @on(SampleDue)
    def sample(self, _: SampleDue) -> None:
        if speaker(self) != self.name:
            return
        self.number += 1
        reading = self.pulse.read(self.number)
        self.emit(ServiceSampled(self.service, self.number, reading.latency, reading.errors))
        self.after(self.every, SampleDue())

    @on(ActionSubmitted)
    def take(self, submitted: ActionSubmitted) -> None:
        """The last lock on the door: two that both believe to be on duty do no harm here."""
        by = speaker(self)
        if by not in RESPONDERS:
            return
        self.book.brought += 1
        action = (submitted.incident, submitted.digest)
        if action in self.book.executed:
            return
        self.book.executed.append(action)
        self.pulse.mended = True
        self.emit(ActionExecuted(submitted.incident, submitted.digest, by))
