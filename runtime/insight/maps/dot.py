"""A map for graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.escaping import dot
from choreia.runtime.insight.maps.grouping import strands
from choreia.runtime.insight.maps.picture import NOBODY, OUTSIDE, Arrow, Picture


def to_dot(drawn: Picture) -> str:
    return "\n".join(_lines(drawn)) + "\n"


def _lines(drawn: Picture) -> Iterator[str]:
    ids = {name: f"n{number}" for number, name in enumerate(drawn.agents)}
    yield f'digraph "{dot(drawn.name)}" {{'
    yield "    rankdir=LR;"
    yield '    node [shape=box, style=rounded, fontname="sans-serif"];'
    yield '    edge [fontname="sans-serif", fontsize=10];'
    for name, id in ids.items():
        if name == OUTSIDE:
            yield f'    {id} [label="outside", shape=oval];'
        else:
            yield f'    {id} [label="{dot(name)}"];'
    for number, strand in enumerate(strands(drawn)):
        label = "\\n".join(map(_label, strand.arrows))
        if strand.hearer == NOBODY:
            yield f'    e{number} [label="", shape=point];'
        hearer = f"e{number}" if strand.hearer == NOBODY else ids[strand.hearer]
        style = "" if strand.declared else ", style=dashed"
        yield f'    {ids[strand.sayer]} -> {hearer} [label="{label}"{style}];'
    yield "}"


def _label(arrow: Arrow) -> str:
    count = "" if arrow.count is None else f" {arrow.count}x"
    return dot(arrow.type) + count
