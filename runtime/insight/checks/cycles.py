"""C06: agents that can answer each other for ever, at the speed of the machine.

A bound is declared with ``@on(…, max_hops=N)`` where the cycle comes to one of its handlers: it is
of that `@on` alone, and not of the others on the same handler. A timer in it starts
again at no hops and takes its time, so it ends what is meant here. A filter does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator

from choreia.runtime.insight.checks.components import components
from choreia.runtime.insight.checks.finding import Finding
from choreia.runtime.insight.links import Links, Node, Word


def cycles(links: Links) -> Iterator[Finding]:
    # Words are nodes too, or a thousand who all say and hear one type were a million arrows.
    graph: dict[Hashable, list[Hashable]] = {
        node: [word for word in node.says if not word.timer] for node in links.nodes
    }
    for word in links.words:
        if not word.timer:
            graph[word] = [*_unbounded(word)]
    for component in components(graph):
        nodes = [one for one in component if isinstance(one, Node)]
        if nodes and len(component) > 1:
            yield _cycle(nodes, set(component))


def _unbounded(word: Word) -> list[Node]:
    return [node for node, ask in word.hearers if ask.max_hops is None]


def _cycle(nodes: list[Node], within: set[Hashable]) -> Finding:
    first = min(nodes, key=lambda node: node.title)
    path = _round(first, within)
    steps = " → ".join(one.type if isinstance(one, Word) else one.title for one in path)
    more = f" (one of several among {len(nodes)} handlers)" if len(nodes) > len(path) // 2 else ""
    word = next(one for one in path if isinstance(one, Word))
    return Finding(
        "C06",
        first.player.name,
        word.type,
        f"a cycle without a bound: {steps}{more}",
        "say how often it may go round, on one of its handlers: @on(…, max_hops=100)",
        first.reaction.place,
    )


def _round(first: Node, within: set[Hashable]) -> list[Node | Word]:
    """The shortest way from a node back to itself."""
    before: dict[Node | Word, Node | Word] = {}
    todo: deque[Node | Word] = deque([first])
    while todo:
        one = todo.popleft()
        after: list[Node | Word] = (
            [word for word in one.says if not word.timer]
            if isinstance(one, Node)
            else [*_unbounded(one)]
        )
        for other in after:
            if other is first:
                return [first, *_back(before, one), first]
            if other in within and other not in before:
                before[other] = one
                todo.append(other)
    return [first]


def _back(before: dict[Node | Word, Node | Word], last: Node | Word) -> list[Node | Word]:
    path = [last]
    while path[-1] in before:
        path.append(before[path[-1]])
    return path[-2::-1] if len(path) > 1 else path
