"""Why an event reached whom it reached, and why not the others.

Every subscription that was there when it was recorded is asked, by the patterns and filters that
select events, so the answer cannot be another than theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import attrs

from choreia.runtime.errors import InvalidFormat, UnknownCase
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event
from choreia.runtime.events.payload import Json
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.segments import Misfit, misfit
from choreia.runtime.insight.masking import masked
from choreia.runtime.insight.matching import Ear, Listener, Listeners
from choreia.runtime.insight.naming import family
from choreia.runtime.insight.story import Delivery, Story

NEAREST = 3


@attrs.frozen
class Fault:
    """The condition of a filter that decided, and the values it was asked about, secrets masked."""

    path: str
    condition: Json
    """The operator with what it wants, such as ``{"$gte": 100}``."""
    found: tuple[Json, ...]
    holds: bool
    """Whether it holds, inside a negation, and should not."""
    around: tuple[str, ...]
    """The compound operators that it stands in, the outermost first."""


@attrs.frozen
class Miss:
    """Why one subscription did not select the event: one of the four."""

    pattern: str
    handler: str
    segment: Misfit | None = None
    """The type's segment that the pattern does not select."""
    fault: Fault | None = None
    key: str | None = None
    """Where the event has no key, and the agent wants one."""
    erased: bool = False
    """Nobody can tell any more: the payload was erased, and the filter asks for it."""


@attrs.frozen
class Answer:
    """What became of an event at one agent."""

    agent: str
    kind: str
    """``agent``, ``subscription``; ``told`` for one that did not subscribe to it."""
    matched: bool
    handlers: tuple[str, ...] = ()
    """Those that selected it."""
    delivery: Delivery | None = None
    """None where nothing is known of it, too."""
    durable: bool = True
    passive: bool = False
    misses: tuple[Miss, ...] = ()
    """When nothing matched: each subscription, the nearest first."""


@attrs.frozen(eq=False)
class Explanation:
    """What became of one event. See the module."""

    recorded: Recorded
    answers: tuple[Answer, ...]
    """Of those who got it, in order; then of the others, the nearest first."""
    nearest: tuple[str, ...] = ()
    """When nobody was subscribed to its type: the patterns that look most like it."""

    def show(self, format: str = "text") -> str:
        """As ``text``, or as ``json``. Raises `InvalidFormat`."""
        from choreia.runtime.insight.explaining import as_json, as_text

        if format not in ("text", "json"):
            raise InvalidFormat(
                f"format={format!r}: an explanation has the formats text, json", format=format
            )
        return as_text(self) if format == "text" else as_json(self)

    def __str__(self) -> str:
        return self.show()

    @property
    def matched(self) -> tuple[Answer, ...]:
        return tuple(one for one in self.answers if one.matched)

    @property
    def missed(self) -> tuple[Answer, ...]:
        return tuple(one for one in self.answers if not one.matched)


def explain(story: Story, event_id: str) -> Explanation:
    """Whom the event of that id reached, and why not the others. Raises `UnknownCase`."""
    recorded = next((one for one in story.events if one.event.id == event_id), None)
    if recorded is None:
        raise UnknownCase(
            f"there is no event {plain(event_id, 80)} in the case "
            f"{plain(story.correlation_id, 80)}",
            id=event_id,
        )
    deliveries = {family(one.agent): one for one in story.deliveries if one.event_id == event_id}
    there = Listeners(story.interests).there(recorded.position)
    answers = [_answer(one, recorded, deliveries.pop(one.interest.agent, None)) for one in there]
    answers += [
        Answer(one.agent, "told", matched=True, delivery=one) for one in deliveries.values()
    ]
    matched = [one for one in answers if one.matched]
    missed = sorted((one for one in answers if not one.matched), key=_distance)
    of_another_type = not matched and all(m.segment for one in missed for m in one.misses)
    nearest = _nearest(recorded.event.type, there) if of_another_type else ()
    return Explanation(recorded, (*matched, *missed), nearest)


def _answer(listener: Listener, recorded: Recorded, delivery: Delivery | None) -> Answer:
    interest, misses, handlers = listener.interest, list[Miss](), list[str]()
    for ear in listener.ears:
        miss = _miss(ear, listener, recorded)
        if miss is None:
            handlers.append(ear.ask.handler)
        else:
            misses.append(miss)
    matched = bool(handlers) or delivery is not None
    return Answer(
        interest.agent,
        interest.kind,
        matched,
        tuple(dict.fromkeys(filter(None, handlers))),
        delivery,
        interest.durable,
        interest.passive,
        () if matched else tuple(sorted(misses, key=_far)),
    )


def _miss(ear: Ear, listener: Listener, recorded: Recorded) -> Miss | None:
    """Why `ear` did not select it; None when it did."""
    event, ask = recorded.event, ear.ask
    segment = misfit(ear.pattern, event.type)
    if segment is not None:
        return Miss(ask.pattern, ask.handler, segment=segment)
    if recorded.erased and (ear.filter is not None or listener.key_of is not None):
        return Miss(ask.pattern, ask.handler, erased=True)
    if ear.filter is not None and (fault := _fault(ear, event)) is not None:
        return Miss(ask.pattern, ask.handler, fault=fault)
    if not listener.has_key(event):
        return Miss(ask.pattern, ask.handler, key=listener.interest.key)
    return None


def _fault(ear: Ear, event: Event) -> Fault | None:
    reason = None if ear.filter is None else ear.filter.explain(event)
    if reason is None:
        return None
    root = reason.root
    return Fault(
        root.path,
        masked(root.path, root.condition),
        tuple(masked(root.path, value) for value in root.found),
        root.holds,
        reason.around,
    )


def _far(miss: Miss) -> tuple[int, int]:
    """How far a subscription is from the event: the type first."""
    return (0, 0) if miss.segment is None else (1, -miss.segment.at)


def _distance(answer: Answer) -> tuple[int, int]:
    return _far(answer.misses[0]) if answer.misses else (2, 0)


def _nearest(type: str, there: Iterable[Listener]) -> tuple[str, ...]:
    patterns = {ear.pattern.pattern for one in there for ear in one.ears}
    return tuple(get_close_matches(type, sorted(patterns), NEAREST, 0.7))
