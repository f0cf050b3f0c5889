"""A line of text that is being typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from choreia.console.model.line import Line, Span, width_of

LONGEST: Final = 1_000
"""Characters: a request of the protocol is 4 KiB at most."""


class Prompt:
    """Asks for text: `done` is told it. Enter ends it, Esc drops it."""

    def __init__(self, label: str, text: str, done: Callable[[str], None]) -> None:
        self.text = text
        self._label = label
        self._done = done

    def press(self, key: str) -> bool:
        """Type. Whether there is more to come."""
        if key == "enter":
            self._done(self.text)
            return False
        if key == "esc":
            return False
        if key == "backspace":
            self.text = self.text[:-1]
        elif key == "ctrl-u":
            self.text = ""
        elif len(key) == 1 and key.isprintable() and len(self.text) < LONGEST:
            self.text += key
        return True

    def line(self, clean: Callable[[str, int], str], width: int) -> Line:
        """What is typed so far; of what is too long the end, which is being typed."""
        shown = clean(self.text[-width:], width)
        room = max(1, width - len(self._label) - 1)
        while len(shown) > 1 and width_of(shown) > room:
            shown = shown[1:]
        return (Span(self._label, "key"), Span(shown), Span("_", "accent"))
