"""Presence: who is online, what they can do, and how much room they have."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Protocol

import attrs

from choreia.actors.info import AgentInfo

_least_loaded = attrgetter("load", "id")


class Counters(Protocol):
    """What presence reads of a local agent."""

    @property
    def busy(self) -> int: ...
    @property
    def paused(self) -> bool: ...


class Presence:
    """What the registry has learnt, for anybody to read.

    The registry writes; `find` reads a snapshot by capability, rebuilt when something changed.
    Room is read from an agent's counters when it is local, from its announcement when it is not.
    """

    def __init__(self, local: Callable[[str], Counters | None]) -> None:
        self._local = local
        self._lock = threading.Lock()
        self._known: dict[str, AgentInfo] = {}
        self._by_capability: dict[str, tuple[AgentInfo, ...]] | None = {}

    def learn(self, info: AgentInfo) -> None:
        """This agent is there."""
        with self._lock:
            before = self._known.get(info.id)
            self._known[info.id] = info
            if info.capabilities or (before is not None and before.capabilities):
                self._by_capability = None

    def status(self, id: str, status: str) -> None:
        """Its status changed; unknown agents are ignored."""
        with self._lock:
            info = self._known.get(id)
            if info is not None:
                self._known[id] = attrs.evolve(info, status=status)
                self._by_capability = None

    def renew(self, id: str, room: int, load: float, status: str) -> None:
        """A heartbeat of an agent of another node; unknown and local ones are ignored."""
        if self._local(id) is not None:
            return
        with self._lock:
            info = self._known.get(id)
            if info is not None:
                self._known[id] = attrs.evolve(
                    info, available_capacity=room, load=load, status=status
                )
                self._by_capability = None

    def forget(self, id: str) -> None:
        with self._lock:
            info = self._known.pop(id, None)
            if info is not None and info.capabilities:
                self._by_capability = None

    def find(self, capability: str, *, busy: bool = False) -> list[AgentInfo]:
        """Online agents with `capability` and room for more, least loaded first.

        With `busy` also those that have no room now: an auction is for everybody who is there.
        """
        wanted = {"online", "busy"} if busy else {"online"}
        found = [self._now(info) for info in self._having(capability)]
        return sorted((info for info in found if info.status in wanted), key=_least_loaded)

    def all(self) -> list[AgentInfo]:
        """Everybody who is known, with room and status as of now."""
        with self._lock:
            known = list(self._known.values())
        return [self._now(info) for info in known]

    def _having(self, capability: str) -> Iterable[AgentInfo]:
        with self._lock:
            if self._by_capability is None:
                index: dict[str, list[AgentInfo]] = {}
                for info in self._known.values():
                    for word in dict.fromkeys(info.capabilities):
                        index.setdefault(word, []).append(info)
                self._by_capability = {word: tuple(infos) for word, infos in index.items()}
            return self._by_capability.get(capability, ())

    def _now(self, info: AgentInfo) -> AgentInfo:
        counters = self._local(info.id)
        if counters is None:
            return info
        busy = counters.busy
        room = max(0, info.capacity - busy)
        status = info.status
        if counters.paused:
            status = "paused"
        elif status == "online" and not room:
            status = "busy"
        return attrs.evolve(info, available_capacity=room, load=busy / info.capacity, status=status)
