"""What is said, and by whom: texts of which pieces are only known when the agent is there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator

from choreia.actors.agent import Agent
from choreia.actors.choreography.speech import Utterance
from choreia.actors.choreography.values import Own, Text
from choreia.runtime.errors import InvalidPattern, InvalidType
from choreia.runtime.events.topic import TopicPattern, check_type
from choreia.runtime.insight.choreography import Saying

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_PLACE = re.compile(r"\{[^}]*\}")


def sayings(utterances: Iterable[Utterance], name: str, agent: Agent | None) -> tuple[Saying, ...]:
    """As agent `name` says it, which is there or not; without what is no event type at all."""
    return tuple(said for said, fits in _said(utterances, name, agent) if fits)


def refused(utterances: Iterable[Utterance], name: str, agent: Agent | None) -> tuple[Saying, ...]:
    """What stands in the source and is no event type: it will be refused."""
    return tuple(said for said, fits in _said(utterances, name, agent) if not fits)


def _said(
    utterances: Iterable[Utterance], name: str, agent: Agent | None
) -> Iterator[tuple[Saying, bool]]:
    met: set[Saying] = set()
    for one in utterances:
        said = Saying(_text(one.type, name, agent), one.place, one.timer, one.payload)
        if said not in met:
            met.add(said)
            yield said, _fits(one.type, said.type)


def _fits(type: str | Text, text: str) -> bool:
    try:
        if isinstance(type, str):
            check_type(text)
        else:
            TopicPattern(text)
    except (InvalidType, InvalidPattern):
        return False
    return True


def _text(type: str | Text, name: str, agent: Agent | None) -> str:
    if isinstance(type, str):
        return type
    return open_pattern("".join(_piece(piece, name, agent) for piece in type.pieces))


def _piece(piece: str | Own | None, name: str, agent: Agent | None) -> str:
    if isinstance(piece, str):
        return piece
    if piece is None or agent is None:
        return "{}"
    value: object = (
        name if piece.name == "name" else inspect.getattr_static(agent, piece.name, None)
    )
    return value if isinstance(value, str) and _SEGMENT.fullmatch(value) else "{}"


def open_pattern(text: str) -> str:
    """Segments of which a part is only known later may be anything, and several."""
    segments = ["#" if _PLACE.search(one) else one for one in text.split(".")]
    return ".".join(segments)
