"""The line of tabs: the views, which one is seen, what is open in it, its filter and order."""

from __future__ import annotations

from collections.abc import Sequence

from choreia.console.model.face import Face
from choreia.console.model.line import Line, Span, width_of


def tabs(
    face: Face, titles: Sequence[str], current: int, opened: Sequence[str], status: str, width: int
) -> Line:
    """In exactly `width` cells. The one seen has brackets: not all terminals have colour."""
    spans = _titles(titles, current, short=False)
    beside = [Span(f" {face.sign('arrow')} {face.clean(one, 40)}", "title") for one in opened]
    if status:
        beside.append(Span(f"  {face.clean(status, 2 * width)}", "accent"))
    # What is left of the views is said before what is less than all of their names.
    if _width(spans) + min(_width(beside), 24) > width:
        spans = _titles(titles, current, short=True)
    return face.fit([*spans, *beside], width)


def _titles(titles: Sequence[str], current: int, *, short: bool) -> list[Span]:
    spans: list[Span] = []
    for index, title in enumerate(titles):
        if index == current:
            spans.append(Span(f"[{index + 1} {title}]", "selected"))
        else:
            spans.append(Span(f" {index + 1}" if short else f" {index + 1} {title} ", "dim"))
    return spans


def _width(spans: Sequence[Span]) -> int:
    return sum(width_of(span.text) for span in spans)
