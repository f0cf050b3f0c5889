"""What was logged while the console has the screen."""

from __future__ import annotations

from collections import deque
from typing import Final

from choreia.console.model.face import Face
from choreia.console.model.line import Line, Span, fit

KEPT: Final = 500


class LogPane:
    """The last lines, when they are asked for."""

    def __init__(self, face: Face) -> None:
        self.open = False
        self._face = face
        self._lines: deque[str] = deque(maxlen=KEPT)

    def add(self, text: str) -> None:
        self._lines.extend(self._face.clean(line) for line in text.splitlines()[-KEPT:])

    def lines(self, width: int, height: int) -> list[Line]:
        """A rule, and the newest lines under it."""
        if not height:
            return []
        title = f"{self._face.sign('rule') * 2} log (l hides it) "
        rule = title + self._face.sign("rule") * max(0, width - len(title))
        shown = list(self._lines)[-(height - 1) :] if height > 1 else []
        drawn = [fit((Span(rule, "dim"),), width, "")]
        drawn += [self._face.fit((Span(line, "dim"),), width) for line in shown]
        if not shown and height > 1:
            drawn.append(self._face.fit((Span("nothing was logged", "dim"),), width))
        return drawn + [fit((), width)] * (height - len(drawn))
