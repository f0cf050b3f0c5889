"""What is said, and by whom. This is all that the agents know of each other.

None of these names its speaker where that matters: see `cast.speaker`.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from choreia import event_type
from choreia.demos.incident.action import Action

# -- the service, and who watches it ------------------------------------------------------


@event_type("sample.due")
@frozen
class SampleDue:
    """The service reminds itself to take its pulse."""


@event_type("service.sampled")
@frozen
class ServiceSampled:
    """The service tells how it is. `number` counts up from 1."""

    service: str
    number: int
    latency: int
    """Milliseconds."""
    errors: int
    """Of a thousand requests."""


@event_type("alarm.raised")
@frozen
class AlarmRaised:
    """A watcher holds that the service is unwell, since the sample of that number."""

    service: str
    sample: int
    reading: str
    """What it saw, in words."""


@event_type("alarm.cleared")
@frozen
class AlarmCleared:
    """The same watcher holds that it is well again."""

    service: str
    sample: int


# -- trust --------------------------------------------------------------------------------


@event_type("violation.detected")
@frozen
class ViolationDetected:
    """The keeper says that a watcher has broken a rule: it raised an alarm, and stayed alone."""

    watcher: str
    rule: Literal["false_alarm"]
    sample: int


@event_type("score.updated")
@frozen
class ScoreUpdated:
    """The keeper trusts a watcher more, or less. What follows from it, `trust` says."""

    watcher: str
    score: int
    """Points, 0 to 100."""
    before: int


# -- a proposal, and the answers of people ------------------------------------------------


@event_type("action.proposed")
@frozen
class ActionProposed:
    """The responder on duty asks for leave to act."""

    incident: str
    action: Action
    digest: str
    deadline: float
    """Unix seconds: with no answer by then, the answer is no."""
    alarms: tuple[str, ...]
    """The watchers on whose alarms it rests."""


@event_type("action.approved")
@frozen
class ActionApproved:
    """From outside: somebody agrees to the action of that digest, and to no other."""

    incident: str
    digest: str


@event_type("action.vetoed")
@frozen
class ActionVetoed:
    """From outside: somebody forbids it."""

    incident: str
    digest: str


@event_type("deadline.passed")
@frozen
class DeadlinePassed:
    """The gate reminds itself that a proposal has waited long enough."""

    incident: str


@event_type("action.cleared")
@frozen
class ActionCleared:
    """The gate says that a person has approved it, in time: whoever is on duty may act."""

    incident: str
    digest: str
    approved_by: str


@event_type("approval.refused")
@frozen
class ApprovalRefused:
    """The gate says that an answer, yes or no, does not count, and why."""

    incident: str
    answer: Literal["approval", "veto"]
    by: str
    reason: str


@event_type("action.expired")
@frozen
class ActionExpired:
    """The gate says that nobody has answered in time."""

    incident: str
    digest: str


# -- acting -------------------------------------------------------------------------------


@event_type("action.taken")
@frozen
class ActionTaken:
    """A responder means to do it, if it may still be done when its mailbox comes to this."""

    incident: str
    instead_of: str
    """Who had it before, and is suspected; "" for nobody."""


@event_type("action.started")
@frozen
class ActionStarted:
    """A responder is at work."""

    incident: str


@event_type("action.submitted")
@frozen
class ActionSubmitted:
    """A responder has done its part: now it is for the service to take the action."""

    incident: str
    digest: str


@event_type("action.executed")
@frozen
class ActionExecuted:
    """The service has taken the action: once for an incident, whoever brings it, and how often."""

    incident: str
    digest: str
    by: str


# -- how an incident ends -----------------------------------------------------------------


@event_type("incident.resolved")
@frozen
class IncidentResolved:
    """Who brought the action hears no trusted alarm any more."""

    incident: str


@event_type("incident.escalated")
@frozen
class IncidentEscalated:
    """The gate says that nothing was done: from here on it is a matter for people."""

    incident: str
    reason: Literal["vetoed", "expired"]
