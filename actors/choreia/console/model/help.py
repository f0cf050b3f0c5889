"""What the keys do: one list, for the help and for the footer."""

from __future__ import annotations

from typing import Final

from choreia.console.model.face import Face
from choreia.console.model.header import Piece
from choreia.console.model.line import Line, Span, fit

KEYS: Final = (
    ("1 … 6, tab", "views: Agents, Flows, Events, Cases, Presence, Health"),
    ("j k, arrows", "one row down, up; PageDown, PageUp: a page"),
    ("g G", "the first row, the last row"),
    ("left right", "scroll text sideways"),
    ("enter", "look closer: an agent, a case, an event, a topic, a dead letter"),
    ("esc", "back; clears the filter first"),
    ("/", "filter: rows that have this regex in them; !… those that have not"),
    ("", "Events: a topic and maybe a JSON filter, order.# {…}; /…/ or !… is a regex"),
    ("s S", "sort by the next column; the other way round"),
    ("n z", "the next fault; faults only"),
    ("t x", "what came of what (trace); why it reached whom (explain)"),
    ("p [ ]", "pause, go on; a frame back, a frame on"),
    ("f", "Events: stay with the newest"),
    ("P", "show payloads, or hide them"),
    ("y e", "copy the id; export what is seen: s SVG, h HTML, j JSON"),
    ("a", "change the agent: p pause, r resume, R restart, s stop (asks first)"),
    ("r", "Health: redeliver a dead letter (asks first)"),
    ("l ctrl-l", "the log; draw anew"),
    ("? q", "this help; quit"),
)
_HINTS: Final = (
    ("q", "quit"), ("?", "help"), ("/", "filter"), ("enter", "open"), ("s", "sort"),
    ("p", "pause"), ("n", "next fault"), ("t", "trace"), ("e", "export"),
)  # fmt: skip
_KEY_WIDTH: Final = 13


def help_lines(face: Face, width: int, height: int, scrolled: int) -> list[Line]:
    """The list, as much of it as there is room for, from the line `scrolled` on."""
    drawn: list[Line] = []
    for keys, meaning in KEYS[min(scrolled, max(0, len(KEYS) - height)) :][:height]:
        spans = (
            Span(f"  {face.clean(_keys(face, keys)):<{_KEY_WIDTH}}", "key"),
            Span(_said(face, meaning)),
        )
        drawn.append(face.fit(spans, width))
    return drawn + [fit((), width)] * (height - len(drawn))


def hints() -> list[Piece]:
    """The keys that one needs first, for the footer."""
    return [
        Piece((Span(key, "key"), Span(f" {meaning}", "dim")), rank)
        for rank, (key, meaning) in enumerate(_HINTS)
    ]


def _keys(face: Face, keys: str) -> str:
    return keys.replace("…", "-") if face.ascii else keys


def _said(face: Face, meaning: str) -> str:
    return meaning.replace("…", "...") if face.ascii else meaning
