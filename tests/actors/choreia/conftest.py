"""A real terminal for tests: the program runs at a pty, and `pyte` is what is on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyte
import pytest

DEADLINE = 30.0
"""Seconds after which what was waited for will not come. Tests that pass need a fraction."""
SERVING = Path(__file__).with_name("serving.py")


class Terminal:
    """A program at a terminal of its own, which is its controlling one."""

    def __init__(
        self, argv: list[str], env: Mapping[str, str], columns: int, lines: int, cwd: Path
    ) -> None:
        self._master, self._slave = pty.openpty()
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self._set_size(columns, lines)
        self.before = self.attributes()
        # In a session of its own the first terminal that is opened becomes the controlling one.
        name = os.ttyname(self._slave)
        shell = ["/bin/sh", "-c", f'exec "$@" <>{name} >&0 2>&0', "sh"]
        self.process = subprocess.Popen(
            [*shell, *argv],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TERM": "xterm-256color", **env},
            cwd=cwd,
            start_new_session=True,
        )

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.screen.display)

    @property
    def on_other_screen(self) -> bool:
        return self.written.rfind(b"\x1b[?1049h") > self.written.rfind(b"\x1b[?1049l")

    def attributes(self) -> list[Any]:
        return termios.tcgetattr(self._slave)

    def set_attributes(self, attributes: list[Any]) -> None:
        termios.tcsetattr(self._slave, termios.TCSANOW, attributes)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)
        self._set_size(columns, lines)

    def until(self, condition: str | Callable[[], bool], what: str = "") -> None:
        """Wait until the screen shows a pattern, or a condition holds."""
        holds = self._shows(condition) if isinstance(condition, str) else condition
        ends = time.monotonic() + DEADLINE
        while not holds():
            if time.monotonic() > ends:
                raise AssertionError(f"never came: {what or condition}. There is:\n{self.text}")
            self.pump(0.05)

    def ended(self) -> int:
        """Wait for the end of the program; its exit code."""
        self.until(lambda: self.process.poll() is not None, "the end of the program")
        while self.pump(0):
            pass
        return self.process.returncode

    def hang_up(self) -> None:
        """The window is closed."""
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(DEADLINE)
        if self._master >= 0:
            self.hang_up()

    def _shows(self, pattern: str) -> Callable[[], bool]:
        return lambda: re.search(pattern, self.text) is not None

    def pump(self, seconds: float) -> bool:
        """Take what the program writes, if it does within `seconds`."""
        if self._master < 0:
            time.sleep(seconds)
            return False
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        piece = os.read(self._master, 65_536)
        self.written += piece
        self._stream.feed(piece)
        return True

    def _set_size(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, size)


Run = Callable[..., Terminal]
"""``run(arg, …, columns=, lines=, env=)``: `python arg …` at a terminal."""
Serve = Callable[..., subprocess.Popen[str]]
"""``serve(path, word, …)``: a process with a system that serves at a path, as soon as it does."""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    there: list[Terminal] = []

    def start(
        *args: str,
        columns: int = 100,
        lines: int = 30,
        env: Mapping[str, str] | None = None,
        program: str = sys.executable,
    ) -> Terminal:
        terminal = Terminal([program, *args], env or {}, columns, lines, tmp_path)
        there.append(terminal)
        return terminal

    yield start
    for terminal in there:
        terminal.close()


@contextmanager
def folder() -> Iterator[Path]:
    """For sockets: pytest's own folders have names too long for one."""
    path = Path(tempfile.mkdtemp(prefix="choreia-test-"))
    yield path
    shutil.rmtree(path)


@contextmanager
def serving() -> Iterator[Serve]:
    there: list[subprocess.Popen[str]] = []

    def start(path: Path, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(SERVING), str(path), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        there.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        return process

    yield start
    for process in there:
        process.kill()
        with process:  # closes its pipes, too
            pass


@pytest.fixture
def place() -> Iterator[Path]:
    """A path for a socket."""
    with folder() as path:
        yield path / "system.sock"


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving() as start:
        yield start


@pytest.fixture(scope="session")
def kitchen() -> Iterator[Path]:
    """The socket of a system to look at, and to leave as it is."""
    with folder() as path, serving() as start:
        start(path / "system.sock")
        yield path / "system.sock"
