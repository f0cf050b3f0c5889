"""What is shown while no system has been found yet: that it is waited for, and how to leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from choreia.console.model.asks import Ask, Quit
from choreia.console.model.line import Line, Span
from choreia.runtime.events.display import plain
from choreia.runtime.inspection.frames import Problem

_NOTHING: Final[Sequence[Ask]] = ()


class Waiting:
    """A model (`contract.py`) without a system."""

    parts: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._notice = ""

    def lines(self, width: int, height: int) -> list[Line]:
        texts = ["waiting for a running system (q quits)", self._notice]
        shown: list[Line] = [(Span(plain(text)[:width].ljust(width)),) for text in texts[:height]]
        return shown + [(Span(" " * width),)] * (height - len(shown))

    def press(self, key: str) -> Sequence[Ask]:
        return [Quit()] if key in ("q", "esc") else _NOTHING

    def notice(self, text: str, style: str = "") -> None:
        self._notice = text

    def log(self, text: str) -> None:
        self._notice = text

    def document(self) -> dict[str, object]:
        return {"schema": "choreia.console/1", "view": "waiting"}

    def tick(self, now: float) -> Sequence[Ask]:
        return _NOTHING

    # Nobody is there to say any of these.

    def frame(self, data: Mapping[str, object]) -> None: ...

    def events(self, data: Mapping[str, object]) -> None: ...

    def answer(
        self, tag: str, data: Mapping[str, object] | None, problem: Problem | None
    ) -> None: ...

    def silent(self, seconds: float | None) -> None: ...

    def lost(self, reason: str) -> None: ...

    def found(self, hello: Mapping[str, object]) -> None: ...
