"""Who plays in a choreography: the classes of its agents, by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from choreia.actors.agent import Agent
from choreia.actors.families import FrontAgent
from choreia.actors.system import ActorSystem
from choreia.runtime.delivery.shared import Front

Build = Callable[[ActorSystem], object]
"""Spawns the agents of a choreography in a system; what it returns does not matter."""


def cast_of(build: Build) -> dict[str, type[Agent]]:
    """The classes of the agents that `build` spawns, by name.

    It is called with a system of its own that has no store, and nothing is handled there. Raises
    what `build` raises.
    """
    return cast_and_families(build)[0]


def cast_and_families(build: Build) -> tuple[dict[str, type[Agent]], frozenset[str]]:
    """The same, and which of the names are of keyed agents and groups."""
    system = ActorSystem(mode="simulated", heartbeat=None)
    build(system)
    # It is not stopped: a simulated system does nothing and holds nothing until somebody waits, and
    # to stop it would have the agents start first (`on_start` may do anything).
    families = {cell.name for cell in system._roster.all() if isinstance(cell, Front)}
    return agents_in(system), frozenset(families)


def agents_in(system: ActorSystem) -> dict[str, type[Agent]]:
    """The classes of a system's agents, by name; without its own and functions that listen."""
    return {
        cell.name: _class_of(cast("Agent", cell.turn.agent))
        for cell in system._roster.all()
        if cell.kind == "agent"
    }


def _class_of(agent: Agent) -> type[Agent]:
    return agent.stands_for if isinstance(agent, FrontAgent) else type(agent)
