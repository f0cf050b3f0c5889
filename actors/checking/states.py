"""The states of event-sourced agents, folded by the new code's classes: V05, V07."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from choreia.actors.agent import Agent
from choreia.actors.checking.code import Code, Member
from choreia.actors.checking.finding import Finding
from choreia.actors.folding import Applier
from choreia.actors.sourced import EventSourcedAgent
from choreia.runtime.delivery.deadletter import name_error
from choreia.runtime.events.identity import agent_did
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.base import EventStore


def check_states(store: EventStore, code: Code) -> list[Finding]:
    """Agents that would not begin, since their own events cannot be made into their state."""
    found: list[Finding] = []
    for agent in code.agents:
        applier = _applier(agent)
        if applier is not None:
            said = store.read(source=agent_did(code.node, agent.name))
            found.extend(_fold(agent, applier, said))
    return found


def sourced(code: Code) -> dict[str, type[Agent]]:
    """By agent id, the event-sourced classes of the code."""
    return {
        agent_did(code.node, agent.name): agent.cls
        for agent in code.agents
        if _applier(agent) is not None
    }


def stale_snapshots(store: EventStore, classes: Mapping[str, type[Agent]]) -> list[Finding]:
    """V05: snapshots of agents (by id) that were made by another state class than theirs is now.

    Stores keep no snapshots so far: a state is folded from the first event. So there are none.
    """
    return []


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
