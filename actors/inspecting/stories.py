"""Cases, and what came of what in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs
import orjson

from choreia.actors.inspecting.arguments import Arguments
from choreia.actors.inspecting.hiding import Veil
from choreia.actors.inspecting.seldom import Seldom
from choreia.runtime.errors import UnknownCase
from choreia.runtime.events.display import plain
from choreia.runtime.insight.explain import explain
from choreia.runtime.insight.jsonform import json_form
from choreia.runtime.insight.listing import CaseSummary
from choreia.runtime.insight.trace import Trace, trace
from choreia.runtime.insight.verdict import Word
from choreia.runtime.inspection import real
from choreia.runtime.inspection.frames import Fields, Refusal

if TYPE_CHECKING:
    from choreia.actors.cases import Board

MOST_CASES: Final = 500
MOST_EVENTS: Final = 2_000
"""Of a trace that is shown; the first ones."""
LONGEST_TREE: Final = 500_000
"""Characters."""


class Stories:
    """Answers about the cases of one system. Dear, so they are asked for on other threads."""

    def __init__(self, board: Board, redacted: Sequence[str]) -> None:
        self._board = board
        self._redacted = redacted
        self._lists: dict[tuple[str | None, int], Seldom[list[Fields]]] = {}

    def cases(self, args: Arguments) -> Fields:
        """The verb: the newest first."""
        verdict = args.maybe_text("verdict")
        if verdict is not None and verdict not in {word.value for word in Word}:
            words = ", ".join(word.value for word in Word)
            raise Refusal("bad_argument", f"cases: verdict={plain(verdict, 40)!r}: one of {words}")
        limit = args.number("limit", 50, MOST_CASES)
        args.end()
        key = (verdict, limit)
        if key not in self._lists and len(self._lists) >= len(Word) * 4:
            self._lists.clear()
        found = self._lists.setdefault(
            key, Seldom(lambda: [_case(one) for one in self._board.cases(verdict, limit)])
        )
        return {"cases": found.get(), "age": real.monotonic() - found.at}

    def trace(self, args: Arguments) -> Fields:
        """The verb: one case, or that of an event."""
        of, payloads, why = args.text("of"), args.flag("payloads"), args.flag("explain")
        args.end()
        try:
            case = self._board.case(of)
            story = case.story
        except UnknownCase as error:
            raise Refusal("unknown", plain(str(error), 500)) from error
        veil = Veil(self._redacted, payloads)
        verdict, told = self._board.verdict(case.id), trace(veil.story(story))
        return {
            "case": case.id,
            "verdict": verdict.word.value,
            "reason": verdict.reason,
            "whole": told.whole,
            **_hops(told, payloads=payloads),
            "tree": told.show()[:LONGEST_TREE],
            "explanation": str(veil.explanation(explain(story, of))) if why else None,
        }


def _hops(told: Trace, *, payloads: bool) -> Fields:
    form = orjson.loads(json_form(told))
    by_number = {one["number"]: one for one in form["events"]}
    events = [by_number[hop.number] for hop in told.hops[:MOST_EVENTS]]
    for one in events:
        if not payloads:
            del one["payload"]
    return {"events": events, "timers": form["timers"], "more": len(told.hops) - len(events)}


def _case(one: CaseSummary) -> Fields:
    verdict = one.verdict
    return {
        "case": one.id,
        "type": one.type,
        "events": one.events,
        "verdict": verdict.word.value,
        "over": verdict.over,
        "reason": verdict.reason,
        "began": verdict.began,
        "duration": verdict.duration,
        "steps": [attrs.asdict(step) for step in verdict.steps],
        "waits": [attrs.asdict(wait) for wait in verdict.waits],
        "in_flight": len(verdict.in_flight),
        "dead_letters": len(verdict.dead_letters),
    }
