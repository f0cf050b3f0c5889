"""Who plays: the names of the agents, and how one tells who has said something.

What an event says of its sender proves nothing, since anybody can write anything into a payload.
But its source is set by the runtime, and nobody can publish under the id of an agent that lives.
"""

from __future__ import annotations

from choreia import Agent

SERVICE = "service"
KEEPER = "keeper"
GATE = "gate"
FIXER = "fixer"
STAND_BY = "stand-by"
RESPONDERS = (FIXER, STAND_BY)
"""In the order in which they are on duty."""

SUPERVISOR = "supervisor"
"""Of the runtime: it says who is suspected."""

JUMPY = "jumpy"
"""The watcher that cries wolf."""

HUMAN = "did:human:"
"""What the source of a person begins with."""


def speaker(agent: Agent) -> str:
    """The name of the agent, of this system, that has said what `agent` has in hand; else ""."""
    if agent.event is None:
        return ""
    node, _, name = agent.event.source.rpartition(":")
    return name if node == agent.id.rpartition(":")[0] else ""
