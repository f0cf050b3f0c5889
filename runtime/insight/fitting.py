"""Whether payloads of one schema give what another one requires, as `structure` would find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from choreia.runtime.insight.choreography import Schema
from choreia.runtime.insight.schemas import alternatives, kind, properties, required, values

_MOST = 5


def misfits(given: Schema, wanted: Schema, path: str = "payload") -> list[str]:
    """What is wrong, a line each; nothing where that cannot be told."""
    return [line for line, _ in zip(_misfits(given, wanted, path), range(_MOST), strict=False)]


def _misfits(given: Schema, wanted: Schema, path: str) -> Iterator[str]:
    choices = alternatives(wanted)
    for one in alternatives(given):
        found = [list(_plain(one, choice, path)) for choice in choices]
        if all(found):
            yield from min(found, key=len)


def _plain(given: Schema, wanted: Schema, path: str) -> Iterator[str]:
    """Of two schemas without alternatives."""
    allowed, possible = values(wanted), values(given)
    need, has = kind(wanted), kind(given)
    if possible is not None:
        for value in possible:
            if value not in allowed if allowed is not None else not _is(need, value):
                yield f"{path} can be {value!r}, and {_named(wanted)} is required"
        return
    if has is None:
        return
    if allowed is not None:
        yield f"{path} is any {_named(given)}, and {_named(wanted)} is required"
    elif need is not None:
        yield from _kinds(given, wanted, path, has, need)


def _kinds(given: Schema, wanted: Schema, path: str, has: str, need: str) -> Iterator[str]:
    if has != need and (has, need) != ("integer", "number"):
        yield f"{path} is {_named(given)}, and {_named(wanted)} is required"
    elif need == "object":
        yield from _objects(given, wanted, path)
    elif need == "array":
        yield from _misfits(
            cast("Schema", given.get("items", {})),
            cast("Schema", wanted.get("items", {})),
            f"{path}[]",
        )


def _objects(given: Schema, wanted: Schema, path: str) -> Iterator[str]:
    has, rest = properties(given), given.get("additionalProperties")
    for name, schema in properties(wanted).items():
        if name in has:
            yield from _misfits(has[name], schema, f"{path}.{name}")
        elif name in required(wanted) and not isinstance(rest, Mapping):
            yield f"{path}.{name} is required and not given"
    inner = wanted.get("additionalProperties")
    if isinstance(inner, Mapping) and isinstance(rest, Mapping):
        yield from _misfits(cast("Schema", rest), cast("Schema", inner), f"{path}.*")


def _is(name: str | None, value: object) -> bool:
    kinds: Mapping[str, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
        "null": (type(None),),
    }
    if isinstance(value, bool):
        return name == "boolean"
    return name is None or isinstance(value, kinds.get(name, ()))


def _named(schema: Schema) -> str:
    known = values(schema)
    if known is not None:
        return "one of " + ", ".join(map(repr, known))
    return kind(schema) or "anything"
