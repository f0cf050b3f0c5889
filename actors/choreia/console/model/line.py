"""What is drawn: lines of spans, and how many cells of a terminal they take.

A terminal moves its cursor by cells, not by characters: wide ones take two, combining ones none.
A line that is a cell too long wraps and shifts the whole picture, so the widths here are those that
rich draws by (a test compares them), and every line that leaves the model went through `fit`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import attrs

ELLIPSIS: Final = "…"

# Hangul vowels and finals join the letter before them. Fillers are blank and of no width.
_JOINING: Final = ((0x1160, 0x11FF), (0xD7B0, 0xD7FF), (0x3164, 0x3164), (0xFFA0, 0xFFA0))
# Wide since Unicode 16, which Python's tables may be too old to know.
_WIDE: Final = (
    (0x2630, 0x2637), (0x268A, 0x268F), (0x4DC0, 0x4DFF), (0x1D300, 0x1D356), (0x1D360, 0x1D376)
)  # fmt: skip


@attrs.frozen
class Span:
    """Text in one style."""

    text: str
    style: str = ""
    """Names of `choreia.console.terminal.theme`, blanks between them; "" is plain."""


Line = tuple[Span, ...]


def width_of(text: str) -> int:
    """Cells of a terminal that `text` takes. It has no control characters in it."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def cut(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """`text` in at most `width` cells; what does not fit ends in `ellipsis`."""
    if len(text) <= width and width_of(text) <= width:
        return text
    room = width - width_of(ellipsis)
    return _head(text, width) if room < 0 else _head(text, room) + ellipsis


def cut_head(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """The same, but the end is kept: ids that were made together begin alike."""
    if width_of(text) <= width:
        return text
    kept = text[len(text) - max(0, width - width_of(ellipsis)) :]
    while width_of(kept) + width_of(ellipsis) > width and kept:
        kept = kept[1:]
    return cut(ellipsis + kept, width, "")


def fill(text: str, width: int, *, right: bool = False, ellipsis: str = ELLIPSIS) -> str:
    """`text` in exactly `width` cells, at the left or the right of them."""
    text = cut(text, width, ellipsis)
    blank = " " * (width - width_of(text))
    return blank + text if right else text + blank


def fit(spans: Iterable[Span], width: int, ellipsis: str = ELLIPSIS) -> Line:
    """The spans in exactly `width` cells: cut, or with blanks behind them."""
    fitted: list[Span] = []
    room = width
    for span in spans:
        cells = width_of(span.text)
        if cells > room:
            fitted.append(Span(fill(span.text, room, ellipsis=ellipsis), span.style))
            return tuple(fitted)
        if span.text:
            fitted.append(span)
        room -= cells
    if room:
        fitted.append(Span(" " * room))
    return tuple(fitted)


def styled(spans: Iterable[Span], style: str) -> Line:
    """The same in one style more, but for bars: turned round, what is full would look empty."""
    return tuple(
        span if span.style.startswith("bar.") else Span(span.text, f"{span.style} {style}".strip())
        for span in spans
    )


def drop(spans: Iterable[Span], cells: int) -> Line:
    """The spans without their first `cells` cells: what is seen after scrolling to the right."""
    left: list[Span] = []
    for span in spans:
        if not cells:
            left.append(span)
            continue
        head = _head(span.text, cells)
        taken = width_of(head)
        rest = span.text[len(head) :]
        if rest and taken < cells:  # half of a wide character
            rest, taken = " " * (width_of(rest[0]) - (cells - taken)) + rest[1:], cells
        cells -= taken
        if rest:
            left.append(Span(rest, span.style))
    return tuple(left)


def _head(text: str, width: int) -> str:
    """As much of the beginning as goes into `width` cells."""
    taken = 0
    for index, character in enumerate(text):
        taken += _cells(character)
        if taken > width:
            return text[:index]
    return text


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    point = ord(character)
    if unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf") or _within(point, _JOINING):
        return 0
    wide = unicodedata.east_asian_width(character) in "WF" or _within(point, _WIDE)
    return 2 if wide else 1


def _within(point: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= point <= last for first, last in ranges)
