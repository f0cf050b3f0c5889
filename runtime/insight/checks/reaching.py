"""C03 and C05: what nothing comes to.

From the entries (what comes from outside, from the runtime, by a schedule, at the start) events are
followed through the graph. What is not reached because of another finding, and what follows from
that, is passed over: only where nothing else explains it, it is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.checks.components import components
from choreia.runtime.insight.checks.finding import Finding
from choreia.runtime.insight.checks.meeting import is_unsaid
from choreia.runtime.insight.links import Links, Node


def entries(links: Links) -> set[Node]:
    """Reactions that begin something."""
    begun = {node for node in links.nodes if node.reaction.begins}
    for word in links.words:
        if word.outside:
            begun.update(node for node, _ in word.hearers)
    for node in links.nodes:
        if any(links.runtime.any_overlap(ask.pattern) for ask in node.reaction.asks):
            begun.add(node)
    return begun


def reaching(links: Links) -> Iterator[Finding]:
    reached = links.reached(entries(links))
    reached |= links.reached([node for node in links.nodes if _explained(links, node)])
    islands = [one for one in components(_without(links, reached)) if _feeds_itself(one)]
    sources = [one for one in islands if not _fed_from_elsewhere(one)]
    for island in sources:
        yield _island(island)
    reached |= links.reached(node for island in sources for node in island)
    for node in links.nodes:
        if node not in reached:
            yield _unreachable(node, node.reaction.asks[0].pattern if node.reaction.asks else "")
    for node, ask, word in links.keyless:
        yield Finding(
            "C03",
            node.player.name,
            ask.pattern,
            f"{node.title} is of a keyed agent, and {word.type} has nothing at {node.player.key}, "
            "so it comes to none of its instances",
            "put the key into the event, or give the agent another key",
            node.reaction.place,
        )


def _explained(links: Links, node: Node) -> bool:
    """Whether another finding says why nothing comes to it: nobody says it (C02), or it is only
    declared, and never said (C11)."""
    asks = node.reaction.asks
    if any(is_unsaid(links, node, ask) for ask in asks):
        return True
    dead = {one.type for each in links.choreography.players for one in each.unheard}
    return not node.heard and not any(
        pattern in dead for ask in asks for pattern in links.said.overlapping(ask.pattern)
    )


def _without(links: Links, reached: set[Node]) -> dict[Node, list[Node]]:
    return {
        node: [hearer for word in node.says for hearer, _ in word.hearers if hearer not in reached]
        for node in links.nodes
        if node not in reached
    }


def _feeds_itself(island: list[Node]) -> bool:
    return len(island) > 1 or any(
        hearer is island[0] for word in island[0].says for hearer, _ in word.hearers
    )


def _fed_from_elsewhere(island: list[Node]) -> bool:
    return any(
        sayer not in island for node in island for word in node.heard for sayer, _ in word.sayers
    )


def _island(island: list[Node]) -> Finding:
    first = min(island, key=lambda node: node.title)
    names = ", ".join(sorted(node.title for node in island))
    return Finding(
        "C05",
        first.player.name,
        first.reaction.asks[0].pattern,
        f"these only feed each other, and nothing starts them: {names}",
        "have something from outside them lead there, or declare what starts them as external",
        first.reaction.place,
    )


def _unreachable(node: Node, pattern: str) -> Finding:
    return Finding(
        "C03",
        node.player.name,
        pattern,
        f"nothing that happens can lead to {node.title}: {pattern} is emitted only where nothing "
        "comes, either",
        "call the method that emits it, or remove the handler",
        node.reaction.place,
    )
