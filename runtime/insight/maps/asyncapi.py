"""A choreography as an AsyncAPI 3 document: channels are event types, operations what agents do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from choreia.runtime.events.display import plain
from choreia.runtime.insight.choreography import Choreography, Payload
from choreia.runtime.insight.links import Links, Word, pattern_of

VERSION = "3.0.0"
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 200


def to_asyncapi(choreography: Choreography, version: str = "1.0.0") -> dict[str, object]:
    """The document as data. `version` is that of the choreography, not of AsyncAPI."""
    links = Links(choreography)
    types = sorted({word.type for word in links.words})
    keys = dict(zip(types, _keys(types), strict=True))
    return {
        "asyncapi": VERSION,
        "info": {"title": plain(choreography.name, _LONGEST) or "choreography", "version": version},
        "defaultContentType": "application/json",
        "channels": {keys[type]: _channel(type, keys[type]) for type in types},
        "operations": dict(_operations(links, keys)),
        "components": {
            "messages": {
                keys[type]: _message(type, choreography.payloads.get(type)) for type in types
            }
        },
    }


def _channel(type: str, key: str) -> dict[str, object]:
    names = [f"part{number}" for number, one in enumerate(type.split("."), 1) if one in ("*", "#")]
    segments = [
        f"{{part{number}}}" if one in ("*", "#") else one
        for number, one in enumerate(type.split("."), 1)
    ]
    channel: dict[str, object] = {
        "address": ".".join(segments),
        "messages": {key: {"$ref": f"#/components/messages/{key}"}},
    }
    if names:
        what = {"description": "Known only when it is said."}
        channel["parameters"] = dict.fromkeys(names, what)
    return channel


def _message(type: str, payload: Payload | None) -> dict[str, object]:
    message: dict[str, object] = {"name": plain(type, _LONGEST), "contentType": "application/json"}
    if payload is not None:
        message["payload"] = _schema(payload)
        message["summary"] = plain(
            f"{payload.name or 'a payload'}, version {payload.version}", _LONGEST
        )
    return message


def _schema(payload: Payload) -> Mapping[str, object]:
    """Of a literal in the source only the names of the fields are sure."""
    if payload.name:
        return payload.schema
    fields = payload.schema.get("properties")
    names = list(fields) if isinstance(fields, Mapping) else []
    return {"type": "object", "properties": {str(name): {} for name in names}}


def _operations(links: Links, keys: Mapping[str, str]) -> Iterator[tuple[str, dict[str, object]]]:
    done: dict[str, dict[str, object]] = {}
    for word in sorted(links.words, key=_by_type):
        for node, _ in word.sayers:
            done.setdefault(
                _id(node.player.name, "says", keys[word.type]), _operation("send", keys[word.type])
            )
        for node, ask in word.hearers:
            heard = _id(node.player.name, "hears", keys[word.type])
            handler = f"{node.reaction.name}, on {ask.pattern}"
            operation = done.setdefault(heard, _operation("receive", keys[word.type]))
            operation.setdefault("summary", plain(handler, _LONGEST))
    yield from sorted(done.items())


def _operation(action: str, key: str) -> dict[str, object]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{key}"},
        "messages": [{"$ref": f"#/channels/{key}/messages/{key}"}],
    }


def _id(agent: str, does: str, key: str) -> str:
    return f"{_FOREIGN.sub('_', agent)[:_LONGEST]}.{does}.{key}"


def _by_type(word: Word) -> str:
    return word.type


def _keys(types: list[str]) -> Iterator[str]:
    """A name for each type that can stand in a reference. Types differ; these must, too."""
    taken: set[str] = set()
    for type in types:
        key = type if pattern_of(type).exact else type.replace("*", "any").replace("#", "rest")
        while key in taken:
            key += "_"
        taken.add(key)
        yield key
