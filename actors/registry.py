"""The registry: an agent that learns from events who is there. Empty at the start of each run."""

from __future__ import annotations

from choreia.actors.agent import Agent
from choreia.actors.handlers import on
from choreia.actors.info import AgentInfo
from choreia.actors.presence import Presence
from choreia.runtime.events.event import Event


class Registry(Agent):
    """Subscribes to what agents, and the runtime on their behalf, say of their presence."""

    def __init__(self, presence: Presence) -> None:
        super().__init__()
        self._presence = presence

    @on("agent.online")
    def learn(self, event: Event) -> None:
        payload = event.payload
        capacity = payload.get("capacity", 1)
        whole = isinstance(capacity, int) and not isinstance(capacity, bool) and capacity > 0
        size = int(capacity) if whole and isinstance(capacity, int) else 1
        self._presence.learn(
            AgentInfo(
                id=event.source,
                name=_word(payload.get("name")) or event.source.rpartition(":")[2],
                capabilities=_words(payload.get("capabilities")),
                specializations=_words(payload.get("specializations")),
                capacity=size,
                available_capacity=size,
                node=_word(payload.get("node")) or _node(event.source),
                incarnation=_number(payload.get("incarnation")),
            )
        )

    @on("agent.heartbeat")
    def renew(self, event: Event) -> None:
        """Of an agent whose counters cannot be read, what it says of its room is all there is."""
        payload = event.payload
        load, room = payload.get("load"), payload.get("available_capacity")
        if isinstance(load, (int, float)) and isinstance(room, int):
            status = "paused" if payload.get("status") == "paused" else "online"
            self._presence.renew(event.source, max(0, room), max(0.0, load), status)

    @on("agent.offline")
    def forget(self, event: Event) -> None:
        self._presence.forget(event.source)

    @on("agent.paused")
    def paused(self, event: Event) -> None:
        self._presence.status(event.source, "paused")

    @on("agent.resumed")
    @on("agent.recovered")
    def back(self, event: Event) -> None:
        self._presence.status(_subject(event), "online")

    @on("agent.suspected_failure")
    def suspect(self, event: Event) -> None:
        self._presence.status(_subject(event), "suspected")


def _subject(event: Event) -> str:
    """Whom it is about: the one named in it (by a monitor), or who says it."""
    return _word(event.payload.get("agent_id")) or event.source


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(value: object) -> tuple[str, ...]:
    # Anybody may publish agent.online; what is no list of words counts for none.
    return tuple(w for w in value if isinstance(w, str)) if isinstance(value, list) else ()


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 1


def _node(source: str) -> str:
    parts = source.split(":")
    return parts[2] if source.startswith("did:choreia:") and len(parts) > 3 else ""
