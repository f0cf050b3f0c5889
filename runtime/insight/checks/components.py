"""Strongly connected components: what can lead to itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

N = TypeVar("N")


def components(graph: Mapping[N, Sequence[N]]) -> list[list[N]]:
    """Tarjan's algorithm, without recursion: graphs can be deep."""
    index: dict[N, int] = {}
    low: dict[N, int] = {}
    stack: list[N] = []
    waiting: set[N] = set()
    found: list[list[N]] = []
    for root in graph:
        if root in index:
            continue
        work: list[tuple[N, Iterator[N]]] = [(root, iter(graph[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        waiting.add(root)
        while work:
            node, following = work[-1]
            for other in following:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    waiting.add(other)
                    work.append((other, iter(graph.get(other, ()))))
                    break
                if other in waiting:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    found.append(_taken(stack, waiting, node))
    return found


def _taken(stack: list[N], waiting: set[N], root: N) -> list[N]:
    members: list[N] = []
    while True:
        node = stack.pop()
        waiting.discard(node)
        members.append(node)
        if node == root:
            return members
