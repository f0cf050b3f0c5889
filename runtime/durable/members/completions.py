"""What of the log a family has in hand, and how far all is done."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence

from choreia.runtime.stores.unit import Complete


class Completions:
    """Positions that were dealt out to members and have not come to their end. Thread-safe.

    The mark (`low`) only ever takes in what is on disk, or in the unit that carries it: units of
    several members may be on their way at once.
    """

    def __init__(self, agent: str, dealt: Callable[[], int]) -> None:
        """`dealt`: up to where the log has been looked at; what is not pending there is done, or
        nothing for the family."""
        self._agent = agent
        self._dealt = dealt
        self._lock = threading.Lock()
        self._pending: set[int] = set()
        self._heap: list[int] = []
        self.epoch = 0
        self.lagging: dict[object, Callable[[], int]] = {}
        """Members that lag: up to where each has taken its events into its mailbox."""
        self._above = False
        """Whether something above the mark is done."""
        self.done: set[int] = set()
        """Of what an earlier run has left above the mark."""
        self.low = 0
        """What the store was told last."""

    def begin(self, epoch: int, low: int, done: Sequence[int]) -> None:
        """The family has taken its seat."""
        with self._lock:
            self.epoch, self.low = epoch, low
            self.done = set(done)
            self._above = bool(done)

    def take(self, position: int) -> None:
        """An event is in a member's mailbox."""
        with self._lock:
            self._pending.add(position)
            heapq.heappush(self._heap, position)

    @property
    def pending(self) -> int:
        """How many events are in mailboxes, or in hand."""
        return len(self._pending)

    def completing(self, positions: Sequence[int]) -> Complete:
        """What is to be written when `positions` are done."""
        with self._lock:
            low = self._mark(set(positions))
            self.low = max(self.low, low)
            self._above = self._above or max(positions) > low
            return Complete(self._agent, self.epoch, tuple(positions), low)

    def completed(self, positions: Sequence[int]) -> None:
        """That is on disk."""
        with self._lock:
            self._pending.difference_update(positions)

    @property
    def quiet(self) -> bool:
        """Whether all is done, and the store does not know it yet."""
        return self._above and not self._pending

    def moved_on(self) -> Complete | None:
        """The mark, if it has moved since it was written last."""
        with self._lock:
            self._above = False
            low = self._mark(set())
            if low <= self.low or not self.epoch:
                return None
            self.low = low
            return Complete(self._agent, self.epoch, (), low)

    def _mark(self, done: set[int]) -> int:
        """All up to here is done, if `done` is."""
        # Read first: what is dealt out after this is behind it.
        low = self._dealt()
        for taken in list(self.lagging.values()):
            low = min(low, taken())
        heap, passed = self._heap, []
        while heap and (heap[0] not in self._pending or heap[0] in done):
            position = heapq.heappop(heap)
            if position in self._pending:
                passed.append(position)
        if heap:
            low = min(low, heap[0] - 1)
        for position in passed:  # not on disk yet: another unit must not count on it
            heapq.heappush(heap, position)
        return low
