"""The outcome of a story as data: what ``--json`` writes."""

from __future__ import annotations

from attrs import asdict

from choreia import Event
from choreia.demos.incident.audit import Check
from choreia.demos.incident.books import Books

FORMAT = 1


def to_json(books: Books, checks: tuple[Check, ...]) -> dict[str, object]:
    """In JSON's types. Times in seconds of the story; no ids, which differ from run to run."""
    return {
        "format": FORMAT,
        "adds_up": all(check.holds for check in checks),
        "checks": [asdict(check) for check in checks],
        "service": books.service,
        "fault": books.fault.value,
        "incidents": [_incident(books, incident) for incident in books.incidents],
        "scores": dict(books.trust.scores),
        "quarantined": list(books.trust.quarantined),
        "suspected": [_suspicion(event) for event in books.chronicle.of("agent.suspected_failure")],
        "timeline": [asdict(line) for line in list(books.chronicle.lines)],
    }


def _incident(books: Books, incident: str) -> dict[str, object]:
    def about(type: str) -> list[Event]:
        said = books.chronicle.of(type)
        return [event for event in said if event.payload.get("incident") == incident]

    proposed, cleared, executed = map(
        about, ("action.proposed", "action.cleared", "action.executed")
    )
    payload = proposed[0].copy_payload()
    return {
        "id": incident,
        "action": payload["action"],
        "digest": payload["digest"],
        "alarms": payload["alarms"],
        "outcomes": books.ends(incident),
        "approved_by": [event.payload["approved_by"] for event in cleared],
        "executed_by": [event.payload["by"] for event in executed],
        "refused": [
            {key: event.payload[key] for key in ("answer", "by", "reason")}
            for event in about("approval.refused")
        ],
    }


def _suspicion(event: Event) -> dict[str, object]:
    return {"agent": event.payload["agent"], "reason": event.payload["reason"]}
