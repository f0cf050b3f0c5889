"""The contract between the console and its screens."""

from __future__ import annotations

from typing import Protocol

import attrs

from choreia.console.model.line import Line
from choreia.console.model.moment import Moment
from choreia.runtime.inspection.frames import Problem
from choreia.runtime.inspection.reading import Fields


@attrs.frozen
class Subject:
    """What is selected, for the keys that work everywhere."""

    id: str = ""
    """What `y` copies."""
    agent: str = ""
    """Whom `a` changes."""
    of: str = ""
    """The event or case that `t` traces."""
    event: str = ""
    """The event that `x` explains."""


class View(Protocol):
    """A screen. It is told what is so, and is asked for lines; it never blocks and never asks the
    system itself, but by the stage."""

    title: str
    number: int
    """By which answers find it."""
    parts: frozenset[str]
    """Of a snapshot, that it shows."""

    def opened(self) -> None:
        """It is seen, from now on."""
        ...

    def left(self) -> None:
        """It is not seen any more."""
        ...

    def show(self, moment: Moment) -> None:
        """A frame is shown. Not called while it is not seen, and once before it is."""
        ...

    def tick(self) -> None:
        """Some time went by: ask for what is old. Not called while the display is frozen."""
        ...

    def answer(self, what: str, data: Fields | None, problem: Problem | None) -> None:
        """What the system says to a call of this screen."""
        ...

    def reload(self) -> None:
        """What is asked for is another thing now: with payloads, or of another system."""
        ...

    def press(self, key: str) -> bool:
        """Whether the key was meant for it."""
        ...

    def subject(self) -> Subject: ...

    def status(self) -> str:
        """Filter, order and the like, for the line of tabs."""
        ...

    def lines(self, width: int, height: int) -> list[Line]:
        """Exactly `height` lines of `width` cells."""
        ...

    def document(self) -> dict[str, object]:
        """What is seen, all of it, for a program."""
        ...
