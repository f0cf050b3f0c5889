"""Agents of other nodes: nothing is known of them but what they say, and when they said it last."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Final, Protocol

import attrs

from choreia.runtime.delivery.clock import Clock, Timer
from choreia.runtime.errors import InvalidAgent
from choreia.runtime.health.detector import Detector, detector_for
from choreia.runtime.health.heartbeat import Heartbeat

log = logging.getLogger("choreia.supervisor")

MOST: Final = 100_000
"""Senders that are watched. Anybody can invent names, and must not fill the memory with them."""
SOON: Final = 0.1
"""Seconds after which to look again while heartbeats still wait to be taken note of."""
PATIENCE: Final = 50
"""How often to look again for that reason: a supervisor that is always behind sees nothing."""


class OwnTime(Protocol):
    """The supervisor's own time (`attention.py`)."""

    def own_time(self) -> float: ...
    def awake(self, due: float) -> tuple[float, float]: ...


@attrs.frozen
class Silence:
    """A sender that has not been heard of for too long."""

    source: str
    last_seen: float
    """Unix seconds."""
    evidence: dict[str, float | int | str]


@attrs.define(eq=False)
class _Sender:
    source: str
    heartbeat: Heartbeat
    detector: Detector
    silent_since: float | None = None


def heartbeat_of(payload: Mapping[str, object]) -> Heartbeat | None:
    """How a sender says that it is to be watched; None when it does not, or says nonsense."""
    interval, timeout = payload.get("interval"), payload.get("timeout")
    if isinstance(interval, (int, float)) and isinstance(timeout, (int, float)):
        try:
            return Heartbeat(interval=interval, timeout=timeout)
        except InvalidAgent:
            return None
    return None


class Remotes:
    """Watches senders by one timer, for whose deadline is next.

    The deadlines in the heap are those of when they were put there. A heartbeat moves its sender's
    deadline without touching the heap; who comes up too early is put back.
    """

    def __init__(
        self,
        clock: Clock,
        time: OwnTime,
        heartbeat: Heartbeat,
        *,
        waiting: Callable[[], bool],
        silent: Callable[[], object],
    ) -> None:
        self._clock = clock
        self._time = time
        self._heartbeat = heartbeat
        self._waiting = waiting
        """Whether heartbeats have arrived that nobody has taken note of."""
        self._silent = silent
        """Called, on the clock's thread, when there is something to `take_silent`."""
        self._lock = threading.Lock()
        self._senders: dict[str, _Sender] = {}
        self._heap: list[tuple[float, int, _Sender]] = []
        self._order = count()
        self._timer: Timer | None = None
        self._found: list[Silence] = []
        self._postponed = 0

    def __len__(self) -> int:
        return len(self._senders)

    def heard(self, source: str, heartbeat: Heartbeat | None = None) -> float | None:
        """A heartbeat arrived: own seconds for which its sender was taken for silent, or None."""
        own = self._time.own_time()
        with self._lock:
            sender = self._senders.get(source)
            if sender is None:
                self._watch(source, heartbeat or self._heartbeat, own)
                return None
            if heartbeat is not None and heartbeat != sender.heartbeat:
                sender.heartbeat, sender.detector = heartbeat, detector_for(heartbeat, own)
                self._push(sender)  # its deadline may be earlier than the one in the heap
            sender.detector.heard(own)
            since, sender.silent_since = sender.silent_since, None
            if since is not None:
                self._push(sender)
            return None if since is None else own - since

    def forget(self, source: str) -> None:
        """It said that it goes, or nobody needs to know of it any more."""
        with self._lock:
            self._senders.pop(source, None)

    def take_silent(self) -> list[Silence]:
        """Who has been found silent since the last call, unless it has been heard of again."""
        with self._lock:
            found, self._found = self._found, []
            return [one for one in found if self._is_silent(one.source)]

    def _is_silent(self, source: str) -> bool:
        sender = self._senders.get(source)
        return sender is not None and sender.silent_since is not None

    def _watch(self, source: str, heartbeat: Heartbeat, own: float) -> None:
        if len(self._senders) >= MOST:
            oldest = next(iter(self._senders))
            del self._senders[oldest]
            log.warning("more than %d senders of heartbeats: the first are forgotten", MOST)
        sender = self._senders[source] = _Sender(source, heartbeat, detector_for(heartbeat, own))
        self._push(sender)

    def _push(self, sender: _Sender) -> None:
        heapq.heappush(self._heap, (sender.detector.deadline(), next(self._order), sender))
        self._arm()

    def _arm(self, at_least: float = 0.0) -> None:
        """Look when the first deadline has come. Hold the lock."""
        if not self._heap:
            return
        wait = max(at_least, self._heap[0][0] - self._time.own_time())
        due = self._clock.monotonic() + wait
        if self._timer is not None and self._timer.callback is not None:
            if self._timer.when <= due:
                return
            self._timer.cancel()
        look = partial(self._look, due)
        self._timer = self._clock.call_later(max(0.0, wait), look, background=True)

    def _look(self, due: float) -> None:
        own, allowance = self._time.awake(due)
        with self._lock:
            self._timer = None
            # First what has arrived: whoever is only slow in reading must not accuse the writer.
            if self._waiting() and self._postponed < PATIENCE:
                self._postponed += 1
                self._arm(SOON)
                return
            self._postponed = 0
            self._find(own, allowance)
            self._arm()
            found = bool(self._found)
        if found:
            self._silent()

    def _find(self, own: float, allowance: float) -> None:
        while self._heap and self._heap[0][0] <= own:
            _, order, sender = heapq.heappop(self._heap)
            if self._senders.get(sender.source) is not sender or sender.silent_since is not None:
                continue
            deadline = sender.detector.deadline() + min(allowance, sender.heartbeat.timeout)
            if deadline > own:
                heapq.heappush(self._heap, (deadline, order, sender))
                continue
            sender.silent_since = own
            seen = self._clock.now() - (own - sender.detector.last)
            evidence = sender.detector.evidence(own)
            self._found.append(Silence(sender.source, seen, evidence))
