"""What people call those who say and hear events."""

from __future__ import annotations

_DID = "did:choreia:"
OUTSIDE = "outside"


def agent_in(source: str) -> str | None:
    """The agent's name in a DID of this runtime's; None for any other source."""
    node, _, name = source.removeprefix(_DID).partition(":")
    return name if node and name and source.startswith(_DID) else None


def speaker(source: str) -> str:
    """Who said it: an agent's name, ``outside``, or a source that is no agent of ours."""
    name = agent_in(source)
    return f"{OUTSIDE} ({source})" if name is None else name


def family(name: str) -> str:
    """Of a member of a family the family's name: subscriptions are under that."""
    return name.partition(":")[0]


def lifeline(source: str) -> str:
    """Under which name a source takes part in a picture: as `speaker`, by families."""
    name = agent_in(source)
    return speaker(source) if name is None else family(name)
