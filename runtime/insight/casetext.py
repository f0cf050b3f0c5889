"""How a case stands, as lines of plain text, harmless to a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from choreia.runtime.events.display import brief, plain, stamp
from choreia.runtime.insight.caseform import spent
from choreia.runtime.insight.naming import speaker
from choreia.runtime.insight.story import Delivery, Story
from choreia.runtime.insight.verdict import Step, Verdict, Wait
from choreia.runtime.insight.wording import duration, standing

WIDEST = 400
MOST = 40
"""Lines of one kind."""

Line = tuple[str, str]
"""What it is about, and what it says."""


def as_text(told: Story, verdict: Verdict, now: float) -> str:
    """The lines, each ended by a line break. `now`, in Unix seconds, is when somebody looks."""
    title = f"case {told.correlation_id[:80]}: {verdict.word}, {verdict.reason}"
    lines = [title, *(f"{about:<11}{said}" for about, said in _lines(told, verdict, now))]
    return "".join(f"{plain(line, WIDEST)}\n" for line in lines)


def _lines(told: Story, verdict: Verdict, now: float) -> Iterator[Line]:
    if verdict.began is not None:
        yield "began", _began(told, verdict)
    if not verdict.whole:
        yield "", "what came before is not known any more"
    if verdict.outcome is not None:
        outcome = verdict.outcome
        who = speaker(outcome.source)[:80]
        yield "outcome", f"{outcome.type} {brief(outcome.payload, 100)}, from {who}"
    yield from _some("step", (_step(one, verdict) for one in verdict.steps), len(verdict.steps))
    yield from _some("waits for", (_wait(one) for one in verdict.waits), len(verdict.waits))
    types = {recorded.event.id: recorded.event.type for recorded in told.events}
    for about, deliveries in (
        ("in flight", verdict.in_flight),
        ("dead", verdict.dead_letters),
        ("lost", verdict.lost),
    ):
        said = (_delivery(one, types, now) for one in deliveries)
        yield from _some(about, said, len(deliveries))
    cost = spent(told)
    if cost.calls:
        yield "spent", f"{cost.usd:,.6g} USD, in {_count(cost.calls, 'call')}"


def _some(about: str, said: Iterable[str], count: int) -> Iterator[Line]:
    for one in islice(said, MOST):
        yield about, one
    if count > MOST:
        yield "", f"… and {count - MOST:,} more"


def _began(told: Story, verdict: Verdict) -> str:
    first, count = told.events[0].event, len(told.events)
    took = f" in {duration(verdict.duration)}" if count > 1 else ""
    began = stamp(verdict.began or 0.0)
    return f"{began} with {first.type}, {_count(count, 'event')}{took}"


def _step(step: Step, verdict: Verdict) -> str:
    said = f"{step.agent}.{step.name}: {step.state}{' (pivot)' if step.pivot else ''}"
    if step.owed:
        said += ", its compensation is owed"
    elif step.state == "done" and step.compensates and not verdict.over:
        said += ", and can be undone"
    return said


def _wait(wait: Wait) -> str:
    until = "as long as it takes" if wait.until is None else f"until {stamp(wait.until)}"
    return f"{wait.what}, at {wait.agent}, {until}"


def _delivery(one: Delivery, types: dict[str, str], now: float) -> str:
    event = f"{types.get(one.event_id, 'event')[:80]} {one.event_id[:40]}"
    said = f"{event} at {one.agent[:80]}: {standing(one)}"
    if not one.state.over and one.since is not None:
        said += f", for {duration(max(0.0, now - one.since))}"
    return said


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
