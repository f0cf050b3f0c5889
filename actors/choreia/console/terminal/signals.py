"""Signals become messages, so that the loop ends, stops and goes on in its own time.

Only a second request to end is obeyed on the spot: then the loop has not come to the first, most
likely because the terminal takes no output.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Generator
from types import FrameType
from typing import Final

from choreia.console.terminal.news import Signalled, Tell

ENDING: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
HANDLED: Final = (*sorted(ENDING), signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)
EXIT: Final = 128
"""With the signal's number added, the exit code of a process that it ended."""


@contextlib.contextmanager
def told(tell: Tell, abandon: Callable[[], None]) -> Generator[None, None, None]:
    """Handle signals by telling of them; as before, afterwards. On the main thread.

    `abandon`: what must be done before the process is ended on the spot. What the process was
    told to ignore (``nohup``) it ignores.
    """
    seen: set[int] = set()

    def handle(number: int, _: FrameType | None) -> None:
        if number in seen & ENDING:
            abandon()
            os._exit(EXIT + number)
        seen.add(number)
        tell(Signalled(number))

    before = {number: signal.getsignal(number) for number in HANDLED}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_here() -> None:
    """Stop the process as Ctrl-Z does; returns when it goes on, or at once without a shell."""
    handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    try:
        signal.raise_signal(signal.SIGTSTP)  # to this thread: it is stopped before this returns
    finally:
        signal.signal(signal.SIGTSTP, handler)
