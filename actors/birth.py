"""How a new agent gets its place: a cell, a name and a turn, before its own `__init__` goes on.

The factory given to `spawn` takes no arguments, so what the agent must know waits in a context
variable, and `Agent.__init__` fetches it: `self.name` and `self.actor_ref` can be used at once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from choreia.actors.agent import Agent

Place = Callable[["Agent"], None]
"""Gives an agent its place."""

_expected: ContextVar[list[Place] | None] = ContextVar("choreia_birth", default=None)


def deliver_one(factory: Callable[[], object], place: Place) -> object:
    """Call `factory`; the first agent that it makes gets its place from `place`."""
    token = _expected.set([place])
    try:
        return factory()
    finally:
        _expected.reset(token)


def attend(agent: Agent) -> None:
    """Called by `Agent.__init__`."""
    agent._choreia_cell = None
    expected = _expected.get()
    if expected:
        expected.pop()(agent)
