"""The runtime's own events, which a test of agents sees only when it names them."""

from __future__ import annotations

from choreia.runtime.events.event import Event
from choreia.runtime.events.topic import TopicPattern

RUNTIME_EVENTS = frozenset(
    {
        "agent.backpressure",
        "agent.failed",
        "agent.heartbeat",
        "agent.initialized",
        "agent.offline",
        "agent.online",
        "agent.paused",
        "agent.recovered",
        "agent.restarted",
        "agent.resumed",
        "agent.started",
        "agent.stopped",
        "agent.suspected_failure",
        "case.budget_exceeded",
        "event.dead_lettered",
        "join.expired",
        "saga.compensated",
        "saga.deadline",
        "saga.resumed",
        "saga.stuck",
        "system.controlled",
        "system.shutdown",
    }
)
"""Every type that the runtime announces by itself. A test compares this with the source."""

FAILURES = frozenset(
    {
        "agent.failed",
        "agent.recovered",
        "agent.restarted",
        "agent.suspected_failure",
        "case.budget_exceeded",
        "event.dead_lettered",
        "saga.stuck",
    }
)
"""Those of them that say that something went wrong, or what was done about it."""


def counts(pattern: TopicPattern, event: Event) -> bool:
    """Whether whoever writes `pattern` in a test has `event` in mind at all, whether it matches or
    not: not the runtime's own, unless the pattern's first segment names them.

    ``#`` in a test means "whatever my agents say", and not that they were started.
    """
    if event.type not in RUNTIME_EVENTS:
        return True
    return pattern.segments[0] == event.type.partition(".")[0]


def meant(pattern: TopicPattern, event: Event) -> bool:
    """Whether whoever writes `pattern` in a test means `event`, as far as its type goes."""
    return pattern.matches(event.type) and counts(pattern, event)
