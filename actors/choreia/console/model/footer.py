"""The last line: what is being typed or asked, else what there is to say, else the keys."""

from __future__ import annotations

from choreia.console.model.header import joined
from choreia.console.model.help import hints
from choreia.console.model.line import Line, Span, fit
from choreia.console.model.stage import Stage


def footer(stage: Stage, prefix: str, width: int) -> Line:
    """In exactly `width` cells. `prefix`: the choice that is offered, if one is."""
    face = stage.face
    if stage.prompt is not None:
        return fit(stage.prompt.line(face.clean, width), width, face.ellipsis)
    if stage.question is not None:
        return _said(face.clean(stage.question.text, 2 * width), "warn", width, face.ellipsis)
    if prefix:
        return _said(face.clean(prefix, 2 * width), "key", width, face.ellipsis)
    if stage.note is not None:
        text, style = stage.note
        return _said(face.clean(text, 2 * width), style, width, face.ellipsis)
    return joined(hints(), width, face.ellipsis)


def _said(text: str, style: str, width: int, ellipsis: str) -> Line:
    return fit((Span(text, style),), width, ellipsis)
