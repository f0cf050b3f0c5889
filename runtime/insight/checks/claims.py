"""C12: what one agent alone is to be able to do, another can, too."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.checks.finding import Finding
from choreia.runtime.insight.choreography import Player
from choreia.runtime.insight.links import Links


def claims(links: Links) -> Iterator[Finding]:
    able: dict[str, list[Player]] = {}
    exclusive: dict[str, Player] = {}
    for player in links.choreography.players:  # a group, or a keyed agent, is one
        for capability in player.capabilities:
            able.setdefault(capability, []).append(player)
        for capability in player.exclusive:
            exclusive.setdefault(capability, player)
    for capability, owner in exclusive.items():
        others = [player.name for player in able.get(capability, ()) if player is not owner]
        if others:
            yield Finding(
                "C12",
                owner.name,
                capability,
                f"{owner.name} claims {capability} for itself; {', '.join(others)} can do it, too",
                "have one agent (or one group) of that capability, or do not call it exclusive",
                owner.place,
            )
