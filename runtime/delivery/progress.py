"""What the attempts at one event have already done, and must not do again.

Kept only while the event is in hand, and with its dead letter, from which a redelivery goes on.
"""

from __future__ import annotations

from collections import Counter


class Progress:
    """`once` records, and the ids of early emissions (`emit_now`, `yield`) that have left."""

    __slots__ = ("_said", "_spendings", "_spent", "once", "reached", "sent")

    def __init__(self) -> None:
        self.once: dict[str, object] = {}
        self.sent: set[str] = set()
        self.reached: dict[str, set[int]] = {}
        """Of an emission that was broken off on its way, by id: the numbers of who has it."""
        self._spent = 0
        self._spendings = 0
        self._said: Counter[tuple[str, bytes]] = Counter()

    def occurrence(self, type: str, payload: bytes) -> int:
        """How often this attempt has said exactly this before: the same words twice in one
        attempt are two events, in two attempts they are one."""
        said = (type, payload)
        self._said[said] += 1
        return self._said[said] - 1

    def spending(self) -> tuple[int, bool]:
        """Something is spent once more in this attempt: the number of the call, and whether no
        attempt has come so far."""
        number, self._spendings = self._spendings, self._spendings + 1
        new = number >= self._spent
        self._spent = max(self._spent, self._spendings)
        return number, new

    def new_attempt(self) -> None:
        self._spendings = 0
        self._said.clear()
