"""The last frames, and which of them is shown.

Frames come in while the display is frozen, so that one can step to and fro around what was seen.
Six hundred frames of a thousand agents are 830 MiB as objects, so those that are not near the
newest are kept packed, as compressed JSON: then all are 77 MiB.
"""

from __future__ import annotations

import json
import zlib
from collections import deque
from functools import lru_cache
from typing import Final

from choreia.console.model.frame import Frame
from choreia.console.model.moment import Moment
from choreia.runtime.inspection.reading import Fields

MOST: Final = 600
SPARKS: Final = 20
"""Frames that a history of one row is drawn of."""
OVER: Final = 1.0
"""Seconds that a rate is over, at least."""
_LOOSE: Final = 32
"""Frames at the end that are not packed."""


class History:
    """A ring of frames. Live, the newest is shown; paused, one that stays."""

    def __init__(self) -> None:
        self._frames: deque[Frame | bytes] = deque()
        self._first = 0  # the number of the first frame that is left
        self._shown: int | None = None
        self._frozen: Moment | None = None

    @property
    def paused(self) -> bool:
        return self._frozen is not None

    def add(self, said: Fields) -> None:
        self._frames.append(Frame(said))
        if len(self._frames) > _LOOSE:
            self._frames[-_LOOSE - 1] = _packed(self._frames[-_LOOSE - 1])
        if len(self._frames) > MOST:
            self._frames.popleft()
            self._first += 1

    def toggle(self) -> None:
        """Freeze the display, or go on live."""
        if self._frozen is not None:
            self._frozen = self._shown = None
        elif self._frames:
            self._shown = self._newest
            self._frozen = self._moment(self._newest)

    def step(self, by: int) -> bool:
        """Show an earlier or a later frame; pauses. Whether there is one."""
        if not self._frames:
            return False
        current = self._newest if self._shown is None else self._shown
        wanted = max(self._first, min(self._newest, current + by))
        self._shown, self._frozen = wanted, self._moment(wanted)
        return wanted != current

    def moment(self) -> Moment | None:
        """What is shown now; None: there is no frame yet."""
        if self._frozen is not None:
            return self._frozen
        return self._moment(self._newest) if self._frames else None

    def behind(self) -> float:
        """Seconds from the shown frame to the newest."""
        if self._frozen is None or not self._frames:
            return 0.0
        return max(0.0, self._frame(self._newest).at - self._frozen.frame.at)

    @property
    def _newest(self) -> int:
        return self._first + len(self._frames) - 1

    def _moment(self, number: int) -> Moment:
        frame = self._frame(number)
        first = max(self._first, number - SPARKS + 1)
        earlier = [self._frame(one) for one in range(first, number)]
        return Moment(frame, self._before(frame, number), [*earlier, frame])

    def _before(self, frame: Frame, number: int) -> Frame | None:
        """The newest frame that is `OVER` seconds earlier, else the oldest."""
        found: Frame | None = None
        for one in range(number - 1, self._first - 1, -1):
            other = self._frame(one)
            if other.at >= frame.at:  # the clock of another boot: nothing can be said
                break
            found = other
            if frame.at - other.at >= OVER:
                break
        return found

    def _frame(self, number: int) -> Frame:
        kept = self._frames[number - self._first]
        return _unpacked(kept) if isinstance(kept, bytes) else kept


def _packed(frame: Frame | bytes) -> Frame | bytes:
    if isinstance(frame, bytes):
        return frame
    try:
        return zlib.compress(json.dumps(frame.said).encode(), 1)
    except (TypeError, ValueError, RecursionError):  # none that came over a socket
        return frame


@lru_cache(maxsize=2 * _LOOSE)
def _unpacked(packed: bytes) -> Frame:
    return Frame(json.loads(zlib.decompress(packed)))
