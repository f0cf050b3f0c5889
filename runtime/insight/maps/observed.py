"""What stands in a store, beside what is declared: how often it was said, and what else was.

Who said something is its source, and who heard it shows where it has said something because of it
(causation). Who only took note has left no trace; so what was said counts for all who hear it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from choreia.runtime.events.recorded import Recorded
from choreia.runtime.insight.choreography import Choreography
from choreia.runtime.insight.links import Patterns, pattern_of
from choreia.runtime.insight.maps.picture import NOBODY, OUTSIDE, Arrow, Picture

_DID = "did:choreia:"


def observe(drawn: Picture, choreography: Choreography, recorded: Iterable[Recorded]) -> Picture:
    """The picture with counts, and with arrows for what was observed and is not declared."""
    seen = _Seen(choreography)
    for one in recorded:
        seen.add(one)
    arrows = [seen.counted(arrow) for arrow in drawn.arrows]
    arrows += seen.undeclared(drawn.arrows)
    return attrs.evolve(drawn, arrows=tuple(sorted(arrows)), events=seen.events)


class _Seen:
    def __init__(self, choreography: Choreography) -> None:
        self._names = {player.name for player in choreography.players}
        self._runtime = Patterns(choreography.runtime)
        self._origins: dict[str, tuple[str, str]] = {}
        self._last: dict[str, set[str]] = {}
        self.events = 0
        self.said: Counter[tuple[str, str]] = Counter()
        self.answers: Counter[tuple[str, str, str]] = Counter()

    def add(self, recorded: Recorded) -> None:
        event = recorded.event
        if self._runtime.any_overlap(event.type) or event.type.startswith(("system.", "timer.")):
            return
        self.events += 1
        sayer = self._sayer(event.source)
        self.said[sayer, event.type] += 1
        self._origins[event.id] = (sayer, event.type)
        cause = event.metadata.causation_id
        origin = self._origins.get(cause or "")
        if origin is not None and sayer != OUTSIDE:
            answered = self._last.setdefault(cause or "", set())
            if sayer not in answered:
                answered.add(sayer)
                self.answers[(*origin, sayer)] += 1

    def _sayer(self, source: str) -> str:
        """The agent of that id; of a member of a family, or on whatever node, its name."""
        if not source.startswith(_DID):
            return OUTSIDE
        parts = source.split(":")
        return parts[3] if len(parts) > 3 and parts[3] != "outside" else OUTSIDE

    def counted(self, arrow: Arrow) -> Arrow:
        pattern = pattern_of(arrow.type)
        if pattern.exact:
            count = self.said[arrow.sayer, arrow.type]
            answered = self.answers[arrow.sayer, arrow.type, arrow.hearer]
        else:
            count = sum(
                times
                for (sayer, type), times in self.said.items()
                if sayer == arrow.sayer and pattern.matches(type)
            )
            answered = sum(
                times
                for (sayer, type, hearer), times in self.answers.items()
                if (sayer, hearer) == (arrow.sayer, arrow.hearer) and pattern.matches(type)
            )
        return attrs.evolve(arrow, count=count, answered=answered)

    def undeclared(self, arrows: Iterable[Arrow]) -> list[Arrow]:
        said: dict[str, set[str]] = {}
        heard: dict[tuple[str, str], set[str]] = {}
        for arrow in arrows:
            said.setdefault(arrow.sayer, set()).add(arrow.type)
            heard.setdefault((arrow.sayer, arrow.hearer), set()).add(arrow.type)
        known = {sayer: Patterns(types) for sayer, types in said.items()}
        ways = {ends: Patterns(types) for ends, types in heard.items()}
        nothing = Patterns(())
        extra = [
            Arrow(sayer, type, hearer, declared=False, count=self.said[sayer, type], answered=times)
            for (sayer, type, hearer), times in self.answers.items()
            if not ways.get((sayer, hearer), nothing).any_overlap(type)
        ]
        told = {(arrow.sayer, arrow.type) for arrow in extra}
        extra += [
            Arrow(sayer, type, NOBODY, declared=False, count=times)
            for (sayer, type), times in self.said.items()
            if not known.get(sayer, nothing).any_overlap(type) and (sayer, type) not in told
        ]
        return extra
