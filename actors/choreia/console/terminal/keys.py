"""From the bytes that a terminal sends to the names of keys.

A terminal says most keys as the character they write, and the rest as an escape sequence: CSI
(``ESC [`` parameters, one final byte) or SS3 (``ESC O`` final byte). Bytes come in pieces that end
anywhere, so what is not whole yet is kept. Only time tells the Esc key from the beginning of a
sequence: whoever reads calls `flush` when nothing has come for `PATIENCE`.

``ESC x`` is read as Esc, then x, and not as Alt-x: over a slow line both keys often come at once,
and the console has no keys with Alt. What is pasted is let go: it is text, and would press keys.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

PATIENCE: Final = 0.05
"""Seconds after which a lone Esc is the key. Sequences come in one piece, nearly always."""
LONGEST: Final = 64
"""Bytes of a sequence: what goes on for longer is none."""

_ESC: Final = 0x1B
_CSI = re.compile(rb"\x1b\[(\[.|[0-?]*[ -/]*[@-Z\\-~])", re.DOTALL)
"""With the Linux console's function keys, ``ESC [ [ A``, which are none of the standard's."""
_CSI_BEGUN = re.compile(rb"\x1b\[(\[|[0-?]*[ -/]*)\Z")
_SS3 = re.compile(rb"\x1bO([0-9;]*[A-Za-z])")
_SS3_BEGUN = re.compile(rb"\x1bO[0-9;]*\Z")
_PASTE: Final = b"200~"
_PASTE_END: Final = b"\x1b[201~"

_CONTROLS: Final = {
    0x03: "ctrl-c",
    0x08: "backspace",
    0x09: "tab",
    0x0A: "enter",
    0x0C: "ctrl-l",
    0x0D: "enter",
    0x15: "ctrl-u",
    0x7F: "backspace",
}
_FINALS: Final = {
    "A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end", "M": "enter",
}  # fmt: skip
_NUMBERS: Final = {
    "1": "home", "4": "end", "5": "pageup", "6": "pagedown", "7": "home", "8": "end"
}  # fmt: skip


class Decoder:
    """Takes bytes as they come, gives the names of the keys that are whole."""

    def __init__(self) -> None:
        self._left = b""
        self._text = codecs.getincrementaldecoder("utf-8")("ignore")
        self._pasting = False

    @property
    def pending(self) -> bool:
        """Whether an Esc waits to be told from the beginning of a sequence."""
        return bool(self._left) and not self._pasting

    def feed(self, data: bytes) -> list[str]:
        self._left += data
        return list(self._keys(final=False))

    def flush(self) -> list[str]:
        """Nothing more has come: an Esc that waits was the key."""
        return [] if self._pasting else list(self._keys(final=True))

    def _keys(self, *, final: bool) -> Iterator[str]:
        while self._left:
            if self._pasting:
                if not self._skip_pasted():
                    return
            elif self._left[0] != _ESC:
                yield from self._plain()
            else:
                key = self._sequence(final=final)
                if key is None:
                    return
                if key:
                    yield key

    def _skip_pasted(self) -> bool:
        """Let go what was pasted; whether its end has been seen."""
        at = self._left.find(_PASTE_END)
        if at < 0:
            self._left = self._left[-len(_PASTE_END) + 1 :]  # the end may have begun
            return False
        self._left = self._left[at + len(_PASTE_END) :]
        self._pasting = False
        return True

    def _plain(self) -> Iterator[str]:
        """Everything up to the next Esc."""
        end = self._left.find(b"\x1b")
        piece = self._left if end < 0 else self._left[:end]
        self._left = self._left[len(piece) :]
        for character in self._text.decode(piece):
            if character.isprintable():
                yield character
            elif name := _CONTROLS.get(ord(character)):
                yield name

    def _sequence(self, *, final: bool) -> str | None:
        """The key at the front; "" for one that has no name here, None if more must come."""
        left = self._left
        self._text.reset()
        if found := _CSI.match(left):
            self._left = left[found.end() :]
            return self._csi(found[1])
        if found := _SS3.match(left):
            self._left = left[found.end() :]
            return _FINALS.get(found[1][-1:].decode(), "")
        begun = left == b"\x1b" or _CSI_BEGUN.match(left) or _SS3_BEGUN.match(left)
        if begun and not final and len(left) < LONGEST:
            return None
        self._left = left[1:]
        return "esc"

    def _csi(self, body: bytes) -> str:
        if body == _PASTE:
            self._pasting = True
            return ""
        parameters, last = body[:-1].decode(), chr(body[-1])
        if last == "~":
            return _NUMBERS.get(parameters.partition(";")[0], "")
        known = last in "ABCDHF" and not parameters.startswith(("<", "?", ">", "["))
        return _FINALS[last] if known else ""
