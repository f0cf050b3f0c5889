"""The key of an event: a value at a path, as text. Agents that are kept apart by it are *keyed*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from choreia.runtime.errors import InvalidFilter
from choreia.runtime.events.event import Event

LONGEST = 512
"""Characters of a key."""

KeyReader = Callable[[Event], str | None]

_FIELDS = ("type", "source")
_METADATA = {"correlationId": "correlation_id", "causationId": "causation_id"}
_OWN = ("correlation_id", "causation_id", "version")


def key_reader(path: str) -> KeyReader:
    """A function that reads an event's key at `path`: ``payload.…`` as deep as you like,
    ``metadata.correlation_id``, an extension of the metadata, ``source`` or ``type``.

    A key is a text of 1 to 512 characters, or a whole number, which is the same key as its digits.
    What is anything else, or missing, is None. Raises `InvalidFilter` for a path that leads
    nowhere.
    """
    if not isinstance(path, str) or not all(path.split(".")):
        raise InvalidFilter(f"key {path!r}: give a path such as 'payload.order_id'")
    root, *rest = path.split(".")
    if root in _FIELDS and not rest:
        return lambda event: _as_key(getattr(event, root))
    if root == "payload" and len(rest) == 1:
        [field] = rest
        return lambda event: _as_key(event.payload.get(field))
    if root == "payload" and rest:
        return lambda event: _as_key(_inside(event.payload, rest))
    if root == "metadata" and len(rest) == 1:
        name = _METADATA.get(rest[0], rest[0])
        if name in _OWN:
            return lambda event: _as_key(getattr(event.metadata, name))
        return lambda event: _as_key(event.metadata.extensions.get(name))
    raise InvalidFilter(
        f"key {path!r} leads nowhere: begin with payload., metadata., or give source or type"
    )


def _inside(value: object, segments: list[str]) -> object:
    for segment in segments:
        if not isinstance(value, Mapping):
            return None
        value = value.get(segment)
    return value


def _as_key(value: object) -> str | None:
    if isinstance(value, str):
        return value if 0 < len(value) <= LONGEST else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def spelled(key: str) -> str:
    """A key as a part of names and DIDs: what is no ASCII letter, digit or one of ``_.-~`` is
    written as ``%`` and its hexadecimal digits. No two keys are spelled the same."""
    return quote(key, safe="", errors="surrogatepass")
