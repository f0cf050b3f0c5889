"""The reader: it cleans documents and cuts them into passages."""

from __future__ import annotations

from choreia import Agent, on
from choreia.demos.library.events import (
    DocumentProcessed,
    DocumentReceived,
    DocumentWithdrawn,
    Passage,
)
from choreia.demos.library.passages import cut

TOGETHER = 100
"""Passages in one event: of a long document there are several, each far below a payload's limit."""


class Reader(Agent):
    """Knows texts, and nothing of vectors or questions."""

    capabilities = ("document.process",)
    emits = (DocumentProcessed, DocumentWithdrawn)
    external = (DocumentReceived, DocumentWithdrawn)

    @on(DocumentReceived)
    def read(self, received: DocumentReceived) -> None:
        id, version = received.document_id, received.version
        passages = [Passage(number, text) for number, text in enumerate(cut(received.text), 1)]
        if not passages:  # all of it was drawn: lines, frames
            self.emit(DocumentWithdrawn(id, version))
        parts = [passages[at : at + TOGETHER] for at in range(0, len(passages), TOGETHER)]
        for part, some in enumerate(parts, 1):
            self.emit(DocumentProcessed(id, version, received.title, part, len(parts), tuple(some)))
