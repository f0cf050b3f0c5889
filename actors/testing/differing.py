"""How a payload differs from the one that was expected, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from choreia.runtime.events.display import MASK, brief, plain, redact

SHOWN = 60
"""Characters of one value."""

_Object = Mapping[str, object]
_Array = Sequence[object]


def differences(actual: object, expected: object) -> tuple[str, ...]:
    """A line per field that is not as `expected`: ``payload.order: expected 7, got 8``.

    Secrets stay masked, so of those it is only said that they differ.
    """
    return tuple(_differ(actual, expected, "payload", "payload"))


def _differ(actual: object, expected: object, path: str, key: str) -> Iterator[str]:
    if actual == expected:
        return
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        yield from _fields(cast("_Object", actual), cast("_Object", expected), path)
    elif isinstance(actual, list) and isinstance(expected, list):
        yield from _items(cast("_Array", actual), cast("_Array", expected), path, key)
    elif _secret(key):
        yield f"{path}: not as expected (its values are masked)"
    else:
        yield f"{path}: expected {_shown(expected)}, got {_shown(actual)}"


def _fields(actual: _Object, expected: _Object, path: str) -> Iterator[str]:
    # Depth is bounded: both have been held to the limits of payloads, or are written by hand.
    for key, value in expected.items():
        inner = f"{path}.{plain(str(key), SHOWN)}"
        if key in actual:
            yield from _differ(actual[key], value, inner, str(key))
        else:
            yield f"{inner}: expected {_masked(key, value)}, missing"
    for key, value in actual.items():
        if key not in expected:
            yield f"{path}.{plain(key, SHOWN)}: not expected, got {_masked(key, value)}"


def _items(actual: _Array, expected: _Array, path: str, key: str) -> Iterator[str]:
    if len(actual) != len(expected):
        yield f"{path}: expected {len(expected)} items, got {len(actual)}"
        return
    for place, (one, other) in enumerate(zip(actual, expected, strict=True)):
        yield from _differ(one, other, f"{path}[{place}]", key)


def _secret(key: str) -> bool:
    return redact({key: ""}) == {key: MASK}


def _masked(key: str, value: object) -> str:
    return f"({MASK})" if _secret(str(key)) else _shown(value)


def _shown(value: object) -> str:
    # `plain` once more: what a test expects may have a `repr` of its own.
    return plain(brief(value, SHOWN))
