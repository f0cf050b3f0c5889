"""What is logged or printed while the screen is drawn goes to the console's log, not over it.

``sys.stdout`` and ``sys.stderr`` are exchanged, and the streams of handlers of `logging` that hold
them already. The file descriptors are left alone: nothing that the console runs writes to them by
itself, and a fault in the interpreter must still be seen.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any, Final

from choreia.console.terminal.news import Logged, Tell
from choreia.runtime.events.display import plain

LONGEST: Final = 2_000
"""Characters of a line."""


class Lines(io.TextIOBase):
    """A stream that tells each line that is written to it. Threads may share it."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._rest = ""
        self._lock = threading.RLock()  # a signal handler may write, too

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            *lines, rest = (self._rest + text).split("\n")
            self._rest = rest[-LONGEST:]
        for line in lines:
            if line.strip():
                self._tell(Logged(plain(line, LONGEST)))
        return len(text)


@contextlib.contextmanager
def captured(tell: Tell) -> Generator[None, None, None]:
    """Tell what is logged, warned of and printed; as before, afterwards."""
    stdout, stderr, lines = sys.stdout, sys.stderr, Lines(tell)
    led = [one for one in _stream_handlers() if one.stream in (stdout, stderr)]
    streams = [one.setStream(lines) for one in led]
    sys.stdout = sys.stderr = lines
    try:
        yield
    finally:
        sys.stdout, sys.stderr = stdout, stderr
        for handler, stream in zip(led, streams, strict=True):
            handler.setStream(stream)
        lines.write("\n")  # what no line end came after


def _stream_handlers() -> Iterator[logging.StreamHandler[Any]]:
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        if isinstance(logger, logging.Logger):
            for handler in logger.handlers:
                if isinstance(handler, logging.StreamHandler):
                    yield handler
