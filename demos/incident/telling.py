"""Events in the words of the story. All text that comes from an event goes through `plain`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from choreia import Event
from choreia.runtime.events.display import plain

LONGEST = 40
"""Characters of a name that somebody else has chosen."""
LONGEST_REASON = 80
DIGITS = 8
"""Of a digest."""

Payload = Mapping[str, Any]


def who_said(event: Event, node: str) -> str:
    """The name of an agent of `node`, or the whole source of whoever is elsewhere."""
    return plain(event.source.removeprefix(f"did:choreia:{node}:"), LONGEST)


def tell(event: Event) -> str | None:
    """What happened, in one line; None: it is of no interest to people."""
    words = _WORDS.get(event.type)
    return None if words is None else words(event.payload)


def _name(payload: Payload, key: str) -> str:
    return plain(str(payload[key]), LONGEST)


def _raised(payload: Payload) -> str:
    return f"ALARM {_name(payload, 'service')}: {_name(payload, 'reading')}"


def _cleared(payload: Payload) -> str:
    return f"all clear {_name(payload, 'service')}"


def _violated(payload: Payload) -> str:
    return f"{_name(payload, 'watcher')} has cried wolf: nobody else saw it"


def _scored(payload: Payload) -> str:
    return f"{_name(payload, 'watcher')} {payload['before']} -> {payload['score']} points"


def _proposed(payload: Payload) -> str:
    action = payload["action"]
    parameters = ", ".join(f"{key} {value}" for key, value in action["parameters"].items())
    what = f"{_name(action, 'name')} {_name(action, 'target')} ({plain(parameters, LONGEST)})"
    return f"PROPOSES {what} {_digest(payload)}, on {len(payload['alarms'])} alarms"


def _digest(payload: Payload) -> str:
    return plain(payload["digest"], DIGITS + 1)


def _approved(payload: Payload) -> str:
    return f"approves {_digest(payload)}"


def _vetoed(payload: Payload) -> str:
    return f"vetoes {_digest(payload)}"


def _let_through(payload: Payload) -> str:
    return f"clears {_digest(payload)}, approved by {_name(payload, 'approved_by')}"


def _refused(payload: Payload) -> str:
    reason = plain(payload["reason"], LONGEST_REASON)
    return f"refuses {_name(payload, 'by')}: {reason}"


def _expired(payload: Payload) -> str:
    return f"no answer in time: {_digest(payload)} expires"


def _taken(payload: Payload) -> str | None:
    other = _name(payload, "instead_of")
    return f"TAKES OVER from {other}; the approval stays valid" if other else None


def _started(payload: Payload) -> str:
    return f"at work on {_name(payload, 'incident')}"


def _executed(payload: Payload) -> str:
    return f"EXECUTED {_digest(payload)}, brought by {_name(payload, 'by')}"


def _resolved(payload: Payload) -> str:
    return f"RESOLVED {_name(payload, 'incident')}"


def _escalated(payload: Payload) -> str:
    return f"ESCALATED {_name(payload, 'incident')}, {payload['reason']}: nothing is done"


def _suspected(payload: Payload) -> str:
    handler = plain(str(payload["evidence"].get("handler", "")), LONGEST)
    where = f" in {handler}" if handler else ""
    return f"SUSPECTS {_name(payload, 'agent')}: {payload['reason']}{where}"


def _recovered(payload: Payload) -> str:
    return f"{_name(payload, 'agent')} answers again"


def _restarted(payload: Payload) -> str:
    return f"begins anew as instance {payload['incarnation']}; the old one is fenced"


_WORDS: dict[str, Callable[[Payload], str | None]] = {
    "alarm.raised": _raised,
    "alarm.cleared": _cleared,
    "violation.detected": _violated,
    "score.updated": _scored,
    "action.proposed": _proposed,
    "action.approved": _approved,
    "action.vetoed": _vetoed,
    "action.cleared": _let_through,
    "approval.refused": _refused,
    "action.expired": _expired,
    "action.taken": _taken,
    "action.started": _started,
    "action.executed": _executed,
    "incident.resolved": _resolved,
    "incident.escalated": _escalated,
    "agent.suspected_failure": _suspected,
    "agent.recovered": _recovered,
    "agent.restarted": _restarted,
}
