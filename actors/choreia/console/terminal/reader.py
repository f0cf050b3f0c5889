"""The keyboard's thread: reads what the terminal sends, and tells which keys were pressed."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import Final

from choreia.console.terminal.keys import PATIENCE, Decoder
from choreia.console.terminal.news import Broken, Pressed, Tell, Unplugged

_PIECE: Final = 1024


class Reader:
    """Reads the file descriptor `keyboard` between `start` and `stop`. Does not close it."""

    def __init__(self, keyboard: int, tell: Tell) -> None:
        self._keyboard = keyboard
        self._tell = tell
        self._decoder = Decoder()
        self._end, self._stop = os.pipe()  # closing one end wakes the thread at the other
        self._thread = threading.Thread(target=self._run, name="choreia-keys", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        os.close(self._stop)
        self._thread.join()
        os.close(self._end)

    def _run(self) -> None:
        try:
            while self._once():
                pass
        except Exception as error:
            self._tell(Broken(error))

    def _once(self) -> bool:
        """Wait for a piece, and tell its keys. False at the end."""
        # `select` and not `poll`: on macOS `poll` does not know terminals.
        patience = PATIENCE if self._decoder.pending else None
        ready, _, _ = select.select([self._keyboard, self._end], [], [], patience)
        if self._end in ready:
            return False
        if not ready:
            self._press(self._decoder.flush())
            return True
        piece = b""
        with contextlib.suppress(OSError):  # EIO: the terminal is gone
            piece = os.read(self._keyboard, _PIECE)
        if not piece:
            self._tell(Unplugged())
            return False
        self._press(self._decoder.feed(piece))
        return True

    def _press(self, keys: list[str]) -> None:
        for key in keys:
            self._tell(Pressed(key))
