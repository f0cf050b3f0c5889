"""A case, and a list of cases, as JSON documents for programs. Nothing is cut.

``"format"`` as in a trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

import attrs
import orjson

from choreia.runtime.events.display import redact
from choreia.runtime.events.event import Event
from choreia.runtime.insight.jsonform import FORMAT, Fields, delivery_form, dumps
from choreia.runtime.insight.listing import CaseSummary
from choreia.runtime.insight.naming import agent_in
from choreia.runtime.insight.story import Delivery, Story
from choreia.runtime.insight.verdict import Verdict

SPENDING = "spend:"
"""What the names of records begin with that say what handling an event has cost."""


@attrs.frozen
class Spent:
    """What a case has cost, as its agents said."""

    usd: float
    calls: int


def spent(story: Story) -> Spent:
    """What agents kept of that (`Agent.spend`)."""
    amounts = [_amount(one.value) for one in story.records if one.name.startswith(SPENDING)]
    return Spent(fsum(amounts), len(amounts))


def _amount(value: bytes) -> float:
    try:
        return float(orjson.loads(value)["usd"])
    except (ValueError, KeyError, TypeError):
        return 0.0


def list_form(cases: Sequence[CaseSummary]) -> str:
    """The cases, in the order given."""
    return dumps({"format": FORMAT, "cases": [_summary(one) for one in cases]})


def _summary(one: CaseSummary) -> Fields:
    said: Fields = {"case": one.id, "type": one.type, "events": one.events}
    return said | _standing(one.verdict)


def case_form(story: Story, verdict: Verdict) -> str:
    """All of one case but its events: these are in its trace. Secrets are masked."""
    types = {recorded.event.id: recorded.event.type for recorded in story.events}
    outcome, cost = verdict.outcome, spent(story)
    said: Fields = {
        "format": FORMAT,
        "case": story.correlation_id,
        "type": story.events[0].event.type if story.events else "",
        "events": len(story.events),
        **_standing(verdict),
        "whole": verdict.whole,
        "outcome": None if outcome is None else _event(outcome),
        "steps": [attrs.asdict(one) for one in verdict.steps],
        "compensated": [
            f"{one.agent}.{one.name}" for one in verdict.steps if one.state == "compensated"
        ],
        "owed": [f"{one.agent}.{one.name}" for one in verdict.steps if one.owed],
        "waits": [attrs.asdict(one) for one in verdict.waits],
        "in_flight": [_delivery(one, types) for one in verdict.in_flight],
        "dead_letters": [_delivery(one, types) for one in verdict.dead_letters],
        "lost": [_delivery(one, types) for one in verdict.lost],
        "spent": attrs.asdict(cost),
    }
    return dumps(said)


def _standing(verdict: Verdict) -> Fields:
    return {
        "verdict": verdict.word.value,
        "over": verdict.over,
        "reason": verdict.reason,
        "began": verdict.began,
        "duration": verdict.duration,
    }


def _event(event: Event) -> Fields:
    return {
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "agent": agent_in(event.source),
        "payload": redact(event.payload),
    }


def _delivery(one: Delivery, types: dict[str, str]) -> Fields:
    said: Fields = {"event_id": one.event_id, "type": types.get(one.event_id)}
    return said | delivery_form(one, times=True) | {"stuck": one.stuck}
