"""An explanation, as plain text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.events.display import brief, plain, redact
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.segments import Misfit
from choreia.runtime.insight.explain import Answer, Explanation, Fault, Miss
from choreia.runtime.insight.jsonform import FORMAT, Fields, delivery_form, dumps
from choreia.runtime.insight.naming import agent_in, speaker
from choreia.runtime.insight.wording import standing, what

WIDEST = 400
VALUE = 80
MISSED = 40
"""Agents that were not reached, and are named."""


def as_text(explanation: Explanation) -> str:
    """Lines, each ended by a line break, harmless to a terminal."""
    return "".join(f"{plain(line, WIDEST)}\n" for line in _lines(explanation))


def as_json(explanation: Explanation, *, times: bool = True) -> str:
    """A document for programs; secrets are masked, nothing is cut. ``"format"`` as in a trace."""
    recorded, event = explanation.recorded, explanation.recorded.event
    said: Fields = {
        "format": FORMAT,
        "event": {
            "position": recorded.position,
            "id": event.id,
            "type": event.type,
            "source": event.source,
            "agent": agent_in(event.source),
            "case": event.metadata.correlation_id or event.id,
            "payload": None if recorded.erased else redact(event.payload),
            "erased": recorded.erased,
            "live": recorded.live,
        },
        "matched": len(explanation.matched),
        "nearest": list(explanation.nearest),
        "subscribers": [_answer(one, times=times) for one in explanation.answers],
    }
    return dumps(said)


# -- text --------------------------------------------------------------------------------------


def _lines(explanation: Explanation) -> Iterator[str]:
    recorded, event = explanation.recorded, explanation.recorded.event
    yield f"{event.type} {what(recorded)}, from {speaker(event.source)[:80]}"
    yield f"event {event.id[:80]} in case {(event.metadata.correlation_id or event.id)[:80]}"
    if recorded.live:
        yield "news of the runtime: delivered only in the run that recorded it"
    if not explanation.matched:
        yield _nobody(explanation)
    for one in explanation.matched:
        handlers = f" ({', '.join(one.handlers)})" if one.handlers else ""
        yield f"  ✓ {one.agent}{handlers}: {_fate(one, recorded)}"
    for one in explanation.missed[:MISSED]:
        yield f"  · {one.agent}: {_reason(one)}"
    if len(explanation.missed) > MISSED:
        yield f"  … and {len(explanation.missed) - MISSED:,} more who subscribe to something else"


def _nobody(explanation: Explanation) -> str:
    if any(miss.segment is None for one in explanation.answers for miss in one.misses):
        return "nobody got it: no subscription to its type let it through"
    said = f"nobody was subscribed to it: it reached no agent, of {len(explanation.answers):,}"
    if explanation.nearest:
        said += f". What comes nearest: {', '.join(explanation.nearest)}"
    return said


def _fate(answer: Answer, recorded: Recorded) -> str:
    if answer.delivery is not None:
        return standing(answer.delivery)
    if recorded.erased:
        return "it was there; the payload was erased"
    if not answer.durable:
        return "it was there; what became of it is not known, since it has no cursor"
    return "it was there; what became of it is not known"


def _reason(answer: Answer) -> str:
    if not answer.misses:
        return "it subscribes to nothing"
    first = answer.misses[0]
    said = f"{first.pattern}: {_miss_text(first)}"
    more = len(answer.misses) - 1
    return said if not more else f"{said} (and {more} more that did not match)"


def _miss_text(miss: Miss) -> str:
    if miss.segment is not None:
        return _segment_text(miss.segment)
    if miss.fault is not None:
        return _fault_text(miss.fault)
    if miss.erased:
        return "the payload was erased, so nobody can ask its filter any more"
    return f"it has no key at {miss.key}"


def _segment_text(segment: Misfit) -> str:
    if segment.found is None:
        return f"the type ends before segment {segment.at}, {segment.wanted!r}"
    if segment.wanted is None:
        return f"the type goes on, with segment {segment.at}, {segment.found!r}"
    return f"segment {segment.at} is {segment.found!r}, not {segment.wanted!r}"


def _fault_text(fault: Fault) -> str:
    wanted = brief(fault.condition, VALUE)
    inside = f", in {' in '.join(reversed(fault.around))}" if fault.around else ""
    if fault.path.startswith("$"):
        return f"{fault.path} of {wanted} does not hold{inside}"
    found = ", ".join(brief(one, VALUE) for one in fault.found[:3]) or "nothing"
    if len(fault.found) > 3:
        found += f" and {len(fault.found) - 3} more"
    verb = "is not to be" if fault.holds else "is to be"
    return f"{fault.path[:200]} {verb} {wanted}, and is {found}{inside}"


# -- JSON --------------------------------------------------------------------------------------


def _answer(one: Answer, *, times: bool) -> Fields:
    return {
        "agent": one.agent,
        "kind": one.kind,
        "matched": one.matched,
        "handlers": list(one.handlers),
        "durable": one.durable,
        "passive": one.passive,
        "delivery": None if one.delivery is None else delivery_form(one.delivery, times=times),
        "misses": [_miss_form(miss) for miss in one.misses],
    }


def _miss_form(miss: Miss) -> Fields:
    said: Fields = {"pattern": miss.pattern, "handler": miss.handler}
    if miss.segment is not None:
        segment = miss.segment
        said["topic"] = {"segment": segment.at, "wanted": segment.wanted, "found": segment.found}
    elif miss.fault is not None:
        fault = miss.fault
        condition = fault.condition if isinstance(fault.condition, dict) else {}
        operator = fault.path if fault.path.startswith("$") else next(iter(condition), "$eq")
        said["filter"] = {
            "path": fault.path,
            "operator": operator,
            "wanted": condition.get(operator, fault.condition),
            "found": list(fault.found),
            "holds": fault.holds,
            "inside": list(fault.around),
        }
    elif miss.erased:
        said["erased"] = True
    else:
        said["key"] = miss.key
    return said
