"""Faults for tests: what a harness does to an agent of a running system."""

from __future__ import annotations

from choreia.actors.system import ActorSystem
from choreia.runtime.simulation.faults import crash as crash_here


def crash(system: ActorSystem, name: str) -> None:
    """End the thread that serves the agent of that name, between two events.

    It is dead from then on: it has its mailbox, and handles nothing, until it is restarted. Raises
    `UnknownAgent`.
    """
    system._roster.cell(name).post(crash_here, first=True)
