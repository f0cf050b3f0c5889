"""What came of what: the events of a case as a tree of causes, and where each of them went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from choreia.console.model.branches import Branch, branches
from choreia.console.model.line import Line, Span
from choreia.console.model.page import Entry, Page
from choreia.console.model.poll import Poll
from choreia.console.model.stage import Stage
from choreia.console.model.views.cases import verdict, verdict_of
from choreia.console.model.views.events import payload_text
from choreia.console.model.wording import counted, span
from choreia.runtime.inspection.frames import Problem
from choreia.runtime.inspection.reading import (
    Fields,
    count_of,
    flag_of,
    number_of,
    rows_of,
    text_of,
)

EVERY: Final = 2.0
DEEPEST: Final = 16
"""Levels of indentation."""
_OVER: Final = ("completed", "compensated", "died")
_WRONG: Final = ("dead_lettered", "dropped", "lost")


class Trace(Page):
    """Of a case, or of the case of an event. It is asked for again until the case is over."""

    def __init__(self, stage: Stage, of: str) -> None:
        super().__init__(stage, f"trace {of}")
        self._of = of
        self._poll = Poll(EVERY)
        self._said: Fields = {}
        self._at_first = True

    def opened(self) -> None:
        self._poll.reset()
        self._ask()

    def reload(self) -> None:
        self.opened()

    def tick(self) -> None:
        if verdict_of(self._said) not in _OVER and not self.problem:
            self._ask()

    def _ask(self) -> None:
        if self._poll.due(self.stage.now):
            args = {"of": self._of, "payloads": self.stage.payloads}
            self.stage.call(self.number, "trace", "trace", **args)

    def answer(self, what: str, data: Fields | None, problem: Problem | None) -> None:
        self._poll.answered()
        self.problem = "" if problem is None else problem.message
        if data is None:
            return
        self._said = data
        self.fill([*self._head(), *self._events(), *self._timers()])
        if self._at_first:
            self.listing.select(lambda row: row.event == self._of)
            self._at_first = False

    def drill(self, event: str) -> None:
        self.stage.say("x: why it reached whom it reached; y: copy its id")

    def empty(self) -> str:
        return "waiting for the trace"

    def document(self) -> dict[str, object]:
        return {**super().document(), "trace": dict(self._said)}

    # -- lines ------------------------------------------------------------------------------------

    def _head(self) -> Iterator[Entry]:
        clean, said = self.face.clean, self._said
        spans: Line = (
            Span(f"case {clean(text_of(said, 'case'), 80)}  ", "title"),
            *verdict(self.face, verdict_of(said)),
            Span(f"  {clean(text_of(said, 'reason'))}"),
        )
        yield Entry(spans, "case", is_fault=verdict_of(said) in ("stuck", "died"))
        if said.get("whole") is False:
            yield Entry((Span("what came before is not known any more", "warn"),), "cut")

    def _events(self) -> Iterator[Entry]:
        events = rows_of(self._said, "events")
        depths = [count_of(event, "depth") for event in events]
        for event, branch in zip(events, branches(depths, self.face, DEEPEST), strict=True):
            yield from self._event(event, branch)
        more = count_of(self._said, "more")
        if more:
            yield Entry((Span(f"{counted(more, 'more event')} not shown", "dim"),), "more")

    def _event(self, event: Fields, branch: Branch) -> Iterator[Entry]:
        clean, depth = self.face.clean, count_of(event, "depth")
        deep = f"({depth:,} deep) " if depth > DEEPEST else ""
        id, latency = text_of(event, "id"), number_of(event, "latency")
        deliveries = rows_of(event, "deliveries")
        handled = [text_of(one, "agent") for one in deliveries if _is_handled(one)]
        spans = [
            Span(branch.before + deep, "tree"),
            Span(clean(text_of(event, "type")), "title"),
            Span(f"  {clean(text_of(event, 'agent'), 60)}"),
        ]
        if latency is not None:
            spans.append(Span(f"  +{span(max(0.0, latency))}", "dim"))
        if handled:
            receivers = clean(", ".join(handled))
            spans.append(Span(f"  {self.face.sign('arrow')} {receivers}", "good"))
        yield Entry(tuple(spans), event=id)
        for one in deliveries:
            if not _is_handled(one):
                yield self._delivery(one, branch, id)
        payload = payload_text(event)
        if payload:
            spans = [Span(f"{branch.under}   ", "tree"), Span(clean(payload), "dim")]
            yield Entry(tuple(spans), f"payload {id}", id)

    def _delivery(self, one: Fields, branch: Branch, id: str) -> Entry:
        agent, state = text_of(one, "agent"), text_of(one, "state", "unknown")
        wrong = state in _WRONG
        said = " ".join(
            filter(None, (text_of(one, "reason"), text_of(one, "error"), _attempts(one)))
        )
        sign = self.face.sign("bad" if wrong else "wait")
        words = f"{sign} {agent}: {state.replace('_', ' ')}" + (f", {said}" if said else "")
        if flag_of(one, "passive"):
            words += " (it only looks on)"
        spans = (Span(f"{branch.under}   ", "tree"), Span(self._with(sign, words), _style(wrong)))
        return Entry(spans, f"{id} at {agent}", id, is_fault=wrong)

    def _with(self, sign: str, words: str) -> str:
        """Text of the system made harmless, our own sign left as it is."""
        return sign + self.face.clean(words.removeprefix(sign))

    def _timers(self) -> Iterator[Entry]:
        for place, one in enumerate(rows_of(self._said, "timers")):
            agent, type = text_of(one, "agent"), text_of(one, "type")
            words = self.face.clean(f"{agent} waits for {type}")
            yield Entry((Span(f"{self.face.sign('wait')} {words}", "accent"),), f"timer {place}")


def _is_handled(delivery: Fields) -> bool:
    return text_of(delivery, "state") == "handled"


def _attempts(delivery: Fields) -> str:
    attempts = count_of(delivery, "attempts")
    return f"({counted(attempts, 'attempt')})" if attempts else ""


def _style(wrong: bool) -> str:
    return "bad" if wrong else "warn"
