"""What the console's signs look like, and how text of the watched system is made fit to be shown.

Two faces: one of Unicode, one for terminals that can do no more than ASCII. A sign says the same as
its colour does, so that nothing is lost where there is none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from choreia.console.model.line import ELLIPSIS, Line, Span, fit
from choreia.runtime.events.display import plain

LONGEST: Final = 400
"""Characters of a field that are looked at: no terminal has room for more."""

_SPARKS: Final = ("▁▂▃▄▅▆▇█", " .:-=+*#%@")
_STATES: Final = {  # sign, in ASCII, style
    "idle": ("○", ".", "dim"),
    "queued": ("◔", ",", "accent"),
    "running": ("●", "*", "good"),
    "awaiting": ("◐", "~", "accent"),
    "parked": ("■", "#", "warn"),
    "backoff": ("↻", "@", "warn"),
    "committing": ("◆", "+", "accent"),
    "paused": ("‖", "=", "paused"),
    "dead": ("✗", "X", "dead"),
    "stopped": ("□", "x", "dim"),
}
_SIGNS: Final = {
    "selected": ("▸", ">"),
    "fault": ("!", "!"),
    "suspected": ("▲", "?"),
    "ellipsis": ("…", "~"),
    "minus": ("\u2212", "-"),
    "arrow": ("→", "->"),
    "up": ("▴", "^"),
    "down": ("▾", "v"),
    "live": ("●", "*"),
    "paused": ("‖", "="),
    "ended": ("✗", "X"),
    "good": ("✓", "+"),
    "bad": ("✗", "X"),
    "wait": ("◔", "~"),
    "none": ("·", "."),
    "full": ("█", "#"),
    "empty": ("░", "."),
    "done": ("●", "*"),
    "doing": ("○", "o"),
    "failed": ("✗", "X"),
    "compensated": ("↶", "<"),
    "tombstoned": ("⊘", "/"),
    "rule": ("─", "-"),
    "branch": ("└─ ", "`- "),
    "fork": ("├─ ", "|- "),
    "bar": ("│ ", "| "),
}


class Face:
    """The signs of one console."""

    def __init__(self, *, ascii: bool) -> None:
        self.ascii = ascii
        self.ellipsis = self.sign("ellipsis")
        self._sparks = _SPARKS[ascii]

    def sign(self, name: str) -> str:
        return _SIGNS[name][self.ascii]

    def state(self, word: str) -> Span:
        """How an agent stands: sign and word, in its colour."""
        sign, plainly, style = _STATES.get(word, ("?", "?", ""))
        return Span(f"{plainly if self.ascii else sign} {self.clean(word, 16)}", style)

    def clean(self, text: str, limit: int = LONGEST) -> str:
        """Text of the watched system: on one line, without what a terminal would obey, or would
        draw wider or narrower than is thought."""
        text = plain(text[: limit * 4], limit)
        if text.isascii() and text.isprintable():
            return text
        return "".join(map(self._shown, text))

    def fit(self, spans: Iterable[Span], width: int) -> Line:
        """The spans in exactly `width` cells."""
        return fit(spans, width, self.ellipsis)

    def spark(self, parts: Iterable[float]) -> str:
        """Shares of a whole, a character each."""
        last = len(self._sparks) - 1
        return "".join(self._sparks[round(max(0.0, min(1.0, one)) * last)] for one in parts)

    def bar(self, part: float, width: int) -> Span:
        """A share of a whole, as a bar in the colour of how dear it is."""
        part = max(0.0, min(1.0, part))
        # What is there at all is seen, and only what is full looks full.
        cells = min(max(round(part * width), int(part > 0)), width - int(part < 1))
        style = "bar.low" if part < 0.5 else "bar.mid" if part < 0.9 else "bar.high"
        return Span(self.sign("full") * cells + self.sign("empty") * (width - cells), style)

    def _shown(self, character: str) -> str:
        if " " <= character <= "~":
            return character
        category = unicodedata.category(character)
        # Joiners, variation selectors and skin tones make one sign of several in some terminals.
        if category == "Cf" or "\ufe00" <= character <= "\ufe0f" or _is_modifier(character):
            return ""
        if self.ascii:
            return self.ellipsis if character == ELLIPSIS else "?"
        return character if character.isprintable() else "?"


def _is_modifier(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff" or "\U000e0100" <= character <= "\U000e01ef"
