"""Values at a path of an event, with what is secret masked: by the path to them, and inside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from choreia.runtime.events.display import DEFAULT_REDACTED, MASK, redact
from choreia.runtime.events.payload import Json


def masked(path: str, value: Json, paths: Iterable[str] = DEFAULT_REDACTED) -> Json:
    """`value`, which stands at `path` (``payload.card.token``). Places in lists do not count."""
    keys = [segment for segment in path.split(".")[1:] if not segment.isdigit()] or [""]
    wrapped = value
    for key in reversed(keys):
        wrapped = {key: wrapped}
    found = cast(Json, redact(cast("dict[str, Json]", wrapped), paths))
    for key in keys:
        if found == MASK:
            return MASK
        found = cast("dict[str, Json]", found)[key]
    return found
