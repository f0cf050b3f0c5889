"""Reading what was said: what a conversation knew at any time, and what the library has had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar, cast

from attrs import frozen

from choreia import Event
from choreia.actors.folding import Applier
from choreia.runtime.stores.base import EventStore

S = TypeVar("S")

NODE = "local"


def fold(state: type[S], store: EventStore, agent_id: str, up_to: int | None = None) -> S:
    """The state of an agent as its own events made it, up to and with a position of the log."""
    said = store.read(source=agent_id, up_to=up_to)
    applier = Applier(state)
    return cast("S", applier.fold(applier.initial(), (one.event for one in said if not one.erased)))


def agent_id(name: str) -> str:
    return f"did:choreia:{NODE}:{name}"


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
