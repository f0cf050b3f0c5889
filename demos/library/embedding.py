"""The embedding agent: it gives passages and queries their vectors."""

from __future__ import annotations

from choreia import Agent, on
from choreia.demos.library.embedders import Embedder
from choreia.demos.library.events import (
    DocumentProcessed,
    EmbeddingGenerated,
    QueryEmbedded,
    SearchRequested,
)


class Embedding(Agent):
    """The only one that knows which embedder it is."""

    capabilities = ("text.embed",)
    emits = (EmbeddingGenerated, QueryEmbedded)

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder

    @on(DocumentProcessed)
    def passages(self, processed: DocumentProcessed) -> None:
        id, version, title = processed.document_id, processed.version, processed.title
        # A passage in the middle of a document often does not name what it is about.
        texts = [f"{title} {id}\n{passage.text}" for passage in processed.passages]
        vectors = self.embedder.embed(texts)
        for passage, vector in zip(processed.passages, vectors, strict=True):
            self.emit(EmbeddingGenerated(id, version, title, passage, vector))

    @on(SearchRequested)
    def query(self, wanted: SearchRequested) -> None:
        [vector] = self.embedder.embed([wanted.query])
        self.emit(QueryEmbedded(wanted.user, wanted.question, vector))
