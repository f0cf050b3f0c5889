"""What is typed behind `/`: a pattern that rows must have in them, or with `!` must not.

Patterns are RE2's: what somebody types in a hurry may be one that takes an ordinary engine years,
with the screen frozen meanwhile. As in other such tools capitals count only when some are typed.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from choreia.runtime.events import regex

WHERE = "/"


@attrs.frozen(eq=False)
class Filter:
    """Which rows are meant."""

    said: str
    matches: Callable[[str], bool]


def read(said: str) -> Filter | None:
    """The filter that was typed; None for none. Raises `InvalidFilter`."""
    pattern = said.removeprefix("!")
    if not pattern:
        return None
    found = regex.search(pattern, "i" if pattern == pattern.lower() else "", WHERE)
    if said.startswith("!"):
        return Filter(said, lambda text: not found(text))
    return Filter(said, found)
