"""When to ask again for what does not come by itself."""

from __future__ import annotations

from typing import Final

PATIENCE: Final = 10.0
"""Seconds after which an answer is not waited for any longer."""


class Poll:
    """Of one call, at most every so many seconds, and never while it is on its way."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._asked: float | None = None
        self._waiting = False

    def due(self, now: float) -> bool:
        """Whether to ask now. Then it counts as asked."""
        if self._asked is not None:
            passed = now - self._asked
            # A clock that was set back says nothing about how long ago something was.
            if 0 <= passed < (PATIENCE if self._waiting else self._every):
                return False
        self._asked, self._waiting = now, True
        return True

    def answered(self) -> None:
        self._waiting = False

    def reset(self) -> None:
        """Ask at once."""
        self._asked, self._waiting = None, False
