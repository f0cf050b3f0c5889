"""All books of one story: what was said, and what each agent wrote down for itself."""

from __future__ import annotations

from attrs import define, field

from choreia.demos.incident.cast import FIXER, RESPONDERS
from choreia.demos.incident.chronicle import Chronicle
from choreia.demos.incident.consent import Consent
from choreia.demos.incident.faults import CAME_BACK, Fault
from choreia.demos.incident.notes import Notes
from choreia.demos.incident.service import ServiceBook
from choreia.demos.incident.trust import Trust
from choreia.demos.incident.watcher import TEMPERS


@define(eq=False)
class Books:
    """Made outside the agents and handed to them, so that they can be read when those are gone."""

    service: str
    """Its name."""
    fault: Fault
    chronicle: Chronicle
    service_book: ServiceBook = field(factory=ServiceBook)
    consents: dict[str, Consent] = field(factory=dict)
    """The gate's, by incident."""
    trust: Trust = field(factory=lambda: Trust(TEMPERS))
    """The keeper's."""

    def notes_of(self, name: str) -> Notes:
        """Empty notes for the responder of that name."""
        return Notes(name, self.service, RESPONDERS, Trust(TEMPERS))

    # -- what the chronicle says --------------------------------------------------------------

    @property
    def incidents(self) -> list[str]:
        """Those for which something was proposed."""
        proposed = self.chronicle.of("action.proposed")
        return list(dict.fromkeys(event.payload["incident"] for event in proposed))

    def ends(self, incident: str) -> list[str]:
        """How it ended: resolved, vetoed, expired. A list, because a second end must show."""
        ended = self.chronicle.of("incident.resolved", "incident.escalated")
        mine = [event.payload for event in ended if event.payload["incident"] == incident]
        return [payload.get("reason", "resolved") for payload in mine]

    def named(self, type: str) -> set[str]:
        """The agents that events of the runtime of that type are about."""
        return {event.payload["agent"] for event in self.chronicle.of(type)}

    @property
    def at_fault(self) -> set[str]:
        """Whom the supervisor has reason to suspect: who was to fail, and has come to it."""
        began = {event.source.rpartition(":")[2] for event in self.chronicle.of("action.started")}
        if self.fault is Fault.CRASH and self.incidents:
            return {FIXER}
        return began & {FIXER} if self.fault is Fault.HANG else set()

    @property
    def came_back(self) -> int:
        """Handlers that came back and were fenced."""
        return sum(line.text == CAME_BACK for line in self.chronicle.lines)

    @property
    def complete(self) -> bool:
        """Whether the story is over: every incident has ended, and everybody is well again."""
        ended = bool(self.incidents) and all(map(self.ends, self.incidents))
        failed = self.at_fault | self.named("agent.suspected_failure")
        return ended and self.named("agent.recovered") >= failed and not self.awaited

    @property
    def awaited(self) -> bool:
        """Whether an old handler still hangs, and is to come back."""
        return self.fault is Fault.HANG and len(self.at_fault) > self.came_back
