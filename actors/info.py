"""What one can know of an agent from outside."""

from __future__ import annotations

import attrs


@attrs.frozen
class AgentInfo:
    """One agent's presence, as `find` gives it."""

    id: str
    """Its DID."""
    name: str
    capabilities: tuple[str, ...] = ()
    specializations: tuple[str, ...] = ()
    capacity: int = 1
    """How many events at once it declares to be good for."""
    available_capacity: int = 1
    """``max(0, capacity - queued - in hand)``."""
    load: float = 0.0
    """``(queued + in hand) / capacity``."""
    status: str = "online"
    """``online``, ``busy`` (no capacity left), ``paused``, ``suspected`` or ``offline``."""
    node: str = "local"
    incarnation: int = 1
    """How often the agent has been started under this name."""


@attrs.frozen
class AgentView:
    """One agent, looked at: its state and counters at one moment. Counts are since its start."""

    id: str
    name: str
    kind: str
    """``agent``, ``subscription`` or ``system``."""
    state: str
    """``idle``, ``queued``, ``running``, ``awaiting``, ``parked``, ``backoff``, ``paused`` or
    ``dead`` (the thread that served it has ended)."""
    mailbox_size: int
    """Items that wait now."""
    mailbox_capacity: int
    high_water: int
    """The most items that ever waited at once."""
    handled: int
    failed: int
    """Dead letters."""
    dropped: int
    """Events that the overflow policy let go."""
    overflowed: int
    """Items admitted above capacity: asks, stops, runtime events, and to break a cycle."""
    parked: int
    """Senders that wait for room in this mailbox now."""
    received: int
    emitted: int
    handler: str | None
    """The handler that runs now."""
    handler_seconds: float
    """For how long it has been running."""
    suspected: str | None = None
    """Why the supervisor suspects it: ``dead``, ``stuck`` or ``starved``."""
    incarnation: int = 1
    """How often the agent has been started under this name."""


@attrs.frozen
class SystemView:
    """A system, looked at. Taken without asking the agents, so it costs them nothing."""

    node: str
    time: float
    """Unix seconds."""
    agents: tuple[AgentView, ...]
    dead_letters: int

    def agent(self, name: str) -> AgentView:
        """The agent of that name. Raises `KeyError`."""
        for agent in self.agents:
            if agent.name == name:
                return agent
        raise KeyError(name)
