"""The causal tree of one case: each event under the one that caused it.

Order is the log's, and what lies under what is causation. No clock is asked for either: the
timestamps of events, which anybody may set, are nowhere in it. How long a hop took is told from
when the log recorded both of its ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from choreia.runtime.events.recorded import Recorded
from choreia.runtime.insight.story import Delivery, Story
from choreia.runtime.stores.unit import CaseRecord, SetTimer


@attrs.frozen(eq=False)
class Hop:
    """An event, where it stands in the tree."""

    number: int
    """Its place in the case, from 1, in the order of the log."""
    recorded: Recorded
    depth: int
    cause: int | None
    """The number of the event above it."""
    further: tuple[int, ...]
    """Of a join: the numbers of its other causes."""
    elsewhere: tuple[str, ...]
    """Ids of causes that are not in this case, or not known any more."""
    latency: float | None
    """Seconds from when its cause was recorded until it was."""
    deliveries: tuple[Delivery, ...]


@attrs.frozen(eq=False)
class Trace:
    """One case. See the module."""

    case: str
    hops: tuple[Hop, ...]
    """Depth first: each before what it caused, those with one cause in the order of the log."""
    timers: tuple[SetTimer, ...] = ()
    records: tuple[CaseRecord, ...] = ()
    whole: bool = True
    """Whether nothing of the case has been forgotten."""

    def show(self, format: str = "tree", *, times: bool = True) -> str:
        """As text: ``tree``, ``mermaid``, ``html`` (a whole page) or ``json``. Without `times`
        nothing in it tells when or how long. Raises `InvalidFormat`."""
        from choreia.runtime.insight.formats import render

        return render(self, format, times=times)

    def __str__(self) -> str:
        return self.show()

    @property
    def in_order(self) -> tuple[Hop, ...]:
        """By the log."""
        return tuple(sorted(self.hops, key=lambda hop: hop.number))

    @property
    def began(self) -> float:
        """When its first event was recorded; 0 when there is none."""
        return min((hop.recorded.at for hop in self.hops), default=0.0)

    @property
    def seconds(self) -> float:
        """From the first event to the last."""
        return max((hop.recorded.at for hop in self.hops), default=0.0) - self.began


def trace(story: Story) -> Trace:
    """What came of what, in a case."""
    log = sorted(story.events, key=lambda one: one.position)
    numbers = {one.event.id: number for number, one in reversed([*enumerate(log, 1)])}
    causes: dict[int, int | None] = {}
    effects: dict[int | None, list[int]] = {}
    for number, one in enumerate(log, 1):
        cause = causes[number] = numbers.get(one.event.metadata.causation_id or "")
        effects.setdefault(cause, []).append(number)
    delivered = _by_event(story.deliveries)
    hops = tuple(
        _hop(number, depth, cause, log, numbers, delivered)
        for number, depth, cause in _walk(causes, effects)
    )
    return Trace(story.correlation_id, hops, story.timers, story.records, story.whole)


def _walk(
    causes: Mapping[int, int | None], effects: Mapping[int | None, list[int]]
) -> Iterable[tuple[int, int, int | None]]:
    """Number, depth and cause of each, depth first and without recursion.

    Events from outside may name any cause, also one of their effects. What no root leads to hangs
    in such a circle, or from one: the first event of the circle is taken for a root.
    """
    met: set[int] = set()
    for start in [*effects.get(None, ()), *causes]:
        if start in met:
            continue
        waiting: list[tuple[int, int, int | None]] = [(_top(start, causes), 0, None)]
        while waiting:
            number, depth, cause = waiting.pop()
            if number in met:
                continue
            met.add(number)
            yield number, depth, cause
            waiting += [(one, depth + 1, number) for one in reversed(effects.get(number, ()))]


def _top(number: int, causes: Mapping[int, int | None]) -> int:
    """What `number` hangs from: itself when it has no cause, else the first of a circle."""
    chain: dict[int, None] = {}
    at: int | None = number
    while at is not None and at not in chain:
        chain[at] = None
        at = causes[at]
    if at is None:
        return [*chain][-1]
    passed = [*chain]
    return min(passed[passed.index(at) :])


def _hop(
    number: int,
    depth: int,
    cause: int | None,
    log: list[Recorded],
    numbers: Mapping[str, int],
    delivered: Mapping[str, tuple[Delivery, ...]],
) -> Hop:
    recorded = log[number - 1]
    meta = recorded.event.metadata
    named = dict.fromkeys(one for one in (meta.causation_id, *meta.causes) if one)
    known = [numbers[one] for one in named if one in numbers]
    return Hop(
        number,
        recorded,
        depth,
        cause,
        tuple(one for one in known if one not in (cause, number)),
        tuple(one for one in named if one not in numbers),
        None if cause is None else recorded.at - log[cause - 1].at,
        delivered.get(recorded.event.id, ()),
    )


def _by_event(deliveries: Iterable[Delivery]) -> dict[str, tuple[Delivery, ...]]:
    found: dict[str, list[Delivery]] = {}
    for one in deliveries:
        found.setdefault(one.event_id, []).append(one)
    return {event_id: tuple(those) for event_id, those in found.items()}
