"""What the index remembers: by document its passages and their vectors; and looking in it."""

from __future__ import annotations

from collections.abc import Iterator
from math import log, sqrt

from attrs import evolve, field, frozen

from choreia import applies
from choreia.demos.library.events import Citation, MemoryUpdated, Vector
from choreia.demos.pages import Pages

PASSAGE, WITHDRAWN = "passage", "withdrawn"
"""Keys of what the index says to itself."""


@frozen
class Entry:
    """A passage that can be found."""

    document_id: str
    version: int
    title: str
    number: int
    text: str
    vector: Vector


@frozen
class Shelf:
    """The newest version of a document; without entries, it was withdrawn."""

    version: int
    entries: tuple[Entry, ...] = ()


@frozen
class Shelves:
    """A fold of what the index has said."""

    documents: Pages[str, Shelf] = field(factory=Pages[str, Shelf])

    @applies(MemoryUpdated)
    def updated(self, updated: MemoryUpdated) -> Shelves:
        if updated.key == WITHDRAWN:
            id, version = updated.value["document_id"], updated.value["version"]
            return evolve(self, documents=self.documents.put(id, Shelf(version)))
        entry = Entry(**updated.value)
        shelf = self.documents.get(entry.document_id)
        if shelf is None or shelf.version < entry.version:  # another text: the old one is gone
            shelf = Shelf(entry.version)
        shelf = evolve(shelf, entries=(*shelf.entries, entry))
        return evolve(self, documents=self.documents.put(entry.document_id, shelf))

    def outdated(self, document_id: str, version: int) -> bool:
        """Whether a newer version, or its withdrawal, is known."""
        shelf = self.documents.get(document_id)
        return shelf is not None and shelf.version > version

    def entries(self) -> Iterator[Entry]:
        """All that can be found, in an order that does not depend on who was first."""
        for _, shelf in sorted(self.documents.items()):
            yield from shelf.entries

    def find(self, query: Vector, most: int) -> tuple[Citation, ...]:
        """The passages nearest to a query, best first; none that has nothing to do with it.

        Looks at all of them: some milliseconds for a thousand. A library of millions would keep
        a list of passages for each word.
        """
        entries = list(self.entries())
        weights = self._weigh(query, entries)
        scored = ((_score(weights, entry), entry) for entry in entries)
        found = [(score, entry) for score, entry in scored if score > 0]
        found.sort(key=lambda one: -one[0])  # stable: of equals, the first in order
        return tuple(_citation(entry, score) for score, entry in found[:most])

    def _weigh(self, query: Vector, entries: list[Entry]) -> Vector:
        """The query, with more weight on what is rare. (A dense vector's dimensions are all
        equally common, so it stays as it is.)"""
        weights: Vector = {}
        for key, weight in query.items():
            having = sum(key in entry.vector for entry in entries)
            if having:
                weights[key] = weight * log(1 + len(entries) / having)
        length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {key: weight / length for key, weight in weights.items()}


def _score(query: Vector, entry: Entry) -> float:
    vector = entry.vector
    return round(sum(weight * vector.get(key, 0.0) for key, weight in query.items()), 4)


def _citation(entry: Entry, score: float) -> Citation:
    return Citation(entry.document_id, entry.title, entry.number, entry.text, score)
