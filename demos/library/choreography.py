"""The agents in one system, and documents and questions for them."""

from __future__ import annotations

from contextlib import suppress
from hashlib import blake2b

from choreia import ActorSystem, DemoError, Event, InvalidStore
from choreia.demos.library.conversation import BUDGET, Conversation
from choreia.demos.library.embedders import Embedder, HashedEmbedder
from choreia.demos.library.embedding import Embedding
from choreia.demos.library.events import (
    DocumentReceived,
    DocumentWithdrawn,
    LibraryOpened,
    QuestionAsked,
    UserArrived,
)
from choreia.demos.library.index import Index
from choreia.demos.library.models.base import Model
from choreia.demos.library.models.scripted import ScriptedModel
from choreia.demos.library.past import Kept, kept, said
from choreia.demos.library.reader import Reader
from choreia.demos.library.sources import Corpus, Document
from choreia.runtime.stores.base import EventStore

SOURCE = "shelf"
TOGETHER = 20
"""Documents that are published in one commit."""


def build(
    system: ActorSystem,
    *,
    embedder: Embedder | None = None,
    model: Model | None = None,
    budget: int = BUDGET,
) -> None:
    """Spawn reader, embedder, index, and conversations for whoever comes.

    To look at what was said, the system must have a store; a `MemoryStore` will do. Raises
    `DemoError` when that store was filled by another embedder.
    """
    embedder = embedder or HashedEmbedder()
    with suppress(InvalidStore):  # without a store there was nobody before
        _check_embedder(system.store, embedder)
    system.spawn(Reader, name="reader", start="beginning")
    system.spawn(lambda: Embedding(embedder), name="embedder", start="beginning")
    system.spawn(Index, name="index", start="beginning")
    model = model or ScriptedModel()
    system.spawn(lambda: Conversation(model, budget), start="beginning")


def deliver(system: ActorSystem, corpus: Corpus, embedder: Embedder) -> int:
    """Publish what is new or has changed, and withdraw what is gone: how many documents.

    Done again, whatever ended the process that did it before, it does nothing again.
    """
    before = kept(system.store)
    system.publish(LibraryOpened(embedder.name, len(corpus.documents)))
    new = [_received(one, before.get(one.id)) for one in corpus.documents if _news(one, before)]
    gone = set(before) - {one.id for one in corpus.documents}
    new += [_withdrawn(id, before[id]) for id in sorted(gone) if before[id].digest]
    for at in range(0, len(new), TOGETHER):
        system.publish_many(new[at : at + TOGETHER])
    return len(new)


def arrive(system: ActorSystem, user: str) -> None:
    """Somebody comes in, and is greeted."""
    system.publish(UserArrived(user))


def ask(system: ActorSystem, user: str, text: str) -> str:
    """Ask a question: its id."""
    return system.publish(QuestionAsked(user, text)).id


def _check_embedder(store: EventStore, embedder: Embedder) -> None:
    first = next(said(store, "library.opened"), None)
    if first is not None and first.payload["embedder"] != embedder.name:
        raise DemoError(
            f"this store was filled by the embedder {first.payload['embedder']!r}, and vectors of "
            f"{embedder.name!r} cannot be compared with those: take the same --embedder, or "
            "another file"
        )


def _news(document: Document, before: dict[str, Kept]) -> bool:
    known = before.get(document.id)
    return known is None or known.digest != document.digest


def _received(document: Document, known: Kept | None) -> Event:
    version = known.version + 1 if known else 1
    payload = DocumentReceived(document.id, version, document.title, document.text, document.digest)
    return _event("document.received", payload, document.id, version)


def _withdrawn(id: str, known: Kept) -> Event:
    version = known.version + 1
    return _event("document.withdrawn", DocumentWithdrawn(id, version), id, version)


def _event(type: str, payload: object, id: str, version: int) -> Event:
    # An id of its own: published twice, it is received once. (Hashed, for a path may be long.)
    name = f"document-{blake2b(id.encode(), digest_size=16).hexdigest()}-{version}"
    return Event(type=type, source=SOURCE, payload=payload, id=name)
