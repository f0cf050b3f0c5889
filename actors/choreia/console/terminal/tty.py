"""The mode of the terminal while the console runs, and the way back.

Keys come at once and are not echoed. Ctrl-C and Ctrl-Z still make signals: they work when the loop
does not. Ctrl-\\ does not: it would end the process without a way back. Ctrl-S does not stop the
output: a screen that stands still for good looks like a fault.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import sys
import termios
from collections.abc import Generator
from typing import Any, Final

_DISABLED: Final = b"\0"
_PASTE_ON: Final = b"\x1b[?2004h"
_PASTE_OFF: Final = b"\x1b[?2004l"
_FAREWELL: Final = _PASTE_OFF + b"\x1b[0m\x1b[?1049l\x1b[?25h"
_MOST_STOPS: Final = 100
_IFLAG, _LFLAG, _CC = 0, 3, 6  # places in what `termios.tcgetattr` gives


class Mode:
    """The mode of one terminal: `enter` and `leave` it, as often as you like."""

    def __init__(self, keyboard: int, screen: int) -> None:
        self._keyboard = keyboard
        self._screen = screen
        self._before: list[Any] | None = None  # as `termios` has it

    def enter(self) -> None:
        """Keys as they come. Remembers how it was; once more does no harm."""
        if self._before is None:
            self._come_to_the_front()
            self._before = termios.tcgetattr(self._keyboard)
        self._set(_raw(self._keyboard))
        self._say(_PASTE_ON)

    def leave(self) -> None:
        """As it was before. Harmless when it is so already, or when the terminal is gone."""
        if self._before is not None:
            self._say(_PASTE_OFF)
            self.put_back()
            self._before = None

    def put_back(self) -> None:
        """The attributes alone."""
        if self._before is not None and self._in_front():  # else they are another's by now
            with contextlib.suppress(termios.error):
                self._set(self._before)

    def abandon(self) -> None:
        """Leave at once, and say so if the terminal takes it: this never waits."""
        self.put_back()
        if select.select([], [self._screen], [], 0)[1]:
            self._say(_FAREWELL)

    def _set(self, attributes: list[Any]) -> None:
        while True:
            try:
                # NOW and not FLUSH: what was typed ahead is for whoever comes after us.
                termios.tcsetattr(self._keyboard, termios.TCSANOW, attributes)
            except termios.error as error:
                if error.args[0] != errno.EINTR:  # as when we were in the background, and stopped
                    raise
            else:
                return

    def _in_front(self) -> bool:
        try:
            return os.tcgetpgrp(self._keyboard) == os.getpgrp()
        except OSError:  # it is not the terminal that controls us
            return True

    def _come_to_the_front(self) -> None:
        """In the background, stop as a job does that wants to read: the mode is the shell's."""
        for _ in range(_MOST_STOPS):  # nobody stops who has no shell
            if self._in_front():
                return
            signal.raise_signal(signal.SIGTTIN)

    def _say(self, sequence: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(self._screen, sequence)


def _raw(keyboard: int) -> list[Any]:
    mode = termios.tcgetattr(keyboard)
    mode[_IFLAG] &= ~termios.IXON
    mode[_LFLAG] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
    mode[_CC] = list(mode[_CC])
    mode[_CC][termios.VMIN], mode[_CC][termios.VTIME] = 1, 0
    mode[_CC][termios.VQUIT] = _DISABLED
    return mode


def size_of(screen: int) -> tuple[int, int]:
    """Columns and lines. Some terminals say 0 when they do not know."""
    try:
        columns, lines = os.get_terminal_size(screen)
    except OSError:
        columns, lines = 0, 0
    return columns or 80, lines or 24


def can_draw() -> bool:
    """Whether standard output is a terminal whose cursor can be moved, with a keyboard to it."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "").lower() in ("", "dumb", "unknown"):
        return False
    with keyboard() as found:
        return found is not None


@contextlib.contextmanager
def keyboard() -> Generator[int | None, None, None]:
    """The file descriptor to read keys from, None when there is none: standard input, or the
    terminal itself when that was led elsewhere (``choreia top < file``)."""
    if sys.__stdin__ is not None and sys.__stdin__.isatty():
        yield sys.__stdin__.fileno()
        return
    try:
        opened = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield None
        return
    try:
        yield opened
    finally:
        os.close(opened)
