"""Reading JSON that was frozen when it was written.

Nothing is checked again: a third of what parsing and `freeze` take, and replays read hundreds of
thousands of payloads a second.
"""

from __future__ import annotations

from typing import Any

import orjson

from choreia.runtime.events.payload import (
    EMPTY,
    FrozenDict,
    FrozenList,
    sealed_dict,
    sealed_list,
)


def unseal(body: bytes) -> FrozenDict:
    """The mapping that `body` is the JSON of. Raises `ValueError` for what is none."""
    if body == b"{}":
        return EMPTY
    value = orjson.loads(body)
    if value.__class__ is not dict:
        raise ValueError(f"a {value.__class__.__name__}, not an object")
    # Flat ones, which most payloads are, need no look at their values.
    return _dict(value) if body.count(b"{") > 1 or b"[" in body else sealed_dict(value)


def _dict(plain: dict[str, Any]) -> FrozenDict:
    for key, item in plain.items():
        if item.__class__ is dict:
            plain[key] = _dict(item)
        elif item.__class__ is list:
            plain[key] = _list(item)
    return sealed_dict(plain)


def _list(plain: list[Any]) -> FrozenList:
    for place, item in enumerate(plain):
        if item.__class__ is dict:
            plain[place] = _dict(item)
        elif item.__class__ is list:
            plain[place] = _list(item)
    return sealed_list(plain)
