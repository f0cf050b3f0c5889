"""How the names of styles look. Colours are the terminal's own sixteen, so its theme holds.

Colour never says anything alone: the model writes a symbol or a word beside it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from rich.style import Style

STYLES: Final = {
    "title": Style(bold=True, color="cyan"),
    "dim": Style(dim=True),
    "good": Style(color="green"),
    "warn": Style(color="yellow"),
    "bad": Style(color="red", bold=True),
    "accent": Style(color="cyan"),
    "selected": Style(reverse=True),
    "header": Style(bold=True),
    "key": Style(bold=True, color="blue"),
    "bar.low": Style(color="green"),
    "bar.mid": Style(color="yellow"),
    "bar.high": Style(color="red"),
    "paused": Style(color="magenta"),
    "dead": Style(dim=True, color="red"),
    "tree": Style(dim=True),
}


@cache  # of few: names are written by the model, and never come from the system that is watched
def style_of(names: str) -> Style | None:
    """The style of one name, or of several with blanks between; None for the plain one."""
    found = [STYLES[name] for name in names.split() if name in STYLES]
    return Style.combine(found) if found else None
