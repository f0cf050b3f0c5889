"""What the terminal needs of a model: `choreia.console.model.console.Console`, seen from here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from choreia.console.model.asks import Ask
from choreia.console.model.line import Line
from choreia.runtime.inspection.frames import Problem


class Model(Protocol):
    """What is told goes in, what is to be done and what is to be shown come out. Never waits."""

    @property
    def parts(self) -> frozenset[str]:
        """The parts of a snapshot that are needed now."""
        ...

    def frame(self, data: Mapping[str, object]) -> None: ...

    def events(self, data: Mapping[str, object]) -> None: ...

    def answer(
        self, tag: str, data: Mapping[str, object] | None, problem: Problem | None
    ) -> None: ...

    def silent(self, seconds: float | None) -> None:
        """So long it has not answered; None: it does again."""
        ...

    def lost(self, reason: str) -> None: ...

    def found(self, hello: Mapping[str, object]) -> None: ...

    def log(self, text: str) -> None: ...

    def notice(self, text: str, style: str = "") -> None: ...

    def tick(self, now: float) -> Sequence[Ask]: ...

    def press(self, key: str) -> Sequence[Ask]: ...

    def lines(self, width: int, height: int) -> list[Line]:
        """Exactly `height` lines of exactly `width` cells."""
        ...

    def document(self) -> dict[str, object]:
        """What is seen now, all rows of it, for a program that reads."""
        ...


MakeModel = Callable[[Mapping[str, object]], Model]
"""A model of the system that says this of itself (the verb `hello`)."""
