"""A whole store as lines of JSON, and back: nothing is lost on the way.

The first line says what it is, the last one how much there was and the hash chain's last link; in
between a line for each event, in order, and one for each cursor, timer, dead letter, and whatever
else is kept beside the log. Each line ends in a checksum of the file up to there, so what was cut,
or changed by hand, is refused as a whole, with the number of the first line that is not as it was.
(The chain alone would say so of events only, at the end, and not where: a lost cursor would be an
agent that begins anew.)
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import orjson

from choreia.runtime.errors import InvalidStore
from choreia.runtime.events.event import Event, make_event, make_metadata
from choreia.runtime.events.payload import FrozenDict, freeze
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.base import Contents, Erasure, EventStore
from choreia.runtime.stores.unit import (
    CaseRecord,
    Completed,
    Cursor,
    KeepAttempts,
    KeptInterest,
    Letter,
    Result,
    SetTimer,
    Snapshot,
)

FORMAT = "choreia.store/1"
_CHECK = b',"check":"%08x"}'
_CHECK_LENGTH = 20
Json = dict[str, Any]


def export(store: EventStore) -> Iterator[bytes]:
    """The lines, each with its newline; memory stays flat. Raises `StoreDamaged`."""
    check = 0
    for document in _documents(store):
        body = orjson.dumps(document)[:-1]
        check = zlib.crc32(body, check)
        yield body + _CHECK % check + b"\n"


def _documents(store: EventStore) -> Iterator[Json]:
    yield {"format": FORMAT}
    # Of a store that is being written to: what stands beside the log is read first, so it is never
    # ahead of it. An agent that handles again what it had handled makes the same ids.
    beside = list(_beside(store))
    info = store.info()
    for recorded, digest in store.history():
        if recorded.position > info.head:
            break
        yield {
            "position": recorded.position,
            "at": recorded.at,
            "flags": recorded.flags,
            "event": _event(recorded.event),
        } | ({"digest": digest.hex()} if digest is not None else {})
    yield from beside
    yield {"events": info.head, "chain": info.chain}


def _beside(store: EventStore) -> Iterator[Json]:
    for cursor in store.cursors():
        yield {"cursor": [cursor.agent, cursor.epoch, cursor.position]}
    for done in store.completed():
        yield {"completed": [done.agent, done.position]}
    for snapshot in store.snapshots():
        state = snapshot.state.decode()
        yield {"snapshot": [snapshot.source, snapshot.position, snapshot.code, state]}
    for timer in store.timers():
        head = [timer.agent, timer.key, timer.due, timer.schedule]
        yield {"timer": head, "event": _event(timer.event)}
    for letter in store.letters():
        yield {"letter": _letter(letter), "event": _event(letter.event)}
    for agent in _agents(store):
        # Stores keep these in no order; the same contents are the same file.
        for tried in sorted(store.attempts(agent), key=lambda one: one.event_id):
            yield {"attempts": [agent, tried.event_id, tried.failed, tried.crashes]}
        for result in sorted(store.results(agent), key=lambda one: (one.event_id, one.name)):
            value = result.value.decode()
            yield {"result": [agent, result.event_id, result.name, value]}
    for record in store.records():
        case = [record.agent, record.correlation_id, record.name]
        yield {"record": [*case, record.value.decode(), record.position]}
    for one in store.interests():
        yield {"interest": [one.agent, one.since, one.value.decode(), one.durable]}
    for erased in store.erasures():
        yield {"erasure": list(attrs.astuple(erased))}


def import_into(store: EventStore, lines: Iterable[bytes]) -> int:
    """Fill an empty store with what was exported: how many events. Raises `InvalidStore`, which
    names the line, for what is not whole; then the store is as empty as before."""
    if store.head or store.cursors() or store.interests():
        raise InvalidStore("import needs an empty store: this one is in use already")
    reader = _Reader(lines)
    return store.restore(reader.contents(), lambda: (reader.count, reader.chain))


class _Reader:
    """Reads lines, and finds what is wrong with them."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self._number = self._check = 0
        self.count = 0
        self.chain = ""

    def contents(self) -> Contents:
        ended = False
        for line in self._lines:
            self._number += 1
            if ended:
                raise self._wrong("there is something behind the last line")
            document = self._parse(line)
            if self._number == 1:
                continue
            if "chain" in document:
                self.count, self.chain = int(document["events"]), str(document["chain"])
                ended = True
                continue
            try:
                yield self._entry(document)
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                raise self._wrong(f"it cannot be read: {error!r}") from error
        if not ended:
            self._number += 1
            raise self._wrong("the last line is missing: the file was cut")

    def _parse(self, line: bytes) -> Json:
        line = line.rstrip(b"\r\n")
        try:
            document = orjson.loads(line)
        except ValueError as error:
            raise self._wrong(f"it is no JSON: {error}") from error
        if not isinstance(document, dict):
            raise self._wrong("it is no object")
        if self._number == 1 and document.get("format") != FORMAT:
            raise self._wrong(f"this is no export: it must begin with format {FORMAT}")
        self._check = zlib.crc32(line[:-_CHECK_LENGTH], self._check)
        if line[-_CHECK_LENGTH:] != _CHECK % self._check:
            raise self._wrong("it is not what was exported there")
        return document

    def _wrong(self, what: str) -> InvalidStore:
        return InvalidStore(f"line {self._number}: {what}; nothing was imported")

    @staticmethod
    def _entry(line: Json) -> object:  # one line for each kind
        if "position" in line:
            recorded = Recorded(
                line["position"], _event_of(line["event"]), line["at"], line["flags"]
            )
            return recorded, bytes.fromhex(line["digest"]) if "digest" in line else None
        if "cursor" in line:
            return Cursor(*line["cursor"])
        if "completed" in line:
            return Completed(*line["completed"])
        if "snapshot" in line:
            source, position, code, state = line["snapshot"]
            return Snapshot(source, position, code, state.encode())
        if "timer" in line:
            agent, key, due, schedule = line["timer"]
            return SetTimer(agent, key, due, _event_of(line["event"]), schedule)
        if "letter" in line:
            agent, *rest = line["letter"]
            return Letter(agent, _event_of(line["event"]), *rest)
        if "attempts" in line:
            return KeepAttempts(*line["attempts"])
        if "result" in line:
            agent, event_id, name, value = line["result"]
            return agent, Result(event_id, name, value.encode())
        if "record" in line:
            agent, case, name, value, position = line["record"]
            return CaseRecord(agent, case, name, value.encode(), position)
        if "interest" in line:
            agent, since, value, durable = line["interest"]
            return KeptInterest(agent, since, value.encode(), durable)
        if "erasure" in line:
            return Erasure(*line["erasure"])
        raise ValueError(f"unknown kind {sorted(line)}")


def _agents(store: EventStore) -> Iterator[str]:
    """Members of families have attempts and results, but no cursors of their own."""
    return iter(sorted({cursor.agent for cursor in store.cursors()} | store.unfinished()))


def _letter(letter: Letter) -> list[object]:
    return [
        letter.agent, letter.reason, letter.error, letter.traceback, letter.attempts, letter.time,
        letter.waiting, letter.crashes, letter.number,
    ]  # fmt: skip


def _event(event: Event) -> Json:
    meta = event.metadata
    return {
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "timestamp": event.timestamp,
        "payload": event.payload,
        "metadata": {
            "correlationId": meta.correlation_id,
            "causationId": meta.causation_id,
            "version": meta.version,
            "hops": meta.hops,
            "causes": meta.causes,
            "extensions": meta.extensions,
        },
        "extra": event.extra,
    }


def _event_of(wire: Json) -> Event:
    meta = wire["metadata"]
    metadata = make_metadata(
        meta["correlationId"],
        meta["causationId"],
        meta["version"],
        meta["hops"],
        tuple(meta["causes"]),
        _frozen(meta["extensions"]),
    )
    return make_event(
        wire["id"],
        wire["type"],
        wire["source"],
        wire["timestamp"],
        _frozen(wire["payload"]),
        metadata,
        _frozen(wire["extra"]),
    )


def _frozen(value: object) -> FrozenDict:
    return freeze(value)
