"""Does it add up? What one agent said is compared with what the others made of it.

All of it is read from the log, so it holds for every run that the store has seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from attrs import frozen

from choreia import DeadLetter, Event
from choreia.demos.library.past import said, shelved
from choreia.runtime.events.display import plain
from choreia.runtime.stores.base import EventStore

SHOWN = 3
"""Faults of one check that are told; the others are counted."""
ANSWERED, REFUSED = "question.answered", "question.refused"

Piece = tuple[str, int, int]
"""Document, version, and the number of a passage (or of a part)."""


@frozen
class Check:
    """One thing that must hold, and a sentence on whether it does."""

    name: str
    holds: bool
    says: str


def audit(store: EventStore, letters: Sequence[DeadLetter]) -> tuple[Check, ...]:
    """Every check, in the order in which things happen. The system must be at rest."""
    return (
        _documents(store),
        _passages(store),
        _index(store),
        _questions(store),
        _citations(store),
        _letters(letters),
    )


def passages(store: EventStore) -> Counter[Piece]:
    """What the reader has cut, and how often."""
    return Counter(
        (*_version(event), passage["number"])
        for event in said(store, "document.processed")
        for passage in event.payload["passages"]
    )


def _documents(store: EventStore) -> Check:
    received = {_version(event) for event in said(store, "document.received")}
    processed = Counter(
        (*_version(event), event.payload["part"]) for event in said(store, "document.processed")
    )
    whole = {
        (*_version(event), part)
        for event in said(store, "document.processed")
        for part in range(1, event.payload["parts"] + 1)
    }
    read = {piece[:2] for piece in processed}
    read |= {_version(event) for event in said(store, "document.withdrawn")}  # nothing in it
    faults = [f"{id} (version {version}) was not processed" for id, version in received - read]
    faults += [f"{id} (version {v}) lacks part {part}" for id, v, part in whole - set(processed)]
    faults += _repeated(processed, "part", "processed")
    return _check("documents", f"each of {len(received):,} was processed once", faults)


def _passages(store: EventStore) -> Check:
    cut, embedded = passages(store), _embedded(store)
    faults = _differing(cut, embedded, "was cut, but not embedded", "was embedded, but never cut")
    faults += _repeated(embedded, "passage", "embedded")
    return _check("passages", f"each of {cut.total():,} was embedded once", faults)


def _index(store: EventStore) -> Check:
    """The index holds the newest version of each document, and of that every passage."""
    shelves = shelved(store)
    holds = Counter((entry.document_id, entry.version, entry.number) for entry in shelves.entries())
    newest = {id: shelf.version for id, shelf in shelves.documents.items()}
    due = Counter(piece for piece in _embedded(store) if piece[1] == newest.get(piece[0], piece[1]))
    faults = _differing(due, holds, "is not in the index", "is in the index, but was not embedded")
    faults += _repeated(holds, "passage", "indexed")
    count = sum(1 for shelf in shelves.documents.values() if shelf.entries)
    return _check(
        "index", f"{holds.total():,} passages of {count:,} documents can be found", faults
    )


def _questions(store: EventStore) -> Check:
    ends = Counter(str(event.payload["question"]) for event in said(store, ANSWERED, REFUSED))
    asked = {event.id: str(event.payload["text"]) for event in said(store, "question.asked")}
    faults = [f"{text!r} has {ends[id]} answers" for id, text in asked.items() if ends[id] != 1]
    faults += [f"nobody asked {id}, and it was answered" for id in set(ends) - set(asked)]
    refused = sum(1 for _ in said(store, REFUSED))
    more = f", {refused:,} of them by a refusal" if refused else ""
    return _check("questions", f"each of {len(asked):,} was answered once{more}", faults)


def _citations(store: EventStore) -> Check:
    known = {(id, number) for id, _, number in passages(store)}
    cited = [
        (event, [(one["document_id"], one["passage"]) for one in event.payload["citations"]])
        for event in said(store, ANSWERED)
    ]
    faults = [f"{_quoted(event)} cites nothing" for event, named in cited if not named]
    faults += [
        f"{_quoted(event)} cites {id} {number}, which does not exist"
        for event, named in cited
        for id, number in named
        if (id, number) not in known
    ]
    count = sum(len(named) for _, named in cited)
    return _check("citations", f"{count:,}, at least one an answer, and each exists", faults)


def _letters(letters: Sequence[DeadLetter]) -> Check:
    faults = [f"{one.agent}: {_type(one.event)}: {one.said or one.error}" for one in letters]
    return _check("failures", "no event was left unhandled", faults)


def _type(event: Event | None) -> str:
    return event.type if event is not None else "a message"


def _version(event: Event) -> tuple[str, int]:
    return str(event.payload["document_id"]), int(event.payload["version"])


def _embedded(store: EventStore) -> Counter[Piece]:
    return Counter(
        (*_version(event), event.payload["passage"]["number"])
        for event in said(store, "embedding.generated")
    )


def _differing(one: Iterable[Piece], other: Iterable[Piece], less: str, more: str) -> list[str]:
    first, second = set(one), set(other)
    faults = [f"{id} {number} {less}" for id, _, number in sorted(first - second)]
    return faults + [f"{id} {number} {more}" for id, _, number in sorted(second - first)]


def _repeated(counts: Counter[Piece], what: str, done: str) -> list[str]:
    return [
        f"{what} {number} of {id} was {done} {times} times"
        for (id, _, number), times in counts.items()
        if times != 1
    ]


def _quoted(event: Event) -> str:
    return f"the answer {str(event.payload['text'])[:40]!r}"


def _check(name: str, good: str, faults: list[str]) -> Check:
    if not faults:
        return Check(name, True, good)
    more = f"; and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else ""
    return Check(name, False, "; ".join(plain(fault, 200) for fault in faults[:SHOWN]) + more)
