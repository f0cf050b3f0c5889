"""What can lead to itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.insight.checks.components import components

_GRAPHS = st.dictionaries(st.integers(0, 7), st.lists(st.integers(0, 7), max_size=4), max_size=8)


def _reached(graph: dict[int, list[int]], start: int) -> set[int]:
    seen, todo = {start}, [start]
    while todo:
        for other in graph.get(todo.pop(), ()):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


@given(_GRAPHS)
def test_two_are_in_one_just_when_each_leads_to_the_other(graph: dict[int, list[int]]) -> None:
    found = components(graph)

    nodes = [node for one in found for node in one]
    assert len(nodes) == len(set(nodes))
    assert set(nodes) == {*graph, *(node for after in graph.values() for node in after)}
    which = {node: number for number, one in enumerate(found) for node in one}
    for a in nodes:
        for b in nodes:
            both = b in _reached(graph, a) and a in _reached(graph, b)
            assert (which[a] == which[b]) is both


def test_a_chain_may_be_deep() -> None:
    chain = {number: [number + 1] for number in range(50_000)}

    assert len(components(chain)) == 50_001
