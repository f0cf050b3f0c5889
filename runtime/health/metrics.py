"""What a heartbeat tells of the process it comes from."""

from __future__ import annotations

import os
from math import inf
from pathlib import Path
from typing import Final

FRESH: Final = 1.0
_STATM = Path("/proc/self/statm")


class Memory:
    """Memory of this process, looked at once in `FRESH` seconds: that takes as long as all the rest
    of a heartbeat, and thousands of agents share one process."""

    __slots__ = ("_at", "_bytes")

    def __init__(self) -> None:
        self._at = -inf
        self._bytes = 0

    def bytes(self, now: float) -> int:
        """Bytes in RAM; `now` is monotonic seconds."""
        if now - self._at >= FRESH:
            self._at, self._bytes = now, resident_bytes()
        return self._bytes


def resident_bytes() -> int:
    """Memory of this process that is in RAM now, in bytes; 0 where ``/proc`` does not tell.

    Not ``ru_maxrss``: that is a peak, which hides what has been given back.
    """
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
