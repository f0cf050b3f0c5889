"""The index: it remembers every passage, and finds those that fit a query."""

from __future__ import annotations

from attrs import asdict

from choreia import EventSourcedAgent, on
from choreia.demos.library.events import (
    DocumentWithdrawn,
    EmbeddingGenerated,
    MemoryUpdated,
    QueryEmbedded,
    SearchFound,
)
from choreia.demos.library.shelves import PASSAGE, WITHDRAWN, Entry, Shelves

CITED = 4
"""Passages that are offered for an answer."""


class Index(EventSourcedAgent[Shelves]):
    """What it has said is what it knows; so with a store nothing is indexed twice."""

    capabilities = ("library.search",)
    emits = (MemoryUpdated, SearchFound)

    @on(EmbeddingGenerated)
    def remember(self, made: EmbeddingGenerated) -> None:
        if not self.state.outdated(made.document_id, made.version):
            number, text = made.passage.number, made.passage.text
            entry = Entry(made.document_id, made.version, made.title, number, text, made.vector)
            self.emit(MemoryUpdated(PASSAGE, asdict(entry)))

    @on(DocumentWithdrawn)
    def forget(self, gone: DocumentWithdrawn) -> None:
        if not self.state.outdated(gone.document_id, gone.version):
            self.emit(MemoryUpdated(WITHDRAWN, asdict(gone)))

    @on(QueryEmbedded)
    def look(self, query: QueryEmbedded) -> None:
        found = self.state.find(query.vector, CITED)
        self.emit(SearchFound(query.user, query.question, found))
