"""Reading what was said: what a conversation knew at any time, and what the library has had."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from choreia import Event, UnknownAgent, reconstruct
from choreia.demos.library.conversation import Conversation
from choreia.demos.library.index import Index
from choreia.demos.library.memory import Memory
from choreia.demos.library.shelves import Shelves
from choreia.runtime.events.keypath import spelled
from choreia.runtime.stores.base import EventStore

NODE = "local"


def remembered(store: EventStore, user: str, up_to: int | None = None) -> Memory:
    """What the conversation with `user` knew at a position of the log, or knows now."""
    try:
        return reconstruct(Conversation, conversation_of(user), store=store, up_to=up_to)
    except UnknownAgent:  # it has said nothing yet
        return Memory()


def shelved(store: EventStore) -> Shelves:
    """What the index knows now."""
    try:
        return reconstruct(Index, "index", store=store)
    except UnknownAgent:
        return Shelves()


def conversation_of(user: str) -> str:
    """The DID of the conversation with `user`."""
    return f"did:choreia:{NODE}:conversation:{spelled(user)}"


def said(store: EventStore, *types: str, after: int = 0) -> Iterator[Event]:
    """The events of these types, in order, save what was erased."""
    for recorded in store.read(after, pattern=types):
        if not recorded.erased:
            yield recorded.event


@frozen
class Kept:
    """What the library has of a document."""

    version: int
    digest: str
    """Nothing, if it was withdrawn."""


def kept(store: EventStore) -> dict[str, Kept]:
    """By document, the newest that was received or withdrawn."""
    found: dict[str, Kept] = {}
    for event in said(store, "document.received", "document.withdrawn"):
        id, version = event.payload["document_id"], event.payload["version"]
        # (The reader withdraws what has nothing to read in it, at the version it received.)
        if id not in found or version > found[id].version:
            found[id] = Kept(version, event.payload.get("digest", ""))
    return found


def users(store: EventStore) -> list[str]:
    """Everybody who has come or asked, in that order."""
    came = said(store, "user.arrived", "question.asked")
    return list(dict.fromkeys(str(event.payload["user"]) for event in came))


def before_last_run(store: EventStore) -> int:
    """The position behind which the last run began; 0 when there was at most one."""
    opened = [recorded.position for recorded in store.read(pattern="library.opened")]
    return opened[-1] - 1 if opened else 0
