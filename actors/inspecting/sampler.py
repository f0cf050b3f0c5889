"""The sampler: reads the counters of all agents, while somebody looks, and only then.

Never by asking the agents: 200 of them asked four times a second cost 7 % of a core, and answered
late exactly under load. While somebody looks, turns count how long their handlers take.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, cast

import attrs

from choreia.actors.inspecting.flows import flows
from choreia.actors.inspecting.health import letter_form, restarts, suspicions
from choreia.actors.inspecting.rows import row_of, urgency
from choreia.actors.inspecting.seldom import Seldom
from choreia.actors.inspecting.trails import trail_of
from choreia.runtime.inspection import real
from choreia.runtime.inspection.answering import Stream
from choreia.runtime.inspection.frames import Fields
from choreia.runtime.inspection.meter import Meter

if TYPE_CHECKING:
    from choreia.actors.guard import Guard
    from choreia.actors.presence import Presence
    from choreia.actors.record import Record
    from choreia.actors.roster import Roster
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.deadletter import DeadLetter

PARTS: Final = ("agents", "flows", "presence", "health")
OFTEN: Final = 0.05
"""Seconds between two frames, at the least."""
TIMED: Final = 10.0
"""Seconds of a span of `Times`."""
LETTERS: Final = 50


class Sampler:
    """For one system; used on the server's thread."""

    def __init__(
        self,
        roster: Roster,
        presence: Presence,
        guard: Guard,
        meter: Meter,
        redact: tuple[str, ...],
    ) -> None:
        self._roster = roster
        self._engine = roster.engine
        self._presence = presence
        self._guard = guard
        self._meter = meter
        self._redact = redact
        self._began = real.monotonic()
        self._looking = 0
        self._span_ends = 0.0
        self._last: tuple[tuple[frozenset[str], int], float, Fields] | None = None
        self.trail = trail_of(self._engine)
        self._letters = Seldom(self._engine.letters.all)
        self._flows = Seldom(lambda: flows(self._engine, roster.all(), self.trail))

    # -- who looks ----------------------------------------------------------------------------

    def stream(self, every: float, parts: frozenset[str], limit: int) -> Stream:
        """Frames, from now on."""
        self._looking += 1
        if not self._engine.timed:
            self._engine.timed = True
            self._span_ends = 0.0

        def piece() -> Fields:
            return self._shared(parts, limit, every) | {"cost": self._cost(stream.pause or every)}

        stream = Stream(every, piece, self._look_away)
        return stream

    def _cost(self, every: float) -> Fields:
        return {"share": self._meter.share(), "seconds": self._meter.seconds, "every": every}

    def _shared(self, parts: frozenset[str], limit: int, every: float) -> Fields:
        """A frame, which others who look at the same may have had a moment ago."""
        fresh = real.monotonic() - every / 2
        if self._last is None or self._last[0] != (parts, limit) or self._last[1] < fresh:
            self._last = ((parts, limit), real.monotonic(), self.frame(parts, limit))
        return self._last[2]

    def _look_away(self) -> None:
        self._looking -= 1
        if not self._looking:
            self._engine.timed = False

    # -- a frame ------------------------------------------------------------------------------

    def frame(self, parts: frozenset[str], limit: int) -> Fields:
        """The system as it is now. The agents go on meanwhile, so numbers may differ by a few."""
        cells, at, own = self._roster.all(), real.monotonic(), self._guard.own_time()
        self._turn_spans(cells, at)
        chosen = cells if len(cells) <= limit else heapq.nlargest(limit, cells, key=urgency)
        said: Fields = {
            "time": self._engine.clock.now(),
            "at": at,
            "system": self._totals(cells, len(chosen) if "agents" in parts else 0, at),
            "cost": self._cost(0.0),
        }
        if "agents" in parts:
            said["agents"] = [row_of(cell, own) for cell in chosen]
        if "flows" in parts:
            said["flows"] = self._flows.get()
        if "presence" in parts:
            said["presence"] = [attrs.asdict(one, recurse=False) for one in self._presence.all()]
        if "health" in parts:
            said["health"] = {
                "suspicions": suspicions(cells, own),
                "restarts": restarts(cells),
                "dead_letters": self.letters(LETTERS, None, payloads=False),
            }
        return said

    def _turn_spans(self, cells: Iterable[Cell], now: float) -> None:
        if self._engine.timed and now >= self._span_ends:
            for cell in cells:
                if cell.times is not None:
                    cell.times.next_span()
                    if not self._span_ends:  # nobody looked for a while: that is long ago
                        cell.times.next_span()
            self._span_ends = now + TIMED

    def _totals(self, cells: list[Cell], shown: int, at: float) -> Fields:
        engine, gone = self._engine, self._roster.gone
        states = Counter(cell.state for cell in cells)
        return {
            "node": engine.node,
            "uptime": at - self._began,
            "agents": len(cells),
            "shown": shown,
            "states": dict(states),
            "published": self.trail.said if engine.cases is not None else None,
            "handled": gone.handled + sum(cell.handled for cell in cells),
            "failed": gone.failed + sum(cell.failed for cell in cells),
            "dropped": gone.dropped + sum(cell.mailbox.dropped for cell in cells),
            "dead_letters": len(self._letters.get()) + engine.letters.evicted,
            "restarts": gone.restarts
            + sum(cast("Record", cell.owner).incarnation - 1 for cell in cells),
        }

    def letters(self, limit: int, agent: str | None, *, payloads: bool) -> list[Fields]:
        """The last dead letters, the newest first."""
        meant = [one for one in self._letters.get() if agent in (None, one.agent)]
        return [letter_form(one, self._redact, payloads) for one in meant[: -limit - 1 : -1]]

    def letter_count(self, agent: str | None) -> int:
        """How many there are."""
        return sum(agent in (None, one.agent) for one in self._letters.get())

    def find_letter(self, agent: str, event: str) -> DeadLetter | None:
        """The dead letter of that event at that agent."""
        for letter in self._engine.letters.all():
            if letter.agent == agent and letter.event is not None and letter.event.id == event:
                return letter
        return None

    def row(self, cell: Cell) -> Fields:
        """One agent, now."""
        return row_of(cell, self._guard.own_time())
