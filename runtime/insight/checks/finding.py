"""What a check finds."""

from __future__ import annotations

from types import MappingProxyType

import attrs

from choreia.runtime.insight.choreography import NOWHERE, Place

CHECKS = MappingProxyType(
    {
        "C00": "an accepted finding that has expired, or is found no more",
        "C01": "emitted, and nobody reacts",
        "C02": "reacted to, and never emitted",
        "C03": "a handler that nothing can reach",
        "C04": "a handler from which no terminal event can be reached",
        "C05": "an island that feeds itself, and that nothing starts",
        "C06": "a cycle without a declared bound",
        "C07": "a join that waits for events that are never produced together",
        "C08": "a saga that cannot be undone, or waits for ever",
        "C09": "emitted payloads that do not give what a reactor requires",
        "C10": "a filter that can never match",
        "C11": "what is declared is not what is emitted",
        "C12": "an exclusive capability that two agents claim",
    }
)


@attrs.frozen(order=True)
class Finding:
    """One thing that is wrong."""

    id: str
    """See `CHECKS`."""
    agent: str
    """Its name; of several the first."""
    event: str
    """The event type, or pattern; of C12 the capability."""
    what: str
    advice: str
    """What to do."""
    place: Place = attrs.field(default=NOWHERE, order=str)
