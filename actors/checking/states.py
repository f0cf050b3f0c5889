"""The states of event-sourced agents, folded by the new code's classes: V05, V07."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from choreia.actors.agent import Agent
from choreia.actors.checking.code import Code, Member
from choreia.actors.checking.finding import Finding
from choreia.actors.folding import Applier
from choreia.actors.snapshots import Snapshots
from choreia.actors.sourced import EventSourcedAgent
from choreia.runtime.delivery.deadletter import name_error
from choreia.runtime.events.identity import agent_did
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.base import EventStore

INSTANCES = 10_000
"""Instances of a keyed agent whose states are folded, at most."""


def check_states(store: EventStore, code: Code) -> list[Finding]:
    """Agents that would not begin, since their own events cannot be made into their state."""
    found: list[Finding] = []
    for agent in code.agents:
        applier = _applier(agent)
        did = agent_did(code.node, agent.name)
        if applier is not None and agent.cls.key is None:
            found.extend(_fold(agent, applier, store.read(source=did)))
        elif applier is not None:
            found.extend(_fold_each(store, agent, applier, did + ":"))
    return found


def _fold_each(store: EventStore, agent: Member, applier: Applier, prefix: str) -> list[Finding]:
    """Of a keyed agent as many instances as one can look at; one that fails is enough to know."""
    seen: set[str] = set()
    for recorded in store.read(pattern=[one.pattern for one in applier.patterns]):
        source = recorded.event.source
        if source in seen or not source.startswith(prefix):
            continue
        if len(seen) >= INSTANCES:
            break
        seen.add(source)
        found = _fold(agent, applier, store.read(source=source))
        if found:
            return found
    return []


def sourced(code: Code) -> dict[str, type[Agent]]:
    """By agent id, the event-sourced classes of the code."""
    return {
        agent_did(code.node, agent.name): agent.cls
        for agent in code.agents
        if _applier(agent) is not None
    }


def stale_snapshots(store: EventStore, classes: Mapping[str, type[Agent]]) -> list[Finding]:
    """V05: snapshots of agents (by id) that were made by another state class than theirs is now.

    Nothing is lost by it: their states are folded anew, which takes a while.
    """
    stale = Counter[str]()
    for snapshot in store.snapshots():
        cls = classes.get(snapshot.source) or classes.get(snapshot.source.rpartition(":")[0])
        snapshots = getattr(cls, "_choreia_snapshots", None)
        if isinstance(snapshots, Snapshots) and snapshots.code != snapshot.code:
            stale[cls.__name__ if cls is not None else ""] += 1
    return [
        Finding(
            "V05",
            f"{count} snapshots were made by another {name} state: they are ignored",
            "nothing; or fold them anew before, at a time that suits you: the first time each of "
            "these agents begins takes longer",
            agent=name,
            count=count,
            warning=True,
        )
        for name, count in sorted(stale.items())
    ]


def _applier(agent: Member) -> Applier | None:
    return agent.cls._choreia_applier if issubclass(agent.cls, EventSourcedAgent) else None


def _fold(agent: Member, applier: Applier, said: Iterable[Recorded]) -> list[Finding]:
    """At the first event that it cannot go past: what would follow is not known."""
    state = applier.initial()
    for recorded in said:
        try:
            state = applier.next(state, recorded.event)
        except Exception as error:  # the state class is anybody's code
            return [_finding(agent, applier, recorded, error)]
    return []


def _finding(agent: Member, applier: Applier, recorded: Recorded, error: Exception) -> Finding:
    event = recorded.event
    return Finding(
        "V07",
        f"the state of agent {agent.name!r} cannot be folded past it: {name_error(error)}",
        f"have {applier.state_class.__name__} apply what was recorded; else the agent does not "
        "begin",
        event.type,
        event.metadata.version,
        agent.name,
        position=recorded.position,
    )
