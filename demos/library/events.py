"""What is said in the library, and by whom. This is all that the agents know of each other.

A payload holds 1 MiB at most, so a long document is cut: into passages, and these into parts of a
hundred. What an agent wants to know tomorrow it says to itself, as ``memory.updated``.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from choreia import event_type

# -- from a document to the index --------------------------------------------------------------


@event_type("library.opened")
@frozen
class LibraryOpened:
    """From outside, once a run."""

    embedder: str
    """Vectors of two embedders cannot be compared, so a store keeps to one."""
    documents: int


@event_type("document.received")
@frozen
class DocumentReceived:
    """From outside: a document that is new, or another text of one that was here before."""

    document_id: str
    version: int
    """1, and one more each time the document changes."""
    title: str
    text: str
    digest: str
    """Of title and text: what has not changed is not received again."""


@event_type("document.withdrawn")
@frozen
class DocumentWithdrawn:
    """From outside: it is there no more. Or from the reader: there is nothing in it to read."""

    document_id: str
    version: int


@frozen
class Passage:
    """A piece of a document, short enough to be quoted."""

    number: int
    """Within its document, from 1."""
    text: str


@event_type("document.processed")
@frozen
class DocumentProcessed:
    """The reader has cleaned a document and cut it. Of a long one there are several parts."""

    document_id: str
    version: int
    title: str
    part: int
    parts: int
    passages: tuple[Passage, ...]


Vector = dict[str, float]
"""Weights by dimension; what is not named is 0. JSON's keys are text."""


@event_type("embedding.generated")
@frozen
class EmbeddingGenerated:
    """The embedder has made a passage comparable."""

    document_id: str
    version: int
    title: str
    passage: Passage
    vector: Vector


# -- from a question to its answer -------------------------------------------------------------


@event_type("user.arrived")
@frozen
class UserArrived:
    """From outside: somebody is there."""

    user: str


@event_type("user.greeted")
@frozen
class UserGreeted:
    """The conversation tells what it remembers."""

    user: str
    asked: tuple[str, ...]


@event_type("question.asked")
@frozen
class QuestionAsked:
    """From outside. It begins a case, and its event's id is the question's from here on."""

    user: str
    text: str


@event_type("question.withdrawn")
@frozen
class QuestionWithdrawn:
    """From outside, in the question's case: nobody wants the answer any more."""

    user: str
    question: str


@event_type("search.requested")
@frozen
class SearchRequested:
    """The conversation wants passages. The query holds what a follow-up leaves unsaid."""

    user: str
    question: str
    query: str


@event_type("query.embedded")
@frozen
class QueryEmbedded:
    """The embedder has made a query comparable."""

    user: str
    question: str
    vector: Vector


@frozen
class Citation:
    """A passage, and how well it fits: 1 at best."""

    document_id: str
    title: str
    passage: int
    text: str
    score: float


@event_type("search.found")
@frozen
class SearchFound:
    """The index has looked: the best passages, best first."""

    user: str
    question: str
    citations: tuple[Citation, ...]


@event_type("answer.progressed")
@frozen
class AnswerProgressed:
    """The model is writing: a piece of the answer, `at` so many characters from its beginning."""

    user: str
    question: str
    at: int
    piece: str


@event_type("question.answered")
@frozen
class QuestionAnswered:
    """The conversation has an answer, and says where it stands."""

    user: str
    question: str
    text: str
    citations: tuple[Citation, ...]
    tokens: int
    """That the model was given and wrote."""


@event_type("question.refused")
@frozen
class QuestionRefused:
    """There will be no answer, for that reason."""

    user: str
    question: str
    reason: str


# -- what an agent says to itself --------------------------------------------------------------


@event_type("memory.updated")
@frozen
class MemoryUpdated:
    """The index keeps a passage, a conversation what was asked, about what, for how much."""

    key: str
    value: dict[str, Any] = field(factory=dict)
    user: str = ""
    """Whose conversation; nobody's for the index."""
