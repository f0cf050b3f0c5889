"""A trace as messages between lifelines, in the order of the log: what every drawing is made of."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from choreia.runtime.insight.cutting import Gap, cut_in_order
from choreia.runtime.insight.naming import family, lifeline
from choreia.runtime.insight.story import Delivery
from choreia.runtime.insight.trace import Hop, Trace
from choreia.runtime.insight.wording import WENT_WRONG, duration, not_shown, standing, waiting

LIFELINES = 40
RECEIVERS = 12
"""Of one event, drawn one by one."""
MESSAGES = 300
"""Events that are drawn."""


@attrs.frozen
class Message:
    """An event from one lifeline to another."""

    sender: int
    receiver: int
    text: str
    over: bool
    """Whether the delivery has come to its end."""
    failed: bool = False
    passive: bool = False


@attrs.frozen
class Note:
    """Something to be said beside a lifeline; without one, across all of them."""

    place: int | None
    text: str
    failed: bool = False


@attrs.frozen
class Score:
    """Lifelines in the order of their first appearance, and what happens between them."""

    lifelines: tuple[str, ...]
    entries: tuple[Message | Note, ...]


def sequence(trace: Trace, *, times: bool = True) -> Score:
    drawing = _Drawing(times=times)
    for entry in cut_in_order(trace, MESSAGES):
        if isinstance(entry, Gap):
            drawing.note(None, not_shown(entry.events))
        else:
            drawing.hop(entry)
    for timer in trace.timers:
        place = drawing.place(family(timer.agent))
        drawing.note(place, waiting(timer, trace, times=times))
    return Score(tuple(drawing.places), tuple(drawing.entries))


class _Drawing:
    def __init__(self, *, times: bool) -> None:
        self.places: dict[str, int] = {}
        self.entries: list[Message | Note] = []
        self._times = times

    def place(self, name: str) -> int:
        """The lifeline of that name; when there are too many already, one that stands for all."""
        if name not in self.places and len(self.places) >= LIFELINES - 1:
            name = "others"
        return self.places.setdefault(name, len(self.places))

    def note(self, place: int | None, text: str, *, failed: bool = False) -> None:
        self.entries.append(Note(place, text, failed))

    def hop(self, hop: Hop) -> None:
        event = hop.recorded.event
        sender = self.place(lifeline(event.source))
        text = f"{hop.number} {event.type}"
        if self._times and hop.latency is not None:
            text += f" (+{duration(hop.latency)})"
        if not hop.deliveries:
            self.note(sender, text)
        for one in _drawn(hop.deliveries):
            self._delivery(sender, text, one)
        if len(hop.deliveries) > RECEIVERS:
            self.note(sender, f"and {len(hop.deliveries) - RECEIVERS:,} more who hear {event.type}")

    def _delivery(self, sender: int, text: str, one: Delivery) -> None:
        receiver = self.place(family(one.agent))
        failed = one.state in WENT_WRONG
        message = Message(sender, receiver, text, one.state.over, failed, one.passive)
        self.entries.append(message)
        if failed or not one.state.over:
            self.note(receiver, standing(one), failed=failed)


def _drawn(deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
    """Of many, first those that went wrong or go on: they are what one looks for."""
    if len(deliveries) <= RECEIVERS:
        return deliveries
    return sorted(deliveries, key=lambda one: one.state.over and one.state not in WENT_WRONG)[
        :RECEIVERS
    ]
