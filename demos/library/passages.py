"""Cleaning a text and cutting it into passages: paragraphs, as many as fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 800
"""Characters of a passage: enough to be understood, few enough to be quoted."""

_BLANK = re.compile(r"\n\s*\n")
_RULE = re.compile(r"^[\W_]{3,}$")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")


def cut(text: str) -> list[str]:
    """The passages of a text, in order, a paragraph on each line. Nothing that can be read is left
    out."""
    passages: list[str] = []
    current = ""
    for piece in _pieces(text):
        if current and len(current) + 1 + len(piece) > LONGEST:
            passages.append(current)
            current = ""
        current = f"{current}\n{piece}" if current else piece
    return [*passages, current] if current else passages


def clean(paragraph: str) -> str:
    """A paragraph on one line, without what only draws: underlines, frames."""
    lines = (line.strip() for line in paragraph.splitlines())
    return " ".join(" ".join(line for line in lines if not _RULE.match(line)).split())


def sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE.split(text) if sentence]


def _pieces(text: str) -> Iterator[str]:
    """Paragraphs; of those that are too long, sentences; of those, as much as fits."""
    for paragraph in _BLANK.split(text):
        paragraph = clean(paragraph)
        if len(paragraph) <= LONGEST:
            yield from filter(None, [paragraph])
            continue
        for sentence in sentences(paragraph):
            yield from _chopped(sentence)


def _chopped(sentence: str) -> Iterator[str]:
    while len(sentence) > LONGEST:
        end = sentence.rfind(" ", 1, LONGEST)
        end = end if end > 0 else LONGEST
        yield sentence[:end].rstrip()
        sentence = sentence[end:].lstrip()
    if sentence:
        yield sentence
