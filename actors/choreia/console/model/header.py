"""The two lines at the top: which system this is, how it is, and what looking at it costs."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from choreia.console.model.face import Face
from choreia.console.model.line import Line, Span, width_of
from choreia.console.model.moment import Moment
from choreia.console.model.wording import many, rate, span
from choreia.runtime.inspection.reading import (
    Fields,
    amount_of,
    count_of,
    number_of,
    part_of,
    text_of,
)


@attrs.frozen(eq=False)
class Piece:
    """Words that are shown together or not at all; those of the lowest rank stay longest."""

    spans: Line
    rank: int

    @property
    def width(self) -> int:
        return sum(width_of(span.text) for span in self.spans)


@attrs.frozen(eq=False)
class Standing:
    """Whether what is shown is now."""

    paused: bool = False
    behind: float = 0.0
    ended: str | None = None
    """Why the system is not there any more."""
    silent: float | None = None
    """Seconds that it has not answered, when that is longer than usual."""


def header(
    face: Face, hello: Fields, moment: Moment | None, standing: Standing
) -> list[list[Piece]]:
    """The pieces of both lines."""
    return [_first(face, hello, moment, standing), _second(face, moment)]


def joined(face: Face, pieces: Sequence[Piece], width: int) -> Line:
    """As many of the pieces as there is room for, in their order."""
    kept: set[int] = set()
    room = width
    for piece in sorted(pieces, key=lambda one: one.rank):
        if not kept or piece.width + 2 <= room:
            kept.add(id(piece))
            room -= piece.width + 2 * (len(kept) > 1)
    spans: list[Span] = []
    for piece in pieces:
        if id(piece) in kept:
            spans += (Span("  "), *piece.spans) if spans else piece.spans
    return face.fit(spans, width)


def _first(face: Face, hello: Fields, moment: Moment | None, standing: Standing) -> list[Piece]:
    system = part_of({} if moment is None else moment.frame.said, "system")
    cost = part_of({} if moment is None else moment.frame.said, "cost")
    node = text_of(system, "node") or text_of(hello, "node", "?")
    pieces = [
        Piece((Span(face.clean(node, 60), "title"),), 1),
        Piece((Span(f"pid {count_of(hello, 'pid')}", "dim"),), 3),
        Piece((_standing(face, standing, moment),), 0),
    ]
    uptime, share = number_of(system, "uptime"), number_of(cost, "share")
    if uptime is not None:
        pieces.insert(2, Piece((Span(f"up {span(uptime)}", "dim"),), 2))
    if share is not None:
        pieces.append(Piece((Span(f"cost {share * 100:.2f} %", _dear(share)),), 4))
        every = amount_of(cost, "every")
        pieces.append(Piece((Span(f"a frame every {span(every)}", "dim"),), 5))
    program = text_of(hello, "program")
    if program:
        pieces.append(Piece((Span(face.clean(program, 60), "dim"),), 6))
    return pieces


def _standing(face: Face, standing: Standing, moment: Moment | None) -> Span:
    if standing.ended is not None:
        return Span(f"{face.sign('ended')} ENDED: {face.clean(standing.ended, 200)}", "bad")
    if standing.paused:
        behind = f"{face.sign('minus')}{standing.behind:.1f} s"
        return Span(f"{face.sign('paused')} PAUSED {behind}", "paused")
    if standing.silent is not None:
        return Span(f"{face.sign('wait')} NO ANSWER for {span(standing.silent)}", "bad")
    if moment is None:
        return Span(f"{face.sign('wait')} waiting for the first frame", "dim")
    return Span(f"{face.sign('live')} live", "good")


def _dear(share: float) -> str:
    return "dim" if share < 0.01 else "warn"


def _second(face: Face, moment: Moment | None) -> list[Piece]:
    if moment is None:
        return [Piece((Span(""),), 0)]
    system = moment.frame.system
    pieces = [Piece((Span(f"{count_of(system, 'agents'):,} agents", "title"),), 0)]
    states = part_of(system, "states")
    ordered = sorted(states, key=lambda word: (-count_of(states, word), word))
    for place, word in enumerate(ordered[:12]):
        number = count_of(states, word)
        shown = face.state(word)
        pieces.append(Piece((Span(f"{many(number)} {shown.text}", shown.style),), 5 + place))
    if moment.frame.suspected:
        words = f"{many(moment.frame.suspected)} {face.sign('suspected')} suspected"
        pieces.append(Piece((Span(words, "bad"),), 1))
    published, handled = moment.total("published"), moment.total("handled")
    if published is not None:
        pieces.append(Piece((Span(f"events {rate(published)}/s"),), 1))
    if handled is not None:
        pieces.append(Piece((Span(f"handled {rate(handled)}/s"),), 4))
    pieces.append(_count("dropped", system, "dropped", 3))
    pieces.append(_count("dead letters", system, "dead_letters", 2))
    return pieces


def _count(title: str, system: Fields, name: str, rank: int) -> Piece:
    number = count_of(system, name)
    return Piece((Span(f"{title} {many(number)}", "warn" if number else "dim"),), rank)
