"""One suspect at a time, in the whole system.

After an unclean end some event may have been the cause. Those that may have been in hand are tried
alone, each attempt recorded first: whoever is in hand when the process dies again is it. If agents
tried theirs side by side, one that kills the process would have the others blamed with it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from choreia.runtime.delivery.gate import Gate

Delivery = tuple[str, str]
"""An agent's name and an event's id."""

PATIENCE = 1.0
"""Seconds after which the next one is tried all the same: the one in hand may wait for it (it asks
its agent), or take its time."""


class OneAtATime:
    """Thread-safe."""

    def __init__(self, note: Callable[[frozenset[Delivery]], None]) -> None:
        """`note` is told which suspects are in their handlers' hands."""
        self._note = note
        self._in_hand: frozenset[Delivery] = frozenset()
        self._lock = threading.Lock()
        self._holder: object = None
        self._waiting: deque[tuple[object, Gate]] = deque()

    def enter(self, who: object) -> Gate:
        """A gate that opens when it is `who`'s time."""
        gate = Gate()
        with self._lock:
            if self._holder is not None:
                self._waiting.append((who, gate))
                return gate
            self._holder = who
        gate.open()
        return gate

    def hand_over(self, agent: str, event_id: str) -> None:
        """The handler has it from now on."""
        with self._lock:
            self._in_hand |= {(agent, event_id)}
            self._note(self._in_hand)

    def take_back(self, agent: str, event_id: str) -> bool:
        """The handler has come to its end, or waits for the store: whether it had a suspect."""
        delivery = (agent, event_id)
        if delivery not in self._in_hand:
            return False
        with self._lock:
            self._in_hand -= {delivery}
            self._note(self._in_hand)
        return True

    def leave(self, who: object) -> None:
        """`who` is done with, or waits no longer."""
        if self._holder is None:  # as it is but for the first moments of a run
            return
        with self._lock:
            self._waiting = deque(entry for entry in self._waiting if entry[0] is not who)
            if self._holder is not who:
                return
            self._holder, gate = self._waiting.popleft() if self._waiting else (None, None)
        if gate is not None:
            gate.open()
