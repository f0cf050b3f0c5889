"""One agent, looked at closely: what it is at, what waits, what it listens to and what it said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

from choreia.console.model.agentrow import AgentRow
from choreia.console.model.finding import letter
from choreia.console.model.line import Span
from choreia.console.model.moment import Moment
from choreia.console.model.page import Entry, Page, entry
from choreia.console.model.poll import Poll
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject
from choreia.console.model.views.events import payload_text
from choreia.console.model.wording import many, rate, span, time_of_day
from choreia.runtime.inspection.frames import Problem
from choreia.runtime.inspection.reading import (
    Fields,
    count_of,
    number_of,
    part_of,
    rows_of,
    text_of,
    words_of,
)

EVERY: Final = 1.0
_KEY: Final = 14


class AgentDetail(Page):
    """On top of a view. `trace` shows what came of an event."""

    def __init__(self, stage: Stage, name: str, trace: Callable[[str], None]) -> None:
        super().__init__(stage, name)
        self._name = name
        self._trace = trace
        self._poll = Poll(EVERY)
        self._said: Fields = {}
        self._row: AgentRow | None = None

    def opened(self) -> None:
        self._poll.reset()
        self._ask()

    def reload(self) -> None:
        self.opened()

    def tick(self) -> None:
        self._ask()

    def _ask(self) -> None:
        if self._poll.due(self.stage.now):
            args = {"name": self._name, "payloads": self.stage.payloads}
            self.stage.call(self.number, "agent", "agent", **args)

    def answer(self, what: str, data: Fields | None, problem: Problem | None) -> None:
        self._poll.answered()
        self.problem = "" if problem is None else problem.message
        if data is not None and not (self.stage.paused and self._said):
            self._said = data
        self._write()

    def show(self, moment: Moment) -> None:
        said = moment.frame.agents.get(self._name)
        self._row = None if said is None else AgentRow(said, moment)
        self._write()

    def drill(self, event: str) -> None:
        self._trace(event)

    def subject(self) -> Subject:
        row = self.listing.selected
        event = "" if row is None else row.event
        return Subject(event or self._name, self._name, event, event)

    def empty(self) -> str:
        return "waiting for the agent"

    def document(self) -> dict[str, object]:
        return {**super().document(), "agent": dict(self._said)}

    # -- lines ------------------------------------------------------------------------------------

    def _write(self) -> None:
        lines = [*self._now(), *self._details()]
        if self.problem and lines:
            lines.insert(0, entry(self.face.clean(self.problem), "bad"))
        self.fill(lines)

    def _now(self) -> Iterator[Entry]:
        row = self._row
        if row is None:
            return
        said, face = row.said, self.face
        state = face.state(row.state)
        kind = f"  {text_of(said, 'kind')} {text_of(said, 'class')}"
        yield Entry(
            (Span(face.clean(row.name), "title"), Span("  "), state, Span(face.clean(kind)))
        )
        if row.why:
            spans = (Span(f"{'why':<{_KEY}}", "key"), Span(face.clean(row.why), "warn"))
            yield Entry(spans, is_fault=bool(row.faults))
        size, capacity = count_of(said, "size"), count_of(said, "capacity")
        room = f"{many(size)}/{many(capacity)}" if capacity else many(size)
        numbers = f"{room}  most {many(count_of(said, 'high_water'))}  "
        pressures = Span(face.spark(row.moment.pressures(row.name)), "accent")
        yield Entry((Span(f"{'mailbox':<{_KEY}}", "key"), Span(numbers), pressures))
        yield self._pair("rates", self._rates(row))
        yield self._pair("so far", _so_far(said))

    def _rates(self, row: AgentRow) -> str:
        pairs = (
            ("in", "received"),
            ("out", "emitted"),
            ("failed", "failed"),
            ("dropped", "dropped"),
        )
        rates = [f"{name} {rate(row.rate(counter)) or '?'}/s" for name, counter in pairs]
        p95 = number_of(row.said, "p95")
        return "  ".join([*rates, f"p95 {span(p95)}" if p95 is not None else ""])

    def _details(self) -> Iterator[Entry]:
        said = self._said
        if not said:
            return
        for name, key in (("can", "capabilities"), ("best at", "specializations")):
            if words_of(said, key):
                yield self._pair(name, ", ".join(words_of(said, key)))
        yield self._pair("options", _json(part_of(said, "options")))
        for one in rows_of(said, "subscriptions"):
            yield self._pair("listens to", _subscription(one))
        if said.get("emits") is not None:
            yield self._pair("emits", ", ".join(words_of(said, "emits")) or "nothing")
        for name, key in (("waits for", "parked_on"),):
            if words_of(said, key):
                yield self._pair(name, f"room at {', '.join(words_of(said, key))}")
        waiting = count_of(said, "waiting_here")
        if waiting:
            yield self._pair("waited for", f"by {waiting:,}, for room in its mailbox")
        for one in rows_of(said, "timers"):
            yield self._pair("timer", f"{text_of(one, 'type')} {text_of(one, 'key')}")
        yield from self._events_of(said)

    def _events_of(self, said: Fields) -> Iterator[Entry]:
        in_hand = part_of(said, "in_hand")
        if in_hand:
            yield from self._section("in hand", [in_hand])
        yield from self._section("waiting", rows_of(said, "queued"))
        stack = text_of(said, "stack")
        if stack.strip():
            yield from self._title("where it is")
            for line in stack.rstrip().splitlines():
                yield entry(f"  {self.face.clean(line)}")
        letters = rows_of(said, "dead_letters")
        if letters:
            yield from self._title("dead letters")
            for one in map(letter, letters):
                words = self.face.clean(f"{one.type} {one.reason}")
                yield entry(f"  {words}", "bad", event=one.event, is_fault=True)
        yield from self._section("said lately", rows_of(said, "recent"))

    def _section(self, title: str, events: list[Fields]) -> Iterator[Entry]:
        if not events:
            return
        yield from self._title(title)
        for event in events:
            clean = self.face.clean
            spans = (
                Span(f"  {time_of_day(number_of(event, 'time'))}  ", "dim"),
                Span(clean(text_of(event, "type"))),
                Span(f"  {clean(text_of(event, 'agent'), 60)}  ", "dim"),
                Span(clean(payload_text(event)), "dim"),
            )
            id = text_of(event, "id")
            yield Entry(spans, f"{title} {id}", id)

    def _title(self, title: str) -> Iterator[Entry]:
        yield Entry((), f"before {title}")
        yield Entry((Span(title, "header"),), f"title {title}")

    def _pair(self, name: str, words: str) -> Entry:
        return Entry((Span(f"{name:<{_KEY}}", "key"), Span(self.face.clean(words))))


def _so_far(said: Fields) -> str:
    names = ("received", "handled", "failed", "dropped", "overflowed", "emitted")
    return "  ".join(f"{name} {many(count_of(said, name))}" for name in names)


def _subscription(one: Fields) -> str:
    filter = part_of(one, "filter")
    words = f"{text_of(one, 'pattern')} {_json(filter) if filter else ''}".rstrip()
    handler = text_of(one, "handler")
    return f"{words} by {handler}" if handler else words


def _json(fields: Fields) -> str:
    try:
        return json.dumps(dict(fields), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return "?"
