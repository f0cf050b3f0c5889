"""The last line: what is being typed or asked, else what there is to say, else the keys."""

from __future__ import annotations

from typing import Final

from choreia.console.model.face import Face
from choreia.console.model.header import joined
from choreia.console.model.help import hints
from choreia.console.model.line import Line, Span, cut
from choreia.console.model.question import Question
from choreia.console.model.stage import Stage

ANSWERS: Final = "? y/n"


def footer(stage: Stage, prefix: str, width: int) -> Line:
    """In exactly `width` cells. `prefix`: the choice that is offered, if one is."""
    face = stage.face
    if stage.prompt is not None:
        return face.fit(stage.prompt.line(face.clean, width), width)
    if stage.question is not None:
        return _asked(face, stage.question, width)
    if prefix:
        return _said(face, prefix, "key", width)
    if stage.note is not None:
        text, style = stage.note
        return _said(face, text, style, width)
    return joined(face, hints(), width)


def _said(face: Face, text: str, style: str, width: int) -> Line:
    return face.fit((Span(face.clean(text, 2 * width), style),), width)


def _asked(face: Face, question: Question, width: int) -> Line:
    """Whatever names are in it, what can be answered is seen."""
    text = cut(face.clean(question.text, 2 * width), width - len(ANSWERS), face.ellipsis)
    return face.fit((Span(text, "warn"), Span(ANSWERS, "key")), width)
