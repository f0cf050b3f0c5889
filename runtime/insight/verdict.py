"""How a case stands: a verdict that needs no time-out, since it is known what is in flight.

`judge` is a function of a `Story` and the time, and of nothing else. In this order:

- something is in flight: ``running``; or ``stuck``, when none of it can go on by itself
  (its agent hangs, is paused, or nobody runs it);
- an agent owes a compensation that it could not make: ``stuck``;
- something is still to come, from a timer or from outside, and somebody waits for it: ``waiting``;
- the steps of a saga that were done are undone: ``compensated``;
- an event came that some agent declares `terminal`: ``completed``;
- else nothing more can come, and the case has reached no end: ``died``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import attrs
import orjson

from choreia.runtime.events.event import Event
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.insight.story import Delivery, State, Story
from choreia.runtime.stores.unit import CaseRecord

PATIENCE = 60.0
"""Seconds for which something may be on its way to an agent that nobody can be asked about."""


class Word(StrEnum):
    """See the module."""

    RUNNING = "running"
    WAITING = "waiting"
    STUCK = "stuck"
    COMPLETED = "completed"
    COMPENSATED = "compensated"
    DIED = "died"

    @property
    def over(self) -> bool:
        """Whether nothing more comes of the case by itself."""
        return self in _OVER


_OVER = frozenset({Word.COMPLETED, Word.COMPENSATED, Word.DIED})


@attrs.frozen
class Wait:
    """Something that a case waits for."""

    what: str
    """The type of the event that will come, or the pattern of those that may."""
    agent: str
    """Who waits, or will say it."""
    until: float | None = None
    """Unix seconds; None: for as long as it takes."""


@attrs.frozen
class Step:
    """A step of a saga, as its agent has it."""

    agent: str
    name: str
    state: str
    """``doing``, ``done``, ``compensated``, ``tombstoned`` or ``failed``."""
    pivot: bool = False
    compensates: bool = False
    """Whether it can be undone."""
    owed: bool = False
    """Whether it should have been undone, and could not be."""


@attrs.frozen
class Verdict:
    """How a case stands."""

    word: Word
    reason: str
    """One line, for people."""
    outcome: Event | None = None
    """The last event of a terminal type."""
    in_flight: tuple[Delivery, ...] = ()
    waits: tuple[Wait, ...] = ()
    """The first to end comes first."""
    steps: tuple[Step, ...] = ()
    dead_letters: tuple[Delivery, ...] = ()
    lost: tuple[Delivery, ...] = ()
    """What an agent was to have, and never got: dropped by a mailbox's policy, or lost."""
    began: float | None = None
    """Unix seconds, when its first event was recorded."""
    duration: float = 0.0
    """Seconds from its first event to its last."""
    whole: bool = True
    """Whether all of it is still known."""

    @property
    def over(self) -> bool:
        """Whether nothing more comes of the case by itself."""
        return self.word.over


def judge(story: Story, now: float | None = None) -> Verdict:
    """How the case of `story` stands. `now` (Unix seconds) is given where nobody can be asked
    whether an agent goes on: then what is on its way for more than `PATIENCE` is stuck."""
    held = [one for one in story.deliveries if not one.passive]
    flying = tuple(_aged(one, now) for one in held if not one.state.over)
    steps = tuple(_steps(story.records))
    waits = tuple(sorted(_waits(story), key=lambda wait: (wait.until is None, wait.until or 0.0)))
    outcome = _outcome(story)
    word, reason = _word(flying, steps, waits, outcome, held)
    if word is Word.DIED and not story.whole:
        reason += "; what came before is not known any more"
    times = [recorded.at for recorded in story.events]
    return Verdict(
        word,
        reason,
        outcome,
        flying,
        waits,
        steps,
        tuple(one for one in held if one.state is State.DEAD),
        tuple(one for one in held if one.state in (State.LOST, State.DROPPED)),
        times[0] if times else None,
        times[-1] - times[0] if times else 0.0,
        story.whole,
    )


def _word(
    flying: Sequence[Delivery],
    steps: Sequence[Step],
    waits: Sequence[Wait],
    outcome: Event | None,
    held: Sequence[Delivery],
) -> tuple[Word, str]:
    stuck = [one for one in flying if one.stuck]
    owed = [step for step in steps if step.owed]
    if flying and len(stuck) < len(flying):
        first = next(one for one in flying if not one.stuck)
        more = f", and {len(flying) - 1} more" if len(flying) > 1 else ""
        return Word.RUNNING, f"in flight: {_on_its_way(first)}{more}"
    if stuck:
        return Word.STUCK, f"{_on_its_way(stuck[0])}: {stuck[0].stuck}"
    if owed:
        names = ", ".join(f"{step.agent}.{step.name}" for step in owed)
        return Word.STUCK, f"a compensation is owed: {names}"
    if waits:
        return Word.WAITING, _awaited(waits)
    if any(step.state == "compensated" for step in steps) and not _passed_pivot(steps):
        return Word.COMPENSATED, _undone(steps)
    if outcome is not None:
        return Word.COMPLETED, f"ended with {outcome.type}"
    return Word.DIED, _cause_of_death(held)


def _on_its_way(one: Delivery) -> str:
    if not one.agent:
        return "something that cannot be found just now"
    return f"event {one.event_id} at {one.agent} ({one.state.value.replace('_', ' ')})"


def _awaited(waits: Sequence[Wait]) -> str:
    first = waits[0]
    more = f", and {len(waits) - 1} more" if len(waits) > 1 else ""
    return f"{first.agent} waits for {first.what}{more}"


def _undone(steps: Sequence[Step]) -> str:
    undone = ", ".join(f"{s.agent}.{s.name}" for s in steps if s.state == "compensated")
    return f"undone: {undone}"


def _cause_of_death(held: Sequence[Delivery]) -> str:
    dead = [one for one in held if one.state is State.DEAD]
    lost = [one for one in held if one.state in (State.LOST, State.DROPPED)]
    if lost:
        return f"event {lost[0].event_id} was {lost[0].state.value} on its way to {lost[0].agent}"
    if dead:
        return f"event {dead[0].event_id} is a dead letter of {dead[0].agent} ({dead[0].reason})"
    return "nothing is in flight, and no event of a terminal type came"


def _passed_pivot(steps: Sequence[Step]) -> bool:
    return any(step.pivot and step.state == "done" for step in steps)


def _aged(one: Delivery, now: float | None) -> Delivery:
    if now is None or one.since is None or one.stuck or now - one.since <= PATIENCE:
        return one
    return attrs.evolve(one, stuck=f"for {now - one.since:,.0f} s")


def _outcome(story: Story) -> Event | None:
    declared = dict.fromkeys(name for one in story.interests for name in one.terminal)
    patterns = [TopicPattern(name) for name in declared]
    for recorded in reversed(story.events):
        if any(pattern.matches(recorded.event.type) for pattern in patterns):
            return recorded.event
    return story.outcome


# -- what agents keep about the case ---------------------------------------------------------------


def _steps(records: Sequence[CaseRecord]) -> Iterator[Step]:
    for record in records:
        kind, _, name = record.name.partition(":")
        if kind == "step":
            kept = _value(record)
            yield Step(
                record.agent,
                name,
                str(kept.get("state", "")),
                kept.get("kind") == "pivot",
                bool(kept.get("compensates")),
                bool(kept.get("owed")),
            )


def _waits(story: Story) -> Iterator[Wait]:
    for timer in story.timers:
        yield Wait(timer.event.type, timer.agent, timer.due)
    timed = {timer.agent for timer in story.timers}
    for record in story.records:
        kind = record.name.partition(":")[0]
        kept = _value(record)
        doing = kind == "step" and kept.get("state") == "doing"
        if kind == "awaits" or (doing and kept.get("awaits")):
            yield from _answers(story, record.agent, kept)
        elif kind == "join" and kept.get("missing") and record.agent not in timed:
            for topic in kept["missing"]:
                yield Wait(str(topic), record.agent, kept.get("until"))


def _answers(story: Story, agent: str, kept: Mapping[str, Any]) -> Iterator[Wait]:
    """What an agent waits for from outside, as far as it has not come since."""
    since = str(kept.get("event", ""))
    ids = [recorded.event.id for recorded in story.events]
    later = story.events[ids.index(since) + 1 :] if since in ids else story.events
    topics = [str(topic) for topic in kept.get("awaits", ())]
    patterns = [TopicPattern(topic) for topic in topics]
    if topics and not any(p.matches(one.event.type) for one in later for p in patterns):
        yield Wait(" or ".join(topics), agent, kept.get("until"))


def _value(record: CaseRecord) -> dict[str, Any]:
    try:
        kept = orjson.loads(record.value)
    except orjson.JSONDecodeError:
        return {}
    return kept if isinstance(kept, dict) else {}
