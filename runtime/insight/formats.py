"""The formats of a trace, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from choreia.runtime.errors import InvalidFormat
from choreia.runtime.insight.jsonform import json_form
from choreia.runtime.insight.mermaid import mermaid
from choreia.runtime.insight.page import page
from choreia.runtime.insight.trace import Trace
from choreia.runtime.insight.tree import tree

FORMATS: Final[Mapping[str, Callable[..., str]]] = {
    "tree": tree,
    "mermaid": mermaid,
    "html": page,
    "json": json_form,
}


def render(trace: Trace, format: str = "tree", *, times: bool = True) -> str:
    """A trace in one of `FORMATS`. Without `times` nothing in it tells when or how long.

    Raises `InvalidFormat`.
    """
    if format not in FORMATS:
        raise InvalidFormat(
            f"format={format!r}: a trace has the formats {', '.join(FORMATS)}", format=format
        )
    return FORMATS[format](trace, times=times)
