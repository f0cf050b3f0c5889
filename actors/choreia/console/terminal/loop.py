"""The loop: one message after another into the model, and what has changed onto the screen."""

from __future__ import annotations

import base64
import signal
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from choreia.console.model.asks import Ask, Copy, Export, Quit, Redraw
from choreia.console.terminal.desk import Desk
from choreia.console.terminal.export import Kind, exported, save
from choreia.console.terminal.news import News, Pictured, Pressed, Signalled, Unplugged
from choreia.console.terminal.screen import Screen
from choreia.console.terminal.signals import ENDING, EXIT

TICK: Final = 0.25
"""Seconds between two looks at the clock."""
LONGEST_COPY: Final = 10_000
"""Characters to be copied; terminals let go what is much longer."""

Inbox = SimpleQueue[News]


class Loop:
    """Runs until somebody wants it to end. `suspend` stops the process until it is to go on;
    `resume` sets up the terminal anew when it was stopped by others."""

    def __init__(
        self,
        inbox: Inbox,
        screen: Screen,
        *,
        suspend: Callable[[], None],
        resume: Callable[[], None],
    ) -> None:
        self._inbox = inbox
        self._screen = screen
        self._suspend = suspend
        self._resume = resume
        self._exit: int | None = None
        self._due = 0.0
        self._desk: Desk  # given to `run`, which it needs `act` for

    def run(self, desk: Desk) -> int:
        """The exit code."""
        self._desk = desk
        self._due = time.monotonic() + TICK
        while self._exit is None:
            self._turn()
            self._draw()
        return self._exit

    def act(self, ask: Ask) -> None:
        """Do what only a terminal can."""
        match ask:
            case Quit():
                self._exit = 0
            case Export(kind):
                self._export(kind)
            case Copy(text):
                self._copy(text)
            case Redraw():
                self._screen.clear()
            case _:
                raise TypeError(f"nobody does {ask!r}")

    # -- a turn -------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Take everything that has come, or else wait for something, or for the next tick."""
        left = self._due - time.monotonic()
        try:
            self._take(self._inbox.get(timeout=max(left, 0.0)))
            for _ in range(self._inbox.qsize()):  # and not what comes meanwhile: it is drawn, too
                if self._exit is None:
                    self._take(self._inbox.get_nowait())
        except Empty:
            pass
        if self._exit is None and time.monotonic() >= self._due:
            self._tick()

    def _tick(self) -> None:
        self._desk.tick(time.time())
        self._due = time.monotonic() + TICK

    def _take(self, news: News) -> None:
        match news:
            case Pressed(key):
                self._desk.press(key)
            case Unplugged():
                self._exit = EXIT + signal.SIGHUP
            case Signalled(number):
                self._obey(number)
            case Pictured():
                self._desk.take(news)
                self._tick()  # now, and not soon: two changes are drawn at once
            case _:
                self._desk.take(news)

    def _obey(self, number: int) -> None:
        if number in ENDING:
            self._exit = EXIT + number
        elif number == signal.SIGTSTP:
            self._suspend()
        elif number == signal.SIGCONT:
            self._resume()
        else:  # the window has another size
            self._screen.clear()

    def _draw(self) -> None:
        size = self._screen.size
        self._screen.draw(self._desk.model.lines(*size), size)
        if self._screen.gone and self._exit is None:
            self._exit = EXIT + signal.SIGHUP

    # -- what is asked for ----------------------------------------------------------------------

    def _export(self, kind: Kind) -> None:
        model, size = self._desk.model, self._screen.size
        document = model.document()
        names = (self._desk.node, str(document.get("view", "view")))
        title = f"choreia top: {', '.join(names)}"
        text = exported(kind, model.lines(*size), document, size, title)
        try:
            path = save(Path.cwd(), text, kind, names, time.time())
        except OSError as error:
            model.notice(f"not exported: {error.strerror or error}", "bad")
        else:
            model.notice(f"exported to {path.name}", "good")

    def _copy(self, text: str) -> None:
        """By the terminal itself (OSC 52): that works over ssh, too, if the terminal allows it."""
        data = base64.b64encode(text[:LONGEST_COPY].encode()).decode()
        self._screen.send(f"\x1b]52;c;{data}\x07")
        self._desk.model.notice(f"copied {text[:60]}", "good")
