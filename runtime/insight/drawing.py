"""A sequence as an SVG picture, drawn here: a page that holds it needs nothing from any network."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.escaping import html
from choreia.runtime.insight.sequence import Message, Note, Score

COLUMN = 190
"""Pixels between two lifelines."""
ROW = 38
HEAD = 56
MARGIN = 100
NAME = 24
LABEL = 60
"""Characters that have room between two lifelines, and on a note."""
LOOP = 34
"""How far a message to oneself goes out."""


def svg(score: Score) -> str:
    """The element. Its colours are classes, which the page around it gives."""
    width = 2 * MARGIN + COLUMN * max(1, len(score.lifelines) - 1) + COLUMN // 2
    height = HEAD + ROW * (len(score.entries) + 1)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [f'<svg class="sequence" {size} role="img" aria-label="sequence of messages">']
    for place, name in enumerate(score.lifelines):
        lines += _lifeline(place, name, height)
    for row, entry in enumerate(score.entries):
        y = HEAD + ROW * (row + 1) - ROW // 4
        if isinstance(entry, Message):
            lines += _message(entry, y)
        else:
            lines += _note(entry, y, len(score.lifelines))
    return "\n".join([*lines, "</svg>"])


def _x(place: int) -> int:
    return MARGIN + COLUMN * place


def _lifeline(place: int, name: str, height: int) -> Iterator[str]:
    x = _x(place)
    yield f'<line class="life" x1="{x}" y1="{HEAD - 14}" x2="{x}" y2="{height}"/>'
    yield f'<rect class="head" x="{x - 85}" y="8" width="170" height="34" rx="6"/>'
    yield _text(x, 30, name, NAME, "name", "middle")


def _message(message: Message, y: int) -> Iterator[str]:
    kind = _kind(message)
    start, end = _x(message.sender), _x(message.receiver)
    if start == end:
        out = start + LOOP
        path = f"M{start} {y - 8}H{out}V{y}H{start + 2}"
        yield f'<path class="{kind}" d="{path}"/>'
        yield _head(start + 2, y, -1, kind)
        yield _text(out + 6, y - 2, message.text, LABEL, "said", "start")
        return
    way = 1 if end > start else -1
    yield f'<path class="{kind}" d="M{start} {y}H{end - 2 * way}"/>'
    yield _cross(end - 9 * way, y) if message.failed else _head(end - 2 * way, y, way, kind)
    room = max(NAME, LABEL * abs(message.receiver - message.sender) // 2)
    yield _text((start + end) // 2, y - 6, message.text, room, "said", "middle")


def _note(note: Note, y: int, lifelines: int) -> Iterator[str]:
    kind = "note failed" if note.failed else "note"
    if note.place is None:
        yield _text(
            _x(max(0, lifelines - 1)) // 2 + MARGIN // 2, y, note.text, LABEL, kind, "middle"
        )
        return
    x = _x(note.place)
    yield f'<circle class="{kind}" cx="{x}" cy="{y - 4}" r="4"/>'
    # Beside the last lifeline there is no room to the right.
    if note.place and note.place == lifelines - 1:
        yield _text(x - 10, y, note.text, LABEL, kind, "end")
    else:
        yield _text(x + 10, y, note.text, LABEL, kind, "start")


def _kind(message: Message) -> str:
    if message.failed:
        return "way failed"
    if not message.over:
        return "way open"
    return "way passive" if message.passive else "way"


def _head(x: int, y: int, way: int, kind: str) -> str:
    return f'<path class="{kind} tip" d="M{x} {y}l{-8 * way} -4v8z"/>'


def _cross(x: int, y: int) -> str:
    return f'<path class="way failed" d="M{x - 5} {y - 5}l10 10m0 -10l-10 10"/>'


def _text(x: int, y: int, text: str, room: int, kind: str, anchor: str) -> str:
    return (
        f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">'
        f"<title>{html(text, 400)}</title>{html(text, room)}</text>"
    )
