"""C09 and C10: payloads that do not give what is required, and filters that they cannot pass."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.events.fields import ordered_version
from choreia.runtime.insight.checks.finding import Finding
from choreia.runtime.insight.choreography import Ask, Payload
from choreia.runtime.insight.fitting import misfits
from choreia.runtime.insight.links import Links, Node, Word
from choreia.runtime.insight.satisfying import first_impossible


def payloads(links: Links) -> Iterator[Finding]:
    for word in links.words:
        for node, ask in word.hearers:
            if word.payload is not None and ask.payload is not None:
                yield from _misfit(links, word, node, ask, word.payload, ask.payload)
    for node, ask, word in links.mute:
        schema = None if word.payload is None else word.payload.schema
        clause = first_impossible(ask.filter or {}, word.type, schema)
        yield Finding(
            "C10",
            node.player.name,
            ask.pattern,
            f"the filter of {node.title} can never match {word.type}: nothing that is declared of "
            f"it can meet what is asked of {clause}",
            "mend the filter, or what is emitted",
            node.reaction.place,
        )


def _misfit(
    links: Links, word: Word, node: Node, ask: Ask, given: Payload, wanted: Payload
) -> Iterator[Finding]:
    problem = _problem(links, word.type, given, wanted)
    if problem is not None:
        sayer = word.sayers[0][0].title if word.sayers else "somebody outside"
        yield Finding(
            "C09",
            node.player.name,
            word.type,
            f"{node.title} requires {_named(wanted)}, and {sayer} emits {_named(given)}: {problem}",
            "emit what is required, or write an upcaster",
            word.sayers[0][1].place if word.sayers else node.reaction.place,
        )


def _problem(links: Links, type: str, given: Payload, wanted: Payload) -> str | None:
    choreography = links.choreography
    version = choreography.lifts.get((type, given.version), given.version)
    has, needs = ordered_version(version)[0], ordered_version(wanted.version)[0]
    if has > needs:
        return f"version {version} is newer than {wanted.version}"
    if has < needs:
        return f"no upcaster leads from {given.version} to {wanted.version}"
    schema = given.schema
    if version != given.version:
        newest = choreography.payloads.get(type)
        if newest is None or newest.version != version:
            return None  # what the upcaster makes of it, nobody has declared
        schema = newest.schema
    found = misfits(schema, wanted.schema)
    return "; ".join(found) if found else None


def _named(payload: Payload) -> str:
    name = payload.name or "a payload"
    return f"{name} at version {payload.version}"
