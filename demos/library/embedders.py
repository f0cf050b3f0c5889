"""How texts are made comparable: by hashed words, or by a model if one is installed.

The hashed embedder is TF-IDF with the hashing trick, in the variant ``lnc.ltc`` (Manning et al.
2008, *Introduction to Information Retrieval*, 6.4.3): a passage's weights are 1 + log of how often
a word occurs, at length 1; how rare a word is weighs on the query's side only, and the index, which
has all passages, knows that. So a vector, once made, never has to be made again because other
documents came; and it does not matter in which order they come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from math import log, sqrt
from typing import Any, Protocol
from zlib import crc32

from choreia import DemoError
from choreia.demos.library.events import Vector
from choreia.demos.library.words import terms

BUCKETS = 2**18
"""For some ten thousand words; two that share a bucket are rare."""
DIGITS = 6
MODEL = "all-MiniLM-L6-v2"


class Embedder(Protocol):
    """Gives texts vectors of length 1 that are near each other if the texts are."""

    @property
    def name(self) -> str:
        """Vectors of embedders of different names are not compared."""
        ...

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, always the same for the same. May block."""
        ...


class HashedEmbedder:
    """Words, hashed. `crc32`, because Python's `hash` of a text differs from run to run."""

    name = "hashed"

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> Vector:
        counts = Counter(str(crc32(word.encode()) % BUCKETS) for word in terms(text))
        return unit({bucket: 1 + log(count) for bucket, count in counts.items()})


class SentenceEmbedder:
    """The package sentence-transformers. Raises `DemoError` if it is not installed."""

    name = f"sentence-transformers/{MODEL}"

    def __init__(self) -> None:
        try:
            module: Any = import_module("sentence_transformers")
        except ImportError:
            raise DemoError(
                "--embedder sentence-transformers: that package is not installed; "
                "pip install sentence-transformers, or take --embedder hashed"
            ) from None
        self._model = module.SentenceTransformer(MODEL)

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        rows = self._model.encode(list(texts), normalize_embeddings=True)
        return [unit({str(n): float(x) for n, x in enumerate(row)}) for row in rows]


EMBEDDERS: dict[str, type[HashedEmbedder] | type[SentenceEmbedder]] = {
    "hashed": HashedEmbedder,
    "sentence-transformers": SentenceEmbedder,
}


def unit(vector: Vector) -> Vector:
    """The same direction at length 1, in few digits: they travel as JSON."""
    length = sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {key: round(weight / length, DIGITS) for key, weight in sorted(vector.items())}
