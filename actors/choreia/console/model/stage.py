"""What all screens share: the face, what is asked of whoever runs the console, and what is open."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Final

import attrs

from choreia.console.model.asks import Ask, Call
from choreia.console.model.face import Face
from choreia.console.model.prompt import Prompt
from choreia.console.model.question import Question

if TYPE_CHECKING:
    from choreia.console.model.view import View

CONTROL: Final = "control"
"""The tag of what changes the system."""


@attrs.define(eq=False)
class Stage:
    """The state that is no single screen's."""

    face: Face
    control: bool = False
    """Whether the system lets itself be changed."""
    payloads: bool = False
    """Whether payloads are shown."""
    paused: bool = False
    now: float = 0.0
    """Unix seconds, as of the last tick."""
    asks: list[Ask] = attrs.field(factory=list)
    screens: list[View] = attrs.field(factory=list)
    """What is open on top of the view, the last one seen."""
    prompt: Prompt | None = None
    question: Question | None = None
    note: tuple[str, str] | None = None
    """A text for the footer, until the next key; and its style."""
    _numbers: count[int] = attrs.field(factory=count)

    def number(self) -> int:
        """For another screen, by which its answers find it."""
        return next(self._numbers)

    def ask(self, ask: Ask) -> None:
        self.asks.append(ask)

    def call(self, number: int, what: str, verb: str, **args: object) -> None:
        """Ask the system on behalf of a screen; `what` comes back with the answer."""
        self.asks.append(Call(verb, args, f"{number}:{what}"))

    def change(self, text: str, verb: str, args: Mapping[str, object]) -> None:
        """Ask whether to change the system so."""
        if self.control:
            self.question = Question(text, Call(verb, args, CONTROL))
        else:
            self.say("read-only: start the system with control", "warn")

    def say(self, text: str, style: str = "") -> None:
        self.note = (text, style)

    def drain(self) -> list[Ask]:
        """What is asked for since the last time."""
        asks, self.asks = self.asks, []
        return asks
