"""The terminal's mode: keys as they come, and as it was before."""

from __future__ import annotations

import os
import pty
import select
import termios
from collections.abc import Iterator

import pytest
from attrs import frozen

from choreia.console.terminal.tty import Mode, size_of

DEADLINE = 30.0


@frozen
class Ends:
    master: int
    slave: int

    def said(self, end: bytes) -> bytes:
        """All that the terminal got, up to `end`; it may come in pieces."""
        found = b""
        while not found.endswith(end) and select.select([self.master], [], [], DEADLINE)[0]:
            found += os.read(self.master, 1024)
        return found


@pytest.fixture
def ends() -> Iterator[Ends]:
    master, slave = pty.openpty()
    yield Ends(master, slave)
    os.close(slave)
    os.close(master)


def test_keys_come_at_once_and_signals_are_left(ends: Ends) -> None:
    mode = Mode(ends.slave, ends.slave)
    mode.enter()
    _, _, _, local, _, _, characters = termios.tcgetattr(ends.slave)
    assert not local & (termios.ICANON | termios.ECHO)
    assert local & termios.ISIG
    assert characters[termios.VINTR] == b"\x03"
    assert characters[termios.VSUSP] == b"\x1a"
    assert characters[termios.VQUIT] == b"\0"
    assert ends.said(b"h") == b"\x1b[?2004h"


def test_it_is_left_as_it_was(ends: Ends) -> None:
    before = termios.tcgetattr(ends.slave)
    mode = Mode(ends.slave, ends.slave)
    mode.leave()
    assert termios.tcgetattr(ends.slave) == before
    mode.enter()
    mode.enter()
    mode.leave()
    mode.leave()
    assert termios.tcgetattr(ends.slave) == before
    assert ends.said(b"l") == b"\x1b[?2004h\x1b[?2004h\x1b[?2004l"


def test_abandoning_says_goodbye(ends: Ends) -> None:
    before = termios.tcgetattr(ends.slave)
    mode = Mode(ends.slave, ends.slave)
    mode.enter()
    mode.abandon()
    assert termios.tcgetattr(ends.slave) == before
    assert ends.said(b"\x1b[?25h").endswith(b"\x1b[?1049l\x1b[?25h")


def test_a_terminal_that_takes_nothing_keeps_nobody_waiting(ends: Ends) -> None:
    before = termios.tcgetattr(ends.slave)
    mode = Mode(ends.slave, ends.slave)
    mode.enter()
    termios.tcflow(ends.slave, termios.TCOOFF)
    mode.abandon()
    assert termios.tcgetattr(ends.slave) == before


def test_a_terminal_that_is_gone_is_left_all_the_same() -> None:
    master, slave = pty.openpty()
    mode = Mode(slave, slave)
    mode.enter()
    os.close(master)
    mode.leave()
    os.close(slave)


def test_a_size_that_nobody_knows(ends: Ends) -> None:
    assert size_of(ends.slave) == (80, 24)
    termios.tcsetwinsize(ends.slave, (7, 20))
    assert size_of(ends.slave) == (20, 7)
    near, far = os.pipe()
    assert size_of(near) == (80, 24)
    os.close(near)
    os.close(far)
