"""A model that is none: it quotes the sentences that fit best. The same words give the same answer.

It needs no network, costs nothing and makes up nothing. Behind the same contract as a real one, it
shows what the others do with an answer: pieces, progress, cost, citations.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence

from attrs import frozen

from choreia.demos.library.models.base import Message, Piece, estimate
from choreia.demos.library.passages import sentences
from choreia.demos.library.words import terms

QUOTED = 2
"""Sentences."""
LEAST, LONGEST = 30, 400
"""Characters of one."""

_BEGINS = frozenset('ABCDEFGHIJKLMNOPQRSTUVWXYZ"“')
_HEAD = re.compile(r"\[(\d+)\] ")
_QUESTION = re.compile(r"Question: (.*?)(?: \(It is about: (.*)\.\))?$")
_NOTE = re.compile(r"\s*\[\d+\]")
"""A footnote's number, which would look like a citation."""


@frozen
class _Sentence:
    place: int
    passage: str
    text: str
    score: float


class ScriptedModel:
    """See the module."""

    name = "scripted"

    async def complete(
        self, messages: Sequence[Message], *, stream: bool = True
    ) -> AsyncGenerator[Piece, None]:
        answer = _answer(messages[-1].content)
        for piece in re.findall(r"\S+\s*", answer) if stream else [answer]:
            yield Piece(piece)
        yield Piece("", estimate(messages) + len(answer) // 4)


def _answer(told: str) -> str:
    lines = told.split("\n")
    asked = _QUESTION.match(lines[-1])
    own, about = asked.groups("") if asked else (told, "")
    found = _sentences(lines, set(terms(own)), set(terms(about)))
    # Of two passages that say the same, the better one.
    once = {one.text: one for one in sorted(found, key=lambda one: (one.score, -one.place))}
    best = sorted(once.values(), key=lambda one: (-one.score, one.place))[:QUOTED]
    best.sort(key=lambda one: one.place)
    quoted = (f"{one.text[:LONGEST]} [{one.passage}]" for one in best)
    return " ".join(quoted) or "The passages do not say."


def _sentences(lines: list[str], own: set[str], about: set[str]) -> list[_Sentence]:
    """Each sentence of each passage, with how much it has of the question's words."""
    found: list[_Sentence] = []
    number = "1"
    for line in lines:
        head = _HEAD.match(line)
        number = head[1] if head else number
        for text in sentences(_NOTE.sub("", line).strip()) if line.startswith("  ") else ():
            words = set(terms(text))
            score = (2 * len(own & words) + len(about & words)) * _prose(text)
            # Of the best passage rather than of the others.
            found.append(_Sentence(len(found), number, text, score / int(number) ** 0.5))
    return found


def _prose(text: str) -> float:
    """Headings, grammar and code are worth less as an answer."""
    ends = text.rstrip(')"”').endswith((".", "!", "?"))
    return 1.0 if ends and text[0] in _BEGINS and len(text) > LEAST else 0.4
