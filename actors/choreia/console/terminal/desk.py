"""Between the model and the connection: what is told goes into the model, what it asks goes out.

Without a terminal, so a picture can be made without one (`shot.py`); `loop.py` adds the keyboard
and the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from choreia.console.model.asks import EVENTS, Ask, Call, Follow, Unfollow
from choreia.console.terminal.contract import MakeModel, Model
from choreia.console.terminal.link import Link
from choreia.console.terminal.news import (
    Answered,
    Broken,
    Complained,
    Connected,
    Heard,
    Logged,
    Lost,
    News,
    Pictured,
)
from choreia.console.terminal.waiting import Waiting

PATIENCE: Final = 3.0
"""Seconds without a snapshot, beyond those between two, after which a system is called silent."""


class Desk:
    """Takes news, ticks, and hands what a terminal must do to `act`.

    Until a system is found the model is one that says so. `view`: the key of the view to begin
    with. `now` and `monotonic` tell the time.
    """

    def __init__(
        self,
        make: MakeModel,
        link: Link,
        act: Callable[[Ask], None],
        *,
        view: str,
        every: float,
        monotonic: Callable[[], float],
    ) -> None:
        self.model: Model = Waiting()
        self.found = False
        """Whether there was a system at any time."""
        self.pictures = 0
        self.connected = False
        self.node = "system"
        self._make = make
        self._link = link
        self._act = act
        self._view = view
        self._patience = every + PATIENCE
        self._monotonic = monotonic
        self._heard = monotonic()
        self._silent = False
        self._parts: frozenset[str] | None = None
        self.unanswered = 0
        """Calls that are on their way."""

    def take(self, news: News) -> None:
        """Tell the model. Raises the error of a thread that failed."""
        match news:
            case Connected(hello):
                self._connect(hello)
            case Pictured(data):
                self.pictures += 1
                self._listen()
                self.model.frame(data)
            case Heard(data):
                self.model.events(data)
            case Answered(tag, data, problem):
                self.unanswered -= tag != EVENTS  # which tells of a stream, and not of a call
                self.model.answer(tag, data, problem)
            case Complained(message):
                self.model.notice(message, "bad")
            case Lost(reason):
                self.connected = False
                self.model.lost(reason)
            case Logged(text):
                self.model.log(text)
            case Broken(error):
                raise error
            case _:
                pass

    def press(self, key: str) -> None:
        self._do(self.model.press(key))

    def tick(self, now: float) -> None:
        silent = self._monotonic() - self._heard
        self._silent = self.connected and silent > self._patience
        if self._silent:
            self.model.silent(silent)
            self.model.notice(f"the system has not answered for {silent:.0f} s", "warn")
        self._do(self.model.tick(now))

    def _listen(self) -> None:
        self._heard = self._monotonic()
        if self._silent:
            self._silent = False
            self.model.silent(None)
            self.model.notice("the system answers again", "good")

    def _connect(self, hello: Mapping[str, object]) -> None:
        self.connected = True
        self.node = str(hello.get("node", self.node))
        self._heard = self._monotonic()
        if self.found:
            self.model.found(hello)
        else:
            self.found = True
            self.model = self._make(hello)
            if self._view:
                self._do(self.model.press(self._view))

    def _do(self, asks: Sequence[Ask]) -> None:
        for ask in asks:
            match ask:
                case Call(verb, args, tag):
                    self.unanswered += 1
                    self._link.call(verb, args, tag)
                case Follow(args):
                    self._link.follow(args)
                case Unfollow():
                    self._link.unfollow()
                case _:
                    self._act(ask)
        if self.found and self.model.parts != self._parts:
            self._parts = self.model.parts
            self._link.look(self._parts)
