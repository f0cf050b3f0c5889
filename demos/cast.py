"""The agents of a demo, as its live view shows them."""

from __future__ import annotations

from rich.table import Table

from choreia import ActorSystem


def agents_table(system: ActorSystem) -> Table:
    """What each is at, and how much it has before it."""
    table = Table("agent", "state", "waiting", "handled", box=None, padding=(0, 2, 0, 0))
    for agent in system.inspect().agents:
        if agent.kind == "agent":
            waiting = f"{agent.mailbox_size:,} of {agent.mailbox_capacity:,}"
            table.add_row(agent.name, agent.state, waiting, f"{agent.handled:,}")
    return table
