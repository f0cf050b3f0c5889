"""A trace as a JSON document, for programs. Nothing is cut.

``"format"`` is 1. What is added later is added beside what there is; what would change the meaning
of a field gets another number.
"""

from __future__ import annotations

import json

import orjson

from choreia.runtime.events.display import redact
from choreia.runtime.insight.naming import agent_in
from choreia.runtime.insight.story import Delivery
from choreia.runtime.insight.trace import Hop, Trace
from choreia.runtime.stores.unit import CaseRecord, SetTimer

FORMAT = 1

Fields = dict[str, object]


def json_form(trace: Trace, *, times: bool = True) -> str:
    """The document, its events in the order of the log. Secrets are masked."""
    said: Fields = {
        "format": FORMAT,
        "case": trace.case,
        "whole": trace.whole,
        "events": [_event(hop, times=times) for hop in trace.in_order],
        "timers": [_timer(one, times=times) for one in trace.timers],
        "records": [_record(one) for one in trace.records],
    }
    return dumps(said)


def dumps(said: object) -> str:
    """JSON in ASCII alone: what is shown on a terminal by mistake cannot command it."""
    return json.dumps(said, indent=2, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"


def _event(hop: Hop, *, times: bool) -> Fields:
    recorded, event = hop.recorded, hop.recorded.event
    said: Fields = {
        "number": hop.number,
        "position": recorded.position,
        "id": event.id,
        "type": event.type,
        "version": event.metadata.version,
        "source": event.source,
        "agent": agent_in(event.source),
        "depth": hop.depth,
        "cause": hop.cause,
        "further_causes": list(hop.further),
        "causes_elsewhere": list(hop.elsewhere),
        "payload": None if recorded.erased else redact(event.payload),
        "erased": recorded.erased,
        "live": recorded.live,
    }
    if times:
        said["recorded"] = recorded.at
        said["latency"] = hop.latency
    said["deliveries"] = [delivery_form(one, times=times) for one in hop.deliveries]
    return said


def delivery_form(one: Delivery, *, times: bool) -> Fields:
    said: Fields = {
        "agent": one.agent,
        "state": one.state.value,
        "over": one.state.over,
        "reason": one.reason,
        "error": one.error,
        "attempts": one.attempts,
        "passive": one.passive,
    }
    if times:
        said["since"] = one.since
    return said


def _timer(timer: SetTimer, *, times: bool) -> Fields:
    said: Fields = {
        "agent": timer.agent,
        "key": timer.key,
        "type": timer.event.type,
        "event_id": timer.event.id,
    }
    if times:
        said["due"] = timer.due
    return said


def _record(record: CaseRecord) -> Fields:
    try:
        value: object = orjson.loads(record.value)
    except orjson.JSONDecodeError:
        value = None
    return {"agent": record.agent, "name": record.name, "value": value}
