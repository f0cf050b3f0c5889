"""The keyboard's thread tells keys, and ends when it is told to, or when nobody is there."""

from __future__ import annotations

import os
import pty
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from choreia.console.terminal.news import News, Pressed, Unplugged
from choreia.console.terminal.reader import Reader

DEADLINE = 30


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    near, far = os.pipe()
    yield near, far
    for end in (near, far):
        try:
            os.close(end)
        except OSError:
            assert end == far, "closed by the test"


def test_keys_are_told_as_they_come(ends: tuple[int, int]) -> None:
    near, far = ends
    told: SimpleQueue[News] = SimpleQueue()
    reader = Reader(near, told.put)
    reader.start()
    os.write(far, b"j\x1b[A")
    assert [told.get(timeout=DEADLINE) for _ in range(2)] == [Pressed("j"), Pressed("up")]
    os.write(far, b"\x1b")
    assert told.get(timeout=DEADLINE) == Pressed("esc")
    reader.stop()
    os.write(far, b"k")
    assert told.empty()
    assert "choreia-keys" not in {thread.name for thread in threading.enumerate()}


def test_the_end_of_the_terminal_is_told(ends: tuple[int, int]) -> None:
    near, far = ends
    told: SimpleQueue[News] = SimpleQueue()
    reader = Reader(near, told.put)
    reader.start()
    os.close(far)
    assert told.get(timeout=DEADLINE) == Unplugged()
    reader.stop()


def test_so_is_that_of_a_window() -> None:
    master, slave = pty.openpty()
    told: SimpleQueue[News] = SimpleQueue()
    reader = Reader(slave, told.put)
    reader.start()
    os.close(master)
    assert told.get(timeout=DEADLINE) == Unplugged()
    reader.stop()
    os.close(slave)
