"""C07: joins whose events never come together in one case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from choreia.runtime.insight.checks.finding import Finding
from choreia.runtime.insight.links import Links, Node, Word, pattern_of


def joins(links: Links) -> Iterator[Finding]:
    waiting = [node for node in links.nodes if node.reaction.mark and node.reaction.mark.waits]
    if not waiting:
        return
    cases = list(_cases(links))
    for node in waiting:
        topics = _topics(links, node)
        if topics and not any(_all_in(topics, case) for case in cases):
            yield Finding(
                "C07",
                node.player.name,
                topics[0],
                f"{node.title} waits for {', '.join(topics)}, and no case produces all of them",
                "have one event lead to all of them, or join what belongs to one case",
                node.reaction.place,
            )


def _topics(links: Links, node: Node) -> list[str]:
    """What it waits for; without what comes from outside (that may come in any case) and what
    nobody says at all (which is C02)."""
    mark = node.reaction.mark
    awaited = (mark.awaits if mark else ()) or tuple(ask.pattern for ask in node.reaction.asks)
    return [
        topic
        for topic in awaited
        if not links.external.any_overlap(topic) and links.said.any_overlap(topic)
    ]


def _cases(links: Links) -> Iterator[set[str]]:
    """For each thing that can begin a case: the types that can be said in it."""
    for word in links.words:
        if word.outside:
            yield _said_after(links, (node for node, _ in word.hearers)) | {word.type}
    for node in links.nodes:
        asks = node.reaction.asks
        if node.reaction.begins or any(links.runtime.any_overlap(ask.pattern) for ask in asks):
            yield _said_after(links, [node])


def _said_after(links: Links, start: Iterable[Node]) -> set[str]:
    words: set[Word] = {word for node in links.reached(start) for word in node.says}
    return {word.type for word in words}


def _all_in(topics: list[str], case: set[str]) -> bool:
    return all(
        any(pattern_of(topic).overlaps(pattern_of(type)) for type in case) for topic in topics
    )
